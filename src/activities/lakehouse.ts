import type { BatchFacts } from '../lake/checkpoint.ts';
import { bookmarkKey } from '../lake/paths.ts';
import type {
  DescribeInput,
  LakehouseDescription,
  RouteInput,
  RouteResult,
} from '../lake/messages.ts';
import { isExpired } from '../lake/retention.ts';
import type { Routed } from '../lake/owner-state.ts';
import type { Ports } from '../ports.ts';
import { readBatches } from './checkpoints.ts';
import { jsonBytes } from './json-objects.ts';
import { ledgerHead } from './ledger.ts';
import { readRetention } from './retention.ts';

/* What the owner of the windows asks of the lake. */

export type LakehouseDeps = {
  readonly ports: Pick<Ports, 'objects'>;
  readonly description: LakehouseDescription;
};

export type LakehouseActivities = {
  /** Settings and tables: workflow code reads neither the environment nor a dataset. */
  describeLakehouse(input: DescribeInput): Promise<LakehouseDescription>;
  /** Which windows the batches of these ranges touch. */
  routeBatches(input: RouteInput): Promise<RouteResult>;
};

export function createLakehouseActivities({
  ports,
  description,
}: LakehouseDeps): LakehouseActivities {
  return {
    async describeLakehouse({ dataset, isNew }) {
      const found = isNew ? await ledgerHead(ports.objects, dataset) : null;
      if (found === null) return description;
      const { newest, ...head } = found;
      return { ...description, restored: { state: newest.state, head, at: newest.at } };
    },

    async routeBatches({ dataset, ranges, settledTo, withheld }) {
      // A hint for readers: where their live tail begins. A stale one costs them time, not rows.
      const hint = jsonBytes({ schema: 1, settledTo, withheld });
      await ports.objects.replaceObject(bookmarkKey(dataset), hint);
      const found = await Promise.all(
        ranges.map(({ log, ...range }) =>
          readBatches(
            ports.objects,
            { dataset, log },
            { ...range, window: null, ingestHourFrom: null },
          ),
        ),
      );
      const all = found.flat();
      const { retention } = await readRetention(ports.objects, dataset);
      const hours = all.map(({ ingestHour }) => ingestHour);
      return {
        through: Object.fromEntries(ranges.map(({ log, through }) => [log, through])),
        // What was given up stays so: rows that come for it are in bronze, and nowhere else.
        windows: touchedWindows(all).filter(
          ({ window }) => !isExpired(retention, 'silver', window),
        ),
        batches: all.length,
        ingestHours: [...new Set(hours)].sort(),
      };
    },
  };
}

/** One entry for each window and log, from the rows per event hour of the batches. */
function touchedWindows(batches: readonly BatchFacts[]): Routed['windows'] {
  const touches = new Map<string, Routed['windows'][number]>();
  for (const { log, number, rowsPerEventHour } of batches) {
    for (const [window, rows] of Object.entries(rowsPerEventHour)) {
      const key = `${window} ${log}`;
      const known = touches.get(key);
      touches.set(key, {
        window,
        log,
        first: Math.min(known?.first ?? number, number),
        last: Math.max(known?.last ?? number, number),
        rows: (known?.rows ?? 0) + rows,
      });
    }
  }
  return [...touches.values()];
}
