import type { GateRef } from './cause.ts';
import type { LogName } from './paths.ts';
import { wildTimesId } from './wild-times.ts';
import type { WindowId } from './window.ts';

/*
 * What happens to the owner and must be known outside: some of it goes to
 * `dq_results`, and some of it to whoever has to be woken. Events wait in the state until the
 * workflow has had them kept.
 */

export type GateDecision = 'retry' | 'waive' | 'abandon';

export type OwnerEvent = { readonly at: string } & (
  | {
      readonly kind: 'gateParked';
      readonly gate: GateRef;
      readonly reason: string;
      readonly checks: readonly string[];
    }
  | {
      readonly kind: 'gateResolved';
      readonly gate: GateRef;
      readonly decision: GateDecision;
      readonly author: string;
      readonly reason: string;
      /** The checks that had failed. */
      readonly checks: readonly string[];
      /** Rows of wild event times that it was about, in words. */
      readonly held?: string;
    }
  | { readonly kind: 'goldIncomplete'; readonly hour: WindowId }
  /** The owner was begun anew, from an entry of the ledger. */
  | { readonly kind: 'restored'; readonly entry: number; readonly keptAt: string }
  | {
      readonly kind: 'rewound';
      readonly moved: Readonly<Record<LogName, { readonly from: number; readonly to: number }>>;
      readonly author: string;
      readonly reason: string;
    }
  | {
      readonly kind: 'logRetired';
      readonly log: LogName;
      readonly author: string;
      readonly reason: string;
    }
  /** Paused by itself, or at its end. */
  | {
      readonly kind: 'backfillPaused' | 'backfillEnded';
      readonly id: string;
      readonly text: string;
    }
  | {
      readonly kind: 'paused' | 'resumed';
      readonly author: string;
      readonly reason: string;
    }
);

export type Alert = {
  readonly kind: 'gateParked' | 'goldIncomplete' | 'backfillPaused' | 'backfillEnded';
  readonly dataset: string;
  readonly at: string;
  /** One sentence for a person. */
  readonly text: string;
};

/** What somebody has to be told; null for an event that only has to be kept. */
export function alertOf(dataset: string, event: OwnerEvent): Alert | null {
  const { at } = event;
  switch (event.kind) {
    case 'gateParked': {
      const { gate, reason } = event;
      const text =
        gate.window === wildTimesId
          ? `rows of wild event times wait for a decision, all else goes on: ${reason}`
          : `${nameOf(gate)} is parked, readers keep the version before: ${reason}`;
      return { kind: 'gateParked', dataset, at, text };
    }
    case 'goldIncomplete': {
      const text = `gold goes on without all of ${event.hour}, which did not close in time`;
      return { kind: 'goldIncomplete', dataset, at, text };
    }
    case 'backfillPaused':
    case 'backfillEnded':
      return { kind: event.kind, dataset, at, text: `backfill ${event.id} ${event.text}` };
    default:
      return null;
  }
}

export function nameOf({ layer, table, window }: GateRef): string {
  return `${table ?? layer} ${window}`;
}
