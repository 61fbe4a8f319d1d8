import { type BatchFacts, ingestHourBefore } from '../lake/checkpoint.ts';
import type { Dataset } from '../lake/dataset.ts';
import type { BuildSilverInput } from '../lake/messages.ts';
import type { LogName } from '../lake/paths.ts';
import { type LogInput, type Pointer, fromRanges, toRanges } from '../lake/pointer.ts';
import { type Retention, decideWholeBuild } from '../lake/retention.ts';
import { windowOf } from '../lake/window.ts';
import type { ObjectStore, Row, TableInput } from '../ports.ts';
import { readBatches } from './checkpoints.ts';
import { numbersBetween } from './source-log.ts';

/* Which batches a silver build is made from. */

export type SilverInputs = {
  /** The batches whose rows the build reads. */
  readonly batches: readonly BatchFacts[];
  /** What the new version will have looked at, per log. */
  readonly logs: Readonly<Record<LogName, LogInput>>;
  /** What becomes of the build where bronze of the current version may be gone. */
  readonly whole: ReturnType<typeof decideWholeBuild>;
};

export type GatherDeps = {
  readonly objects: ObjectStore;
  readonly dataset: Pick<Dataset, 'placement'>;
};

/**
 * A fold reads the batches after the pointer's; a whole build all batches of the window, found in the
 * checkpoints of the log. Either way the answer depends on the pointer, the input and the log up to
 * a number alone, so a repeated stage reads the same.
 */
export async function gatherInputs(
  deps: GatherDeps,
  input: BuildSilverInput,
  { current, retention }: { readonly current: Pointer | null; readonly retention: Retention },
): Promise<SilverInputs> {
  const names = [...new Set([...Object.keys(current?.logs ?? {}), ...Object.keys(input.pending)])];
  const gathered = await Promise.all(
    names.sort().map((log) => gatherLog(deps, { input, log, known: current?.logs[log] ?? null })),
  );
  const whole = decideWholeBuild({
    mode: input.mode,
    ingestTimesBefore: gathered.flatMap(({ before }) =>
      before.map(({ ingestHour }) => `${ingestHour}:00:00.000Z`),
    ),
    batchesAdded: gathered.flatMap(({ added }) => added).length,
    // A backfill names every batch there is, and asks for the window itself.
    askedForBatches: Object.keys(input.pending).length > 0 && input.cause?.kind !== 'backfill',
    retention,
  });
  return {
    batches: gathered.flatMap(({ before, added }) =>
      whole.kind === 'asAsked' ? [...before, ...added] : added,
    ),
    logs: Object.fromEntries(gathered.map(({ log, next }) => [log, next])),
    whole,
  };
}

type Gathered = {
  readonly log: LogName;
  /** What the current version has read, and a whole build reads again; none for a fold. */
  readonly before: readonly BatchFacts[];
  readonly added: readonly BatchFacts[];
  readonly next: LogInput;
};

async function gatherLog(
  { objects, dataset }: GatherDeps,
  ask: { readonly input: BuildSilverInput; readonly log: LogName; readonly known: LogInput | null },
): Promise<Gathered> {
  const { input, log, known } = ask;
  const pending = input.pending[log];
  const seenTo = known?.through ?? -1;
  const through = Math.max(seenTo, pending?.through ?? -1);
  const numbersBefore = fromRanges(known?.batches ?? []);
  const isFold = input.mode === 'fold';
  // The batches of a fold come in order. Those of a whole build may not: some may have been routed
  // long ago and be queued, so it looks at all that the pointer has not seen.
  const firstAdded =
    pending === undefined ? through + 1 : isFold ? Math.max(seenTo + 1, pending.first) : seenTo + 1;
  // Rows that were held because of wild event times may be in batches that a fold has gone past.
  const firstPassed = isFold || pending === undefined ? seenTo + 1 : pending.first;
  const { startMs } = windowOf(input.window);
  const batches = await readBatches(
    objects,
    { dataset: input.dataset, log },
    {
      first: isFold ? firstAdded : 0,
      through,
      window: input.window,
      ingestHourFrom: ingestHourBefore(startMs, dataset.placement.eventTimeAheadMsMax),
      numbersBehind: [
        ...(isFold ? [] : numbersBefore),
        ...numbersBetween(firstPassed, seenTo),
        ...numbersBetween(firstAdded, through),
      ],
    },
  );
  const numbers = [...(isFold ? numbersBefore : []), ...batches.map(({ number }) => number)];
  return {
    log,
    before: batches.filter(({ number }) => number <= seenTo),
    added: batches.filter(({ number }) => number > seenTo),
    next: { through, batches: toRanges(numbers) },
  };
}

/** The table `contract_values` that checks read: allowed values by column. */
export function contractValues(dataset: Dataset): TableInput {
  const text = (name: string) => ({ name, type: 'string' as const, comment: '' });
  const rows = Object.entries(dataset.allowedValues).flatMap(([field, values]) =>
    values.map((value): Row => ({ field, value })),
  );
  return { kind: 'rows', name: 'contract_values', columns: [text('field'), text('value')], rows };
}
