import { createS3Client, ensureBucket } from '../../src/adapters/aws-clients.ts';
import { loadConfig } from '../../src/config.ts';
import { events } from '../../src/datasets/events.ts';
import { dayMs, formatInstant, hourMs } from '../../src/lake/time.ts';
import { createPorts, transformEngine } from '../../src/workers/wiring.ts';
import { type BuildTime, createBuilder } from './lake-builds.ts';
import { openLakeFiller } from './lake-fill.ts';
import { writeHistory } from './lake-history.ts';
import { report, silentLogger } from './measure.ts';
import type { TransformMeasured } from './transform-measured.ts';

/*
 * A process that runs the activities of one kind of build over a lake that another process of this
 * file has filled: `fill` and then `measure`, so that the memory told is that of the activities.
 */

type Spec = {
  readonly act: 'fill' | 'measure';
  readonly kind: 'rebuild' | 'fold' | 'fullFold' | 'manyBatches';
  readonly rows: number;
  readonly fullRows: number;
  readonly repeat: number;
  readonly historyDays: number;
  readonly sampleFolder: string;
  readonly fromFill: string;
};

const foldRows = 60_000;
/** Three source logs that flush every two seconds for a minute. */
const foldBatches = 90;
const manyBatches = 5_400;
/** The hour is filled by folds of so many rows. */
const fillRows = 250_000;

const spec = JSON.parse(process.argv[2]!) as Spec;
const { kind, rows, repeat } = spec;
const config = loadConfig(process.env);
const client = createS3Client(config);
await ensureBucket(client, config.lakeBucket, config.AWS_REGION);
client.destroy();
const engine = transformEngine(config);
const ports = await createPorts(config, events, silentLogger, engine);
const builder = createBuilder(config, ports);
/** A whole hour in the middle of a day that is over. */
const day = Math.floor(Date.now() / dayMs) * dayMs - 2 * dayMs;
const at = (hour: number): string => formatInstant(day + hour * hourMs).slice(0, 13);
const firstHour = 8;
const hours = [at(firstHour), at(firstHour + 1), at(firstHour + 2)];

if (spec.act === 'fill') await fill();
else await measure();

type Fills = readonly Awaited<ReturnType<Awaited<ReturnType<typeof openLakeFiller>>['fill']>>[];

async function fill(): Promise<void> {
  const filler = await openLakeFiller(ports, spec.sampleFolder);
  const { historyDays: days } = spec;
  const startMs = day + firstHour * hourMs;
  if (days > 0) await writeHistory({ config, ports, filler, builder, beforeMs: day, days });
  const fills: Fills[number][] = [];
  const hour = (index: number) => ({
    startMs: startMs + index * hourMs,
    endMs: startMs + (index + 1) * hourMs,
  });
  if (kind === 'rebuild') {
    const batches = Math.max(3, Math.round(rows / 60_000));
    fills.push(await filler.fill({ startMs, endMs: startMs + 3 * hourMs, rows, batches }));
  } else if (kind === 'manyBatches') {
    fills.push(await filler.fill({ ...hour(0), rows, batches: manyBatches }));
  } else {
    for (let done = 0; kind === 'fullFold' && done < spec.fullRows; done += fillRows) {
      const { pending } = await filler.fill({ ...hour(0), rows: fillRows, batches: 3 });
      await builder.silver([at(firstHour)], 'fold', pending);
    }
    for (let round = 0; round <= repeat; round += 1) {
      const place = hour(kind === 'fold' ? round : 0);
      fills.push(await filler.fill({ ...place, rows: foldRows, batches: foldBatches }));
    }
  }
  await filler.checkpoint();
  await filler.close();
  reportOf({ fills, silver: [], gold: [] });
}

async function measure(): Promise<void> {
  const fills = JSON.parse(spec.fromFill) as Fills;
  const silver: BuildTime[] = [];
  const gold: BuildTime[] = [];
  // The first round is for the engine and the connections to warm up: a worker lives long. An hour of
  // so many batches takes long to fetch, and is built once.
  const warmUps = kind === 'manyBatches' ? 0 : 1;
  const rounds = kind === 'manyBatches' ? 1 : warmUps + repeat;
  for (let round = 0; round < rounds; round += 1) {
    if (kind === 'rebuild' || kind === 'manyBatches') {
      const [{ pending }] = fills as [Fills[number]];
      const windows = kind === 'rebuild' ? hours : hours.slice(0, 1);
      const bronze = await ports.objects.listObjects('bronze/');
      await builder.forget(bronze.map(({ key }) => key));
      silver.push(await builder.silver(windows, 'rebuild', pending));
      if (kind === 'rebuild') gold.push(await builder.gold(hours));
      await forgetShared();
      for (const window of windows) await builder.unbuild(events.silver, window);
      for (const table of kind === 'rebuild' ? events.gold : []) {
        const windowsOf = table.grain === 'hour' ? hours : [hours[0]!.slice(0, 10)];
        for (const window of windowsOf) await builder.unbuild(table, window);
      }
    } else {
      const window = at(firstHour + (kind === 'fold' ? round : 0));
      silver.push(await builder.silver([window], 'fold', fills[round]!.pending));
    }
  }
  reportOf({ fills: [], silver: silver.slice(warmUps), gold: gold.slice(warmUps) });
}

/** What sessions have left for the next ones is of versions that a later round makes again. */
async function forgetShared(): Promise<void> {
  const opened = Array.from({ length: engine.sessionsKept }, () => ports.engine.open([]));
  for (const session of await Promise.all(opened)) await session.close();
}

function reportOf(told: Pick<TransformMeasured, 'fills' | 'silver' | 'gold'>): void {
  const { user, system } = process.cpuUsage();
  report({
    records: rows,
    seconds: process.uptime(),
    cpuSeconds: (user + system) / 1e6,
    peakRssMiB: process.resourceUsage().maxRSS / 1_024,
    ...told,
  });
}
process.exit(0);
