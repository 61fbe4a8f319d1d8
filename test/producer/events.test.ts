import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { eventContract, events } from '../../src/datasets/events.ts';
import {
  generateEvents,
  type GenerateOptions,
  profiles,
  type StreamRecord,
} from '../../src/producer/events.ts';
import { randomCases } from '../support/random-cases.ts';

const day = { start: '2026-08-20T00:00:00.000Z', end: '2026-08-21T00:00:00.000Z' };
const rates = { duplicates: 0.07, malformed: 0.03, late: 0.05 };
const hourMs = 3_600_000;

const take = (options: GenerateOptions, count = Infinity): StreamRecord[] => {
  const taken: StreamRecord[] = [];
  for (const record of generateEvents(options)) {
    if (taken.push(record) >= count) break;
  }
  return taken;
};
const shop = (count: number, more: Partial<GenerateOptions> = {}): GenerateOptions => ({
  profile: 'ecommerce',
  seed: 7,
  ...day,
  count,
  ...more,
});
const parse = ({ value }: StreamRecord) =>
  JSON.parse(value.toString()) as Readonly<Record<string, unknown>>;

/** One stream with all faults, made once: for claims about many records. */
let mixedStream: readonly StreamRecord[] | undefined;
const mixed = (): readonly StreamRecord[] => (mixedStream ??= take(shop(12_000, { rates })));

function digest(records: readonly StreamRecord[]): string {
  const hash = createHash('sha256');
  for (const { kind, key, value, timestampMs, fault, faultName } of records) {
    hash.update(JSON.stringify([kind, key, timestampMs, fault, faultName]));
    hash.update(value);
  }
  return hash.digest('hex').slice(0, 16);
}

/** As ingest reads it: short spellings are the same values. */
function withLongSpellings(record: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const aliases = new Map(
    events.fields.map(({ wireName, valueAliases }) => [wireName, valueAliases]),
  );
  return Object.fromEntries(
    Object.entries(record).map(([name, value]) => [
      name,
      typeof value === 'string' ? (aliases.get(name)?.[value] ?? value) : value,
    ]),
  );
}

