import { type Backfill, activeBackfill } from './backfill.ts';
import type { WindowFacts } from './explain-facts.ts';
import type { OwnerState } from './owner-state.ts';
import { windowOf } from './window.ts';

/* The backfills that the owner remembers, as far as they are about a window. */

/** For each that covers the window in its layer: who asked for it, why, and what has become of it. */
export function backfillsInWords(facts: WindowFacts, state: OwnerState): readonly string[] {
  return state.backfills
    .filter((each) => covers(each, facts))
    .map((each) => {
      const { id, author, reason, from, to } = each;
      const why = reason.trim() === '' ? '' : ` ("${reason}")`;
      return `Backfill ${id} of ${from} to ${to}, asked for by ${author}${why}, covers it: it ${stateOf(each, state)}.`;
    });
}

function covers(backfill: Backfill, { layer, window }: WindowFacts): boolean {
  if (!backfill.layers.includes(layer)) return false;
  const { startMs, endMs } = windowOf(window);
  return startMs < windowOf(backfill.to).endMs && endMs > windowOf(backfill.from).startMs;
}

function stateOf(backfill: Backfill, { backfills }: OwnerState): string {
  const { ended, paused, startedAt } = backfill;
  if (ended !== null)
    return `${ended.kind === 'done' ? 'was done' : 'was cancelled'} at ${ended.at}`;
  if (paused) return 'is paused';
  const active = activeBackfill(backfills);
  if (active !== null && active.id !== backfill.id) return `waits for backfill ${active.id}`;
  return startedAt === null ? 'is about to begin' : `has been worked on since ${startedAt}`;
}
