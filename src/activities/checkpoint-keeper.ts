import { messageOf } from '../errors.ts';
import { decideCheckpoint } from '../lake/checkpoint.ts';
import type { Seal } from '../lake/source-log.ts';
import type { Ports } from '../ports.ts';
import { type FoundCheckpoint, newestCheckpoint, writeCheckpoint } from './checkpoints.ts';
import { type LogRef, numbersBetween, readSealsOf } from './source-log.ts';

/*
 * The checkpoints of one source log, kept by whoever writes the log, beside its batches. Nothing
 * waits for them: one that fails is tried again, and a writer that was replaced does no harm, since
 * what it says of sealed entries is true.
 */

export type CheckpointKeeper = {
  /** Remembers a seal of this writer, so that it need not be read again. */
  sealed(seal: Seal): void;
  /** Begins to write what is due. Up to `sealedTo` every plan of the log is sealed. */
  tick(sealedTo: number): void;
  /** Resolves when nothing is being written. */
  idle(): Promise<void>;
};

export type KeeperDeps = {
  readonly ports: Pick<Ports, 'objects' | 'now' | 'logger'>;
  /** Aborted when the writer must stop. */
  readonly signal: AbortSignal;
};

type State = {
  readonly sinceMs: number;
  /** Undefined until it was looked up. */
  newest: FoundCheckpoint | null | undefined;
  readonly remembered: Map<number, Seal>;
  running: Promise<void> | null;
  /** After a failure. */
  notBeforeMs: number;
};

const retryMs = 30_000;

export function createCheckpointKeeper(deps: KeeperDeps, ref: LogRef): CheckpointKeeper {
  const { now, logger } = deps.ports;
  const state: State = {
    sinceMs: now(),
    newest: undefined,
    remembered: new Map(),
    running: null,
    notBeforeMs: 0,
  };
  const run = async (sealedTo: number): Promise<void> => {
    try {
      await keep(deps, ref, state, sealedTo);
    } catch (error) {
      // Nobody's truth: a start and a build then read more, and the next tick tries again.
      logger.warn({ log: ref.log, error: messageOf(error) }, 'a checkpoint was not written');
      state.notBeforeMs = now() + retryMs;
    } finally {
      state.running = null;
    }
  };
  return {
    sealed: (seal) => void state.remembered.set(seal.number, seal),
    tick: (sealedTo) => {
      if (state.running !== null || deps.signal.aborted || now() < state.notBeforeMs) return;
      if (state.newest !== undefined && decide(deps, state, sealedTo).kind === 'wait') return;
      state.running = run(sealedTo);
    },
    idle: async () => (await state.running) ?? undefined,
  };
}

function decide({ ports }: KeeperDeps, { newest, sinceMs }: State, sealedTo: number) {
  const facts = { newest: newest?.checkpoint ?? null, sealedTo, sinceMs, nowMs: ports.now() };
  return decideCheckpoint(facts);
}

/** Writes one checkpoint after the other until none is due. */
async function keep(deps: KeeperDeps, ref: LogRef, state: State, sealedTo: number): Promise<void> {
  const { objects } = deps.ports;
  if (state.newest === undefined) state.newest = await newestCheckpoint(objects, ref);
  while (!deps.signal.aborted) {
    const decision = decide(deps, state, sealedTo);
    if (decision.kind === 'wait') break;
    const { first, through, completeTo } = decision;
    const seals = await sealsOf(deps, ref, state, numbersBetween(first, through));
    const previous = state.newest ?? null;
    state.newest = await writeCheckpoint(objects, ref, { previous, through, completeTo, seals });
    const covered = state.newest.checkpoint.through;
    for (const number of state.remembered.keys()) {
      if (number <= covered) state.remembered.delete(number);
    }
  }
}

/** Those of earlier writers are read, those of this one are known. */
async function sealsOf(
  { ports }: KeeperDeps,
  ref: LogRef,
  { remembered }: State,
  numbers: readonly number[],
): Promise<readonly Seal[]> {
  const unknown = numbers.filter((number) => !remembered.has(number));
  const read = await readSealsOf(ports.objects, ref, unknown);
  const found = new Map(read.map(({ seal }) => [seal.number, seal]));
  return numbers
    .map((number) => remembered.get(number) ?? found.get(number))
    .filter((seal) => seal !== undefined);
}
