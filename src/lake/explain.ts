import { backfillsInWords } from './explain-backfill.ts';
import type { Condition, Reasoned, WindowFacts } from './explain-facts.ts';
import { goldExplained } from './explain-gold.ts';
import { silverExplained } from './explain-silver.ts';
import { madeFrom, versionExplained } from './explain-version.ts';

/*
 * Why a window is as it is, in words. The owner of the windows says what is to become of it, the
 * pointer what it is now. Pure: the same facts are explained by the same sentences.
 */

export type Explanation = {
  readonly condition: Condition;
  /** One sentence that answers in short. */
  readonly headline: string;
  /** What is to become of the window, and what it waits for. */
  readonly now: readonly string[];
  /** Why there is the version that readers see, and who asked for it. */
  readonly version: readonly string[];
  /** Silver: batches of each source log. Gold: versions of silver. */
  readonly madeFrom: readonly string[];
};

const headlines: Readonly<Record<Condition, string>> = {
  building: 'is being built',
  parked: 'is parked: it waits for a person',
  abandoned: 'stays at its last good version: its new rows were given up',
  asked: 'is going to be rebuilt: somebody has asked for it',
  late: 'is going to be rebuilt: rows came late',
  heldBack: 'is held back until its hour is over',
  waiting: 'waits for its next build',
  stale: 'is older than its silver',
  open: 'is open: more rows may come',
  queued: 'may be queued in the lake',
  current: 'is up to date',
  published: 'has been published',
  neverBuilt: 'was never published',
};

export function explain(facts: WindowFacts): Explanation {
  const { condition, now } = reasoned(facts);
  return {
    condition,
    headline: `${facts.table} ${facts.window} ${headlines[condition]}.`,
    now,
    version: versionExplained(facts.pointer),
    madeFrom: madeFrom(facts.pointer, facts.silverNow),
  };
}

function reasoned(facts: WindowFacts): Reasoned {
  const { owner } = facts;
  if (owner.kind === 'silent') return explainedByPointer(facts, owner.reason);
  const { condition, now } =
    facts.layer === 'silver'
      ? silverExplained(facts, owner.state)
      : goldExplained(facts, owner.state);
  return { condition, now: [...now, ...backfillsInWords(facts, owner.state)] };
}

function explainedByPointer({ pointer, silverNow }: WindowFacts, reason: string): Reasoned {
  const isStale =
    pointer !== null && Object.entries(silverNow).some(([id, now]) => pointer.silver[id] !== now);
  const condition = pointer === null ? 'neverBuilt' : isStale ? 'stale' : 'published';
  const silence =
    `The owner of the windows could not be asked (${reason}): what waits, what is parked and what ` +
    `is built is not known. What follows is what the lake says.`;
  return { condition, now: [silence] };
}
