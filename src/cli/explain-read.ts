import { readPointer, readPointers } from '../activities/pointers.ts';
import { events } from '../datasets/events.ts';
import { messageOf } from '../errors.ts';
import type { GateRef } from '../lake/cause.ts';
import type { OwnerAnswer, WindowFacts } from '../lake/explain-facts.ts';
import type { OwnerSettings } from '../lake/owner-decisions.ts';
import type { OwnerState } from '../lake/owner-state.ts';
import { overlapping, windowOf } from '../lake/window.ts';
import type { ObjectStore } from '../ports.ts';

/* The facts that an explanation is made from: the owner's answer, and what the lake holds. */

export type ExplainSources = {
  readonly objects: ObjectStore;
  /** May fail: then the lake alone answers. */
  readonly status: () => Promise<OwnerState>;
  readonly settings: OwnerSettings;
  readonly now: () => number;
};

export async function readWindowFacts(
  { objects, status, settings, now }: ExplainSources,
  { layer, table, window }: GateRef,
): Promise<WindowFacts> {
  // The owner is asked first: a version that it has heard of is in the lake by then.
  const owner = await answerOf(status);
  const name = table ?? events.silver.name;
  const pointer = (await readPointer(objects, { layer, name }, window))?.value ?? null;
  const hours = layer === 'gold' ? overlapping(windowOf(window), 'hour').map(({ id }) => id) : [];
  const silver = await readPointers(objects, events.silver, hours);
  const silverNow = Object.fromEntries(silver.map((each) => [each.window, each.version]));
  return { layer, table: name, window, nowMs: now(), settings, owner, pointer, silverNow };
}

/** Whatever keeps the owner from answering, the lake can still be asked. */
async function answerOf(status: () => Promise<OwnerState>): Promise<OwnerAnswer> {
  try {
    return { kind: 'answered', state: await status() };
  } catch (error) {
    return { kind: 'silent', reason: messageOf(error).split('\n')[0] ?? '' };
  }
}
