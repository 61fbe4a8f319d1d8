import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DuckDBInstance, type DuckDBConnection } from '@duckdb/node-api';
import { writeCheckpoint, type FoundCheckpoint } from '../../src/activities/checkpoints.ts';
import { jsonBytes } from '../../src/activities/json-objects.ts';
import { events } from '../../src/datasets/events.ts';
import { checkpointEntriesMax } from '../../src/lake/checkpoint.ts';
import type { PendingRange } from '../../src/lake/owner-state.ts';
import { bronzeKey, logName, sealKey } from '../../src/lake/paths.ts';
import type { Seal } from '../../src/lake/source-log.ts';
import { formatInstant, formatSqlTimestamp } from '../../src/lake/time.ts';
import type { Ports } from '../../src/ports.ts';
import { ensureSample, sampleRows } from './lake-sample.ts';

/*
 * Bronze as ingest leaves it: batch files, seals and checkpoints of three source logs, one of family
 * A and two of family B. Events are those of the producer as the product's own encoder writes them;
 * each is used many times, with an id, a time and a place of its own.
 */

export const benchLogs = [
  { topic: 'ecommerce-bench', partition: 0 },
  { topic: 'ecommerce-bench', partition: 1 },
  { topic: 'user-activity-bench', partition: 0 },
] as const;

/** One row in so many is a duplicate of another one, and one in so many is rejected by silver. */
const duplicateEvery = 100;
const rejectedEvery = 200;

export type Filled = {
  /** What a build is told to look at. */
  readonly pending: Readonly<Record<string, PendingRange>>;
};

export type LakeFiller = {
  /** Rows whose event times are spread evenly over the range, in batches dealt out to the logs. */
  readonly fill: (range: {
    readonly startMs: number;
    readonly endMs: number;
    readonly rows: number;
    readonly batches: number;
  }) => Promise<Filled>;
  /** A batch every ten seconds in each log, of which only checkpoints tell. */
  readonly history: (range: { readonly startMs: number; readonly endMs: number }) => Promise<void>;
  /** What the logs hold so far as checkpoints, the last entries excepted, as the writers leave it. */
  readonly checkpoint: () => Promise<void>;
  readonly close: () => Promise<void>;
};

type LogFill = { next: number; offset: number; seals: Seal[]; newest: FoundCheckpoint | null };

