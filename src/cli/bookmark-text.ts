import type { LedgerEntry } from '../lake/ledger.ts';
import { type OwnerEvent, nameOf } from '../lake/owner-events.ts';

/* What an entry of the ledger says, in words. */

export function movesOf({ moved }: Pick<LedgerEntry, 'moved'>): string {
  return Object.entries(moved)
    .map(([log, { from, to }]) => `${log} ${from}→${to}`)
    .join(', ');
}

/** Why there is an entry: what happened, or else that batches were routed. */
export function causeOf({ events, moved }: Pick<LedgerEntry, 'events' | 'moved'>): string {
  const routed = Object.keys(moved).length > 0 ? ['batches were routed'] : [];
  return [...events.map(sentenceOf), ...routed].join('; ');
}

function sentenceOf(event: OwnerEvent): string {
  switch (event.kind) {
    case 'gateParked':
      return `${nameOf(event.gate)} parked: ${event.reason}`;
    case 'gateResolved':
      return `${nameOf(event.gate)}: ${event.decision} by ${event.author}: ${event.reason}`;
    case 'goldIncomplete':
      return `gold went on without all of ${event.hour}`;
    case 'restored':
      return `restored from entry ${event.entry}`;
    case 'rewound':
      return `rewound ${movesOf(event)} by ${event.author}: ${event.reason}`;
    case 'logRetired':
      return `${event.log} retired by ${event.author}: ${event.reason}`;
    case 'backfillPaused':
    case 'backfillEnded':
      return `backfill ${event.id} ${event.text}`;
    default:
      return `${event.kind} by ${event.author}: ${event.reason}`;
  }
}
