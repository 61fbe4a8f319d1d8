import { createParquetjsBronzeEncoder } from '../../../src/adapters/parquetjs-bronze-encoder.ts';
import { events } from '../../../src/datasets/events.ts';
import {
  type LogName,
  batchName,
  bronzeKey,
  parseLogName,
  sealKey,
} from '../../../src/lake/paths.ts';
import type { Seal } from '../../../src/lake/source-log.ts';
import type { ObjectStore, Row } from '../../../src/ports.ts';
import type { Random } from '../../../src/producer/random.ts';

/* Batches as ingest leaves them, made quickly: their bronze files and their seals. */

export type ChaosEvent = {
  readonly id: string;
  readonly type: string;
  /** Hour of the event, such as `2026-08-21T13`. */
  readonly hour: string;
  readonly second: number;
  readonly user: string;
  readonly session: string;
  readonly device: string;
  /** In cents; null where nothing has a price. */
  readonly cents: number | null;
  /** Breaks the contract, so that silver has to reject it. */
  readonly isBroken: boolean;
};

export type ChaosBatch = {
  readonly log: LogName;
  readonly number: number;
  /** Of all its rows: of equal ids the one that was ingested first wins. */
  readonly ingestTime: string;
  readonly events: readonly ChaosEvent[];
};

/** The hour that the cases build, and the one after it: over for long, and new enough to be folded. */
export const firstHour = hourBefore(2);
export const nextHour = hourBefore(1);
export const mainLog = 'clicks-0';
/** Brings what was ingested before everything else and becomes known last. */
export const earlyLog = 'clicks-1';
/** The only event of its type in the first hour, until an earlier one of another type is found. */
export const movedId = 'moved';

const types = ['page_view', 'add_to_cart', 'purchase'] as const;
const rowsOfBatch = { first: 24, next: 6 } as const;
const duplicateShare = 0.1;
const brokenShare = 0.05;

function hourBefore(hours: number): string {
  return new Date(Date.now() - hours * 3_600_000).toISOString().slice(0, 13);
}

export type BatchMaker = {
  /** The next batch of the main log, which may repeat events of those before. */
  readonly next: (hours: readonly string[], more?: { readonly searches?: boolean }) => ChaosBatch;
  /** What makes the event that moves another type, as soon as a whole build looks at both. */
  readonly early: () => ChaosBatch;
};

export function createBatchMaker(random: Random): BatchMaker {
  const sent: ChaosEvent[] = [];
  let number = -1;
  const fresh = (hour: string, index: number): ChaosEvent => {
    const type = random.pick(types);
    return {
      id: `event-${number}-${hour.slice(-2)}-${index}`,
      type,
      hour,
      second: random.below(3_600),
      user: `user-${random.below(20)}`,
      session: `session-${random.below(40)}`,
      device: random.pick(['desktop', 'mobile', 'tablet']),
      cents: type === 'page_view' ? null : 1 + random.below(10_000),
      // One at least in each batch, so that each version has a quarantine.
      isBroken: index === 0 || random.chance(brokenShare),
    };
  };
  const one = (hour: string, index: number): ChaosEvent => {
    const before = sent.filter((event) => event.hour === hour && event.id !== movedId);
    const again = before[random.below(before.length)];
    const isRepeated = index > 0 && again !== undefined && random.chance(duplicateShare);
    return isRepeated ? again : fresh(hour, index);
  };
  return {
    next: (hours, { searches = false } = {}) => {
      number += 1;
      const list = hours.flatMap((hour) =>
        Array.from(
          { length: hour === firstHour ? rowsOfBatch.first : rowsOfBatch.next },
          (_, index) => one(hour, index),
        ),
      );
      if (number === 0) list.push(moved('search'));
      if (searches) list.push({ ...moved('search'), id: `search-${number}` });
      sent.push(...list);
      return { log: mainLog, number, ingestTime: ingestTimeOf(number), events: list };
    },
    early: () => ({
      log: earlyLog,
      number: 0,
      ingestTime: `${firstHour}:05:00.000Z`,
      events: [moved('purchase')],
    }),
  };
}

function moved(type: 'search' | 'purchase'): ChaosEvent {
  const cents = type === 'purchase' ? 100 : null;
  const who = { user: 'user-0', session: 'session-0', device: 'desktop' };
  return { id: movedId, type, hour: firstHour, second: 60, ...who, cents, isBroken: false };
}

function ingestTimeOf(number: number): string {
  return new Date(Date.parse(`${firstHour}:10:00.000Z`) + number * 1_000).toISOString();
}

/** Puts a batch where ingest would: first the file, then the seal. */
export async function putBatch(objects: ObjectStore, batch: ChaosBatch): Promise<void> {
  const { log, number, ingestTime } = batch;
  const ingestTimeMs = Date.parse(ingestTime);
  const rows = batch.events.map((event, index) => rowOf(batch, event, index));
  const key = bronzeKey({ dataset: events.name, log, number, ingestTimeMs });
  const { columns } = events.bronze;
  const { bytes, facts } = await encoder.encode({ columns, rows, metadata: {} });
  const offset = number * offsetsOfBatch;
  const seal: Seal = {
    schema: 1,
    log,
    number,
    writer: 'chaos',
    time: ingestTime,
    planHash: '',
    previousSealHash: null,
    offsetFirst: String(offset),
    offsetEnd: String(offset + offsetsOfBatch),
    records: rows.length,
    rows: rows.length,
    deadLetters: 0,
    bytes: bytes.byteLength,
    rawBytes: 0,
    ingestTime,
    rowsPerEventHour: facts.rowsPerEventHour,
    eventTimeMin: facts.eventTimeMin,
    eventTimeMax: facts.eventTimeMax,
    lastRecord: null,
    lastRecordTime: ingestTime,
    bronzeKey: key,
    rawKey: null,
    deadLettersKey: null,
  };
  await objects.createObject(key, bytes);
  await objects.createObject(sealKey(events.name, log, number), Buffer.from(JSON.stringify(seal)));
}

const encoder = createParquetjsBronzeEncoder();
const offsetsOfBatch = 1_000;

function rowOf(batch: ChaosBatch, event: ChaosEvent, index: number): Row {
  const { topic, partition } = parseLogName(batch.log);
  const minute = String(Math.floor(event.second / 60)).padStart(2, '0');
  const second = String(event.second % 60).padStart(2, '0');
  const sold =
    event.cents === null
      ? {}
      : { product_id: 'p1', category: 'Books', price: event.cents / 100, quantity: 1 };
  return {
    event_id: event.id,
    event_type: event.type,
    event_ts: `${event.hour}:${minute}:${second}.000Z`,
    user_id: event.user,
    session_id: event.session,
    device: event.isBroken ? 'toaster' : event.device,
    ...(event.type === 'search' ? { search_query: 'shoes' } : {}),
    ...sold,
    _ingest_ts: batch.ingestTime,
    _family: 'B',
    _source: 'kafka',
    _topic: topic,
    _partition: partition,
    _offset: String(batch.number * offsetsOfBatch + index),
    _batch_id: batchName(batch),
  };
}