/** Making events is slow: the files of them in `sampleFolder` serve every process of a run. */
export async function openLakeFiller(
  ports: Pick<Ports, 'objects' | 'bronze'>,
  sampleFolder: string,
): Promise<LakeFiller> {
  const folder = await mkdtemp(join(tmpdir(), 'ingot-bench-fill-'));
  const database = await DuckDBInstance.create(':memory:', {
    threads: '2',
    temp_directory: join(folder, 'spill'),
  });
  const connection = await database.connect();
  for (const profile of ['ecommerce', 'user-activity'] as const) {
    const path = join(sampleFolder, `${profile}.parquet`);
    await ensureSample(ports, profile, path);
    const name = profile === 'ecommerce' ? 'sample_b' : 'sample_a';
    await connection.run(
      `CREATE TABLE ${name} AS SELECT *, row_number() OVER () - 1 AS n FROM read_parquet('${path}')`,
    );
  }
  const logs = new Map<string, LogFill>();
  let serial = 0;
  return {
    fill: async (range) => {
      const filled = await fillRange(ports, { connection, folder, logs, range, serial });
      serial += range.rows;
      return filled;
    },
    history: (range) => fillHistory(ports, logs, range),
    checkpoint: () => checkpointLogs(ports, logs, checkpointEntriesMax),
    close: async () => {
      connection.closeSync();
      database.closeSync();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

type FillContext = {
  readonly connection: DuckDBConnection;
  readonly folder: string;
  readonly logs: Map<string, LogFill>;
  readonly range: Parameters<LakeFiller['fill']>[0];
  readonly serial: number;
};

async function fillRange(
  { objects }: Pick<Ports, 'objects'>,
  context: FillContext,
): Promise<Filled> {
  const { range, logs } = context;
  const pending: Record<string, PendingRange> = {};
  const puts: Promise<unknown>[] = [];
  for (let batch = 0; batch < range.batches; batch += 1) {
    const { topic, partition } = benchLogs[batch % benchLogs.length]!;
    const log = logName(topic, partition);
    const known = logs.get(log) ?? { next: 0, offset: 0, seals: [], newest: null };
    logs.set(log, known);
    const { bytes, seal } = await writeOne(context, { batch, topic, partition, known });
    puts.push(objects.createObject(seal.bronzeKey, bytes));
    puts.push(objects.createObject(sealKey(events.name, log, seal.number), jsonBytes(seal)));
    if (puts.length >= putsAtOnce) await Promise.all(puts.splice(0));
    known.seals.push(seal);
    known.next += 1;
    known.offset += seal.rows;
    const before = pending[log];
    pending[log] = { first: before?.first ?? seal.number, through: seal.number };
  }
  await Promise.all(puts);
  return { pending };
}

const putsAtOnce = 32;

async function writeOne(
  { connection, folder, range, serial }: FillContext,
  to: {
    readonly batch: number;
    readonly topic: string;
    readonly partition: number;
    readonly known: LogFill;
  },
): Promise<{ readonly bytes: Uint8Array; readonly seal: Seal }> {
  const { batch, topic, partition, known } = to;
  const { rows, batches, startMs, endMs } = range;
  const first = Math.floor((batch * rows) / batches);
  const end = Math.floor(((batch + 1) * rows) / batches);
  const msAt = (row: number): number => startMs + Math.floor((row * (endMs - startMs)) / rows);
  const ingestTimeMs = msAt(end) + 1_000;
  const log = logName(topic, partition);
  const path = join(folder, 'batch.parquet');
  const time = (expression: string): string => `make_timestamp((${expression}) * 1000)`;
  const at = `${startMs} + CAST(floor(i * ${(endMs - startMs) / rows}) AS BIGINT)`;
  const replaced = {
    event_id: `concat_ws('-', substr(m, 1, 8), substr(m, 9, 4), substr(m, 13, 4), substr(m, 17, 4), substr(m, 21))`,
    event_ts: time(at),
    device: `CASE WHEN i % ${rejectedEvery} = 7 THEN 'toaster' ELSE device END`,
    _ingest_ts: `TIMESTAMP '${formatSqlTimestamp(ingestTimeMs)}'`,
    _kafka_ts: time(at),
    _topic: `'${topic}'`,
    _partition: `CAST(${partition} AS INTEGER)`,
    _offset: `CAST(i - ${first} + ${known.offset} AS BIGINT)`,
    _batch_id: `'${log}-${known.next}'`,
  };
  const columns = events.bronze.columns.map(({ name }) => {
    const expression = replaced[name as keyof typeof replaced];
    return expression === undefined ? name : `${expression} AS ${name}`;
  });
  const sample = topic.startsWith('user') ? 'sample_a' : 'sample_b';
  await connection.run(`COPY (
    SELECT ${columns.join(', ')}
    FROM (
      SELECT i, md5(CAST(${serial} + CASE WHEN i % ${duplicateEvery} = 99 THEN i - 37 ELSE i END AS VARCHAR)) AS m
      FROM range(${first}, ${end}) AS r(i)
    ) AS numbered
    JOIN ${sample} ON n = i % ${sampleRows}
    ORDER BY i
  ) TO '${path}' (FORMAT parquet, PARQUET_VERSION v2, ROW_GROUP_SIZE 20480, WRITE_BLOOM_FILTER false, COMPRESSION zstd, COMPRESSION_LEVEL 1)`);
  const bytes = await readFile(path);
  const rowsPerEventHour: Record<string, number> = {};
  for (let row = first; row < end; row += 1) {
    const hour = formatInstant(startMs + Math.floor(row * ((endMs - startMs) / rows))).slice(0, 13);
    rowsPerEventHour[hour] = (rowsPerEventHour[hour] ?? 0) + 1;
  }
  const seal = sealOf(known, {
    log,
    rows: end - first,
    bytes: bytes.byteLength,
    ingestTimeMs,
    rowsPerEventHour,
  });
  return { bytes, seal };
}

function sealOf(
  { next: number, offset }: LogFill,
  batch: Pick<Seal, 'log' | 'rows' | 'bytes' | 'rowsPerEventHour'> & {
    readonly ingestTimeMs: number;
  },
): Seal {
  const { log, rows, bytes, rowsPerEventHour, ingestTimeMs } = batch;
  const ingestTime = formatInstant(ingestTimeMs);
  return {
    schema: 1,
    log,
    number,
    writer: 'bench',
    time: ingestTime,
    planHash: '',
    previousSealHash: null,
    offsetFirst: String(offset),
    offsetEnd: String(offset + rows),
    records: rows,
    rows,
    deadLetters: 0,
    bytes,
    rawBytes: 0,
    ingestTime,
    rowsPerEventHour,
    eventTimeMin: ingestTime,
    eventTimeMax: ingestTime,
    lastRecord: null,
    lastRecordTime: ingestTime,
    bronzeKey: bronzeKey({ dataset: events.name, log, number, ingestTimeMs }),
    rawKey: null,
    deadLettersKey: null,
  };
}

const historyEveryMs = 10_000;
const historyRows = 1_000;

async function fillHistory(
  ports: Pick<Ports, 'objects'>,
  logs: ReadonlyMap<string, LogFill>,
  { startMs, endMs }: { readonly startMs: number; readonly endMs: number },
): Promise<void> {
  for (let ms = startMs; ms < endMs; ms += historyEveryMs) {
    const hour = formatInstant(ms).slice(0, 13);
    for (const [log, known] of logs) {
      const rowsPerEventHour = { [hour]: historyRows };
      const facts = { log, rows: historyRows, bytes: 0, ingestTimeMs: ms, rowsPerEventHour };
      known.seals.push(sealOf(known, facts));
      known.next += 1;
      known.offset += historyRows;
    }
    const isHourOver = (ms + historyEveryMs) % 3_600_000 === 0;
    if (isHourOver) await checkpointLogs(ports, logs, 1);
  }
}

async function checkpointLogs(
  { objects }: Pick<Ports, 'objects'>,
  logs: ReadonlyMap<string, LogFill>,
  entriesMin: number,
): Promise<void> {
  for (const [log, known] of logs) {
    while (known.seals.length >= entriesMin) {
      const seals = known.seals.splice(0, checkpointEntriesMax);
      known.newest = await writeCheckpoint(
        objects,
        { dataset: events.name, log },
        { previous: known.newest, through: seals.at(-1)!.number, completeTo: null, seals },
      );
    }
  }
}
