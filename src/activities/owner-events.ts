import type { Dataset } from '../lake/dataset.ts';
import type { LedgerNote } from '../lake/ledger.ts';
import type { KeepEventsInput } from '../lake/messages.ts';
import { type OwnerEvent, alertOf } from '../lake/owner-events.ts';
import { queueKey } from '../lake/owner-paths.ts';
import type { LedgerHead } from '../lake/owner-parts.ts';
import { checkResultsKey } from '../lake/paths.ts';
import { wildTimesId } from '../lake/wild-times.ts';
import type { Ports, Row } from '../ports.ts';
import { appendToLedger } from './ledger.ts';
import { checkResultColumns } from './quality.ts';

/* What has happened to the owner of the windows: kept in the lake, and told to whoever must know. */

export type OwnerEventDeps = {
  readonly ports: Pick<Ports, 'objects' | 'rowFiles' | 'alerts'>;
  readonly dataset: Dataset;
};

export type OwnerEventActivities = {
  /** Kept twice is kept once; an alert may be sent twice. Answers where the ledger goes on. */
  keepEvents(input: KeepEventsInput): Promise<LedgerHead>;
};

export function createOwnerEventActivities(deps: OwnerEventDeps): OwnerEventActivities {
  return {
    async keepEvents({ dataset, note }) {
      const { events } = note;
      const head = await appendToLedger(deps.ports.objects, note);
      await forgetTaken(deps.ports.objects, note);
      for (const event of events) {
        // What is decided about wild event times is about no window that has a verdict.
        if (event.kind !== 'gateResolved' || event.gate.window === wildTimesId) continue;
        await keepDecision(deps, event);
      }
      for (const event of events) {
        const alert = alertOf(dataset, event);
        if (alert !== null) await deps.ports.alerts.send(alert);
      }
      return head;
    },
  };
}

/** More are left where they are: they cost their bytes, and nobody looks for them. */
const takenMax = 50;

/** Queued windows that the ledger knows to be in the state again are queued no more. */
async function forgetTaken(
  objects: Ports['objects'],
  { dataset, state }: LedgerNote,
): Promise<void> {
  const { first } = state.rest.queue;
  const taken = Array.from({ length: Math.min(first, takenMax) }, (_, back) => first - 1 - back);
  if (taken.length > 0) await objects.deleteObjects(taken.map((each) => queueKey(dataset, each)));
}

/** A decision about a gate is a row of `dq_results` for each check that it was about. */
async function keepDecision(
  { ports, dataset }: OwnerEventDeps,
  event: OwnerEvent & { kind: 'gateResolved' },
): Promise<void> {
  const { gate, decision, author, reason, checks, at } = event;
  const table = { layer: gate.layer, name: gate.table ?? dataset.silver.name };
  // A window that met a fault has no failed check; the decision is kept all the same.
  const about = checks.length === 0 ? ['gate_decision'] : checks;
  const rows = about.map((check): Row => ({
    run_id: `${table.layer}/${table.name}/${gate.window}/${decision}`,
    layer: table.layer,
    table_name: table.name,
    window_id: gate.window,
    version: null,
    check_id: check,
    severity: 'gate',
    scored: null,
    passed: false,
    observed: null,
    threshold: 0,
    score: null,
    sample: null,
    checked_at: at,
    decision,
    decided_by: author,
    decision_reason: reason,
  }));
  const bytes = await ports.rowFiles.encode({ columns: checkResultColumns, rows, metadata: {} });
  // Beside the results of the versions; the time names it, so that told twice is kept once.
  const name = `decision-${at.replaceAll(/[-:.]/g, '')}`;
  await ports.objects.replaceObject(checkResultsKey(table, gate.window, name), bytes);
}