describe('generateEvents', () => {
  it('makes the bytes that it made on the day of this test', () => {
    assert.equal(digest(take(shop(2_000, { rates }))), 'c583efcd8697db13');
    const activity = {
      profile: 'user-activity',
      seed: 7,
      start: day.start,
      rate: 1_000,
      rates,
    } as const;
    assert.equal(digest(take({ ...activity, count: 2_000 })), 'e90c360d2efdad68');
  });

  it('makes the same of the same options, and something else of any other', () => {
    const first = digest(take(shop(300, { rates })));
    assert.equal(digest(take(shop(300, { rates }))), first);
    const others = [
      shop(300, { rates, seed: 8 }),
      shop(300, { rates, profile: 'user-activity' }),
      shop(300, { rates, start: '2026-08-20T00:00:01.000Z' }),
      shop(300, { rates: { ...rates, late: 0.5 } }),
    ];
    assert.equal(new Set([first, ...others.map((other) => digest(take(other)))]).size, 5);
  });

  it('gives no two events one id, also over profiles, seeds and starts', () => {
    const streams = [
      shop(1_000),
      shop(1_000, { seed: 8 }),
      shop(1_000, { profile: 'user-activity' }),
      shop(1_000, { start: '2026-08-20T01:00:00.000Z' }),
    ];
    const ids = streams
      .flatMap((options) => take(options))
      .map((record) => parse(record)['event_id']);
    assert.equal(new Set(ids).size, 4_000);
    const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;
    assert.ok(ids.every((id) => uuid.test(String(id))));
  });

  for (const profile of profiles) {
    it(`makes ${profile} events that the contract accepts, except the malformed`, () => {
      const good = take(shop(3_000, { profile, rates })).filter(({ fault }) => fault === null);
      const refused = good.filter(
        (record) => !eventContract.safeParse(withLongSpellings(parse(record))).success,
      );
      assert.deepEqual(refused.slice(0, 3).map(String), []);
      assert.ok(good.length > 2_800);
    });
  }

  it('spells some types short and adds a field that the contract does not know', () => {
    const records = take(shop(5_000)).map(parse);
    const share = (holds: (record: Readonly<Record<string, unknown>>) => boolean) =>
      records.filter(holds).length / records.length;
    assert.ok(share((record) => record['event_type'] === 'view') > 0.05);
    assert.ok(share((record) => record['event_type'] === 'cart') > 0.003);
    const extra = share((record) => 'ab_variant' in record);
    assert.ok(extra > 0.01 && extra < 0.03, String(extra));
  });

  it('writes event times in ISO-8601 with milliseconds and Z', () => {
    const times = take(shop(500, { rates: { late: 0.2 } })).map(
      (record) => parse(record)['timestamp'],
    );
    const bad = times.filter(
      (time) => !/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/.test(String(time)),
    );
    assert.deepEqual(bad, []);
  });

  it('keeps the rates, as shares of all records', () => {
    const records = mixed();
    const share = (kind: string) => records.filter((r) => r.kind === kind).length / records.length;
    assert.equal(records.length, 12_000);
    // Four standard deviations; late events come in visits, so theirs spread wider.
    assert.ok(Math.abs(share('duplicate') - 0.07) < 0.0094, `duplicates ${share('duplicate')}`);
    assert.ok(Math.abs(share('malformed') - 0.03) < 0.0063, `malformed ${share('malformed')}`);
    assert.ok(Math.abs(share('late') - 0.05) < 0.02, `late ${share('late')}`);
  });

  it('makes nothing but events without rates', () => {
    assert.ok(take(shop(2_000)).every(({ kind, fault }) => kind === 'event' && fault === null));
  });

  it('repeats an earlier record byte for byte under its key, a little later', () => {
    const records = mixed();
    const places = new Map<string, number>();
    let duplicates = 0;
    records.forEach((record, place) => {
      if (record.kind === 'malformed') return;
      const bytes = `${record.key} ${record.value.toString()}`;
      const before = places.get(bytes);
      assert.equal(before !== undefined, record.kind === 'duplicate', bytes);
      if (before === undefined) places.set(bytes, place);
      else duplicates += 1;
    });
    assert.ok(duplicates > 600);
  });

  it('lets late events arrive one to three hours late, but none before the start', () => {
    const startMs = Date.parse(day.start);
    for (const record of mixed()) {
      if (record.fault !== null || record.kind === 'duplicate') continue;
      const lateMs = record.timestampMs - Date.parse(String(parse(record)['timestamp']));
      if (record.kind === 'event') assert.equal(lateMs, 0);
      else if (record.timestampMs - startMs > 3 * hourMs + 10 * 60_000) {
        assert.ok(lateMs >= hourMs && lateMs <= 3 * hourMs, `${lateMs} ms late`);
      } else assert.ok(lateMs > 0 && record.timestampMs - lateMs >= startMs);
    }
  });

  it('keys by user, except what has none', () => {
    for (const record of mixed()) {
      if (record.fault === null) assert.equal(record.key, parse(record)['user_id']);
      else {
        const isNobodys = ['missing_user_id', 'empty'].includes(record.faultName ?? '');
        assert.equal(record.key === null, isNobodys, record.faultName ?? '');
      }
    }
  });

  it('spreads exactly the count over the range, in order', () => {
    const range = fc.record({
      startMs: fc.integer({ min: Date.UTC(2024, 0), max: Date.UTC(2027, 0) }),
      lengthMs: fc.integer({ min: 1, max: 50 * hourMs }),
      count: fc.integer({ min: 1, max: 60 }),
      seed: fc.nat(),
    });
    fc.assert(
      fc.property(range, ({ startMs, lengthMs, count, seed }) => {
        const start = new Date(startMs).toISOString();
        const end = new Date(startMs + lengthMs).toISOString();
        const records = take({ profile: 'ecommerce', seed, start, end, count, rates });
        assert.equal(records.length, count);
        let before = startMs;
        for (const { timestampMs } of records) {
          assert.ok(timestampMs >= before && timestampMs < startMs + lengthMs);
          before = timestampMs;
        }
      }),
      { numRuns: randomCases(25) },
    );
  });

  it('goes on at an even pace without an end', () => {
    const options = { profile: 'user-activity', seed: 1, start: day.start, rate: 3 } as const;
    const offsets = take(options, 7).map(({ timestampMs }) => timestampMs - Date.parse(day.start));
    assert.deepEqual(offsets, [0, 333, 666, 1_000, 1_333, 1_666, 2_000]);
  });

  it('refuses shares that are more than everything', () => {
    const excessive = { duplicates: 0.5, malformed: 0.3, late: 0.3 };
    assert.throws(() => take(shop(1, { rates: excessive })), { name: 'AssertionError' });
  });
});
