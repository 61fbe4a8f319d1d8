import { catalogTable } from '../../src/activities/catalog-tables.ts';
import { jsonBytes } from '../../src/activities/json-objects.ts';
import { readPointer } from '../../src/activities/pointers.ts';
import type { Config } from '../../src/config.ts';
import { events } from '../../src/datasets/events.ts';
import { pointerKey, stagedKey, versionFolder } from '../../src/lake/paths.ts';
import type { Pointer } from '../../src/lake/pointer.ts';
import { wantedPartitions } from '../../src/lake/registration.ts';
import type { WindowedTable } from '../../src/lake/table.ts';
import { dayMs, formatInstant, hourMs } from '../../src/lake/time.ts';
import { windowDateAndHour, windowOf } from '../../src/lake/window.ts';
import type { CatalogPartition, Ports } from '../../src/ports.ts';
import type { Builder } from './lake-builds.ts';
import type { LakeFiller } from './lake-fill.ts';

/*
 * Days of history before an hour: checkpoints of a batch every ten seconds in each source log, and
 * for every hour and day the pointers, small files and table partitions of silver and gold. One hour
 * is built by the product; the others are copies of it under keys of their own.
 */

const templateRows = 2_000;
const copiesAtOnce = 32;

export async function writeHistory(options: {
  readonly config: Config;
  readonly ports: Ports;
  readonly filler: LakeFiller;
  readonly builder: Builder;
  /** History ends before the day of this time. */
  readonly beforeMs: number;
  readonly days: number;
}): Promise<void> {
  const { config, ports, filler, builder, beforeMs, days } = options;
  const endMs = beforeMs - (beforeMs % dayMs);
  const startMs = endMs - days * dayMs;
  const { pending } = await filler.fill({
    startMs,
    endMs: startMs + hourMs,
    rows: templateRows,
    batches: 3,
  });
  const first = formatInstant(startMs).slice(0, 13);
  await builder.silver([first], 'fold', pending);
  await builder.gold([first]);
  await filler.history({ startMs, endMs });
  for (const table of [events.silver, ...events.gold]) {
    const step = table.grain === 'hour' ? hourMs : dayMs;
    const length = table.grain === 'hour' ? 13 : 10;
    const template = (await readPointer(ports.objects, table, first.slice(0, length)))!.value;
    const windows: string[] = [];
    for (let ms = startMs + step; ms < endMs; ms += step) {
      windows.push(formatInstant(ms).slice(0, length));
    }
    const partitions: CatalogPartition[] = [];
    for (let at = 0; at < windows.length; at += copiesAtOnce) {
      const some = windows.slice(at, at + copiesAtOnce);
      const copied = await Promise.all(
        some.map((window) => copyWindow(ports, { table, template, window })),
      );
      partitions.push(
        ...copied.flatMap((pointer) =>
          wantedPartitions(table, pointer).map(({ values, folder, rows }) => ({
            values,
            rows,
            location: `s3://${config.lakeBucket}/${folder}`,
          })),
        ),
      );
    }
    const target = catalogTable({ id: config.INGOT_ID, bucket: config.lakeBucket }, table);
    await ports.catalog.putPartitions(target, partitions, 'new');
  }
}

async function copyWindow(
  { objects }: Ports,
  from: {
    readonly table: WindowedTable;
    readonly template: Pointer;
    readonly window: string;
  },
): Promise<Pointer> {
  const { table, template, window } = from;
  const { date, hour } = windowDateAndHour(windowOf(window));
  const files = await Promise.all(
    template.files.map(async (file) => {
      const partition = Object.fromEntries(
        Object.entries(file.partition).map(([name, value]) => {
          if (name === 'hour') return [name, hour ?? value];
          return [name, name.endsWith('_date') ? date : value];
        }),
      );
      const folder = versionFolder(table, partition, template.version);
      const key = `${folder}${template.version}.parquet`;
      await objects.copyObject(file.key, key);
      return { ...file, key, partition };
    }),
  );
  const pointer: Pointer = { ...template, window, files };
  const bytes = jsonBytes(pointer);
  await objects.replaceObject(stagedKey(table, window, pointer.version), bytes);
  await objects.replaceObject(pointerKey(table, window), bytes);
  return pointer;
}
