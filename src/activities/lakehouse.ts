import type { BatchFacts } from '../lake/checkpoint.ts';
import { bookmarkKey } from '../lake/paths.ts';
import type {
  DescribeInput,
  LakehouseDescription,
  RouteInput,
  RouteResult,
  RouteWildInput,
} from '../lake/messages.ts';
import { type Retention, isExpired } from '../lake/retention.ts';
import { type WildPortion, routeOf, wildPortionOf } from '../lake/route.ts';
import type { Ports } from '../ports.ts';
import { readBatches } from './checkpoints.ts';
import { jsonBytes } from './json-objects.ts';
import { ledgerHead } from './ledger.ts';
import { readRetention } from './retention.ts';

/* What the owner of the windows asks of the lake. */

export type LakehouseDeps = {
  readonly ports: Pick<Ports, 'objects'>;
  readonly description: LakehouseDescription;
  /** Windows that one batch may touch before the rest of them waits for a person. */
  readonly batchWindowsMax: number;
};

export type LakehouseActivities = {
  /** Settings and tables: workflow code reads neither the environment nor a dataset. */
  describeLakehouse(input: DescribeInput): Promise<LakehouseDescription>;
  /** Which windows the batches of these ranges touch, as far as one answer has room for. */
  routeBatches(input: RouteInput): Promise<RouteResult>;
  /** The next few windows of rows that were held because of wild event times. */
  routeWild(input: RouteWildInput): Promise<WildPortion>;
};

export function createLakehouseActivities(deps: LakehouseDeps): LakehouseActivities {
  const { objects } = deps.ports;
  return {
    async describeLakehouse({ dataset, isNew }) {
      const found = isNew ? await ledgerHead(objects, dataset) : null;
      if (found === null) return deps.description;
      const { newest, ...head } = found;
      return { ...deps.description, restored: { state: newest.state, head, at: newest.at } };
    },

    async routeBatches({ dataset, ranges, settledTo, withheld }) {
      // A hint for readers: where their live tail begins. A stale one costs them time, not rows.
      const { batchWindowsMax } = deps;
      const hint = jsonBytes({ schema: 1, settledTo, withheld, batchWindowsMax });
      await objects.replaceObject(bookmarkKey(dataset), hint);
      const batches = await batchesOf(deps, dataset, ranges);
      const { routed, taken } = routeOf(batches, ranges, batchWindowsMax);
      const hours = taken.map(({ ingestHour }) => ingestHour);
      return { ...routed, ingestHours: [...new Set(hours)].sort() };
    },

    async routeWild({ dataset, log, first, through, after, heldFrom, decision }) {
      const batches = await batchesOf(deps, dataset, [{ log, first, through }]);
      const windowsMax = decision === 'waive' ? Infinity : deps.batchWindowsMax;
      return wildPortionOf(batches, { heldFrom, windowsMax, after });
    },
  };
}

async function batchesOf(
  { ports: { objects } }: LakehouseDeps,
  dataset: string,
  ranges: RouteInput['ranges'],
): Promise<readonly BatchFacts[]> {
  const found = await Promise.all(
    ranges.map(({ log, ...range }) =>
      readBatches(objects, { dataset, log }, { ...range, window: null, ingestHourFrom: null }),
    ),
  );
  const { retention } = await readRetention(objects, dataset);
  return found.flat().map((batch) => withoutExpired(batch, retention));
}

/** What was given up stays so: rows that come for it are in bronze, and nowhere else. */
function withoutExpired(batch: BatchFacts, retention: Retention): BatchFacts {
  const left = Object.entries(batch.rowsPerEventHour).filter(
    ([window]) => !isExpired(retention, 'silver', window),
  );
  return { ...batch, rowsPerEventHour: Object.fromEntries(left) };
}
