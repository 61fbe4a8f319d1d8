import assert from 'node:assert/strict';
import { parseProduceFlags, type ProduceFlags } from '../../src/cli/produce-options.ts';
import { IngotError } from '../../src/errors.ts';

const now = '2026-08-21T12:00:00.000Z';
const parse = (flags: ProduceFlags) => parseProduceFlags(flags, Date.parse(now));

function problemsOf(flags: ProduceFlags): readonly string[] {
  try {
    parse(flags);
  } catch (error) {
    assert.ok(error instanceof IngotError && error.code === 'INPUT_INVALID' && !error.retryable);
    return error.message.split('\n  ').slice(1);
  }
  return [];
}

describe('parseProduceFlags', () => {
  it('asked for nothing, sends one shop event a second from now on without an end', () => {
    assert.deepEqual(parse({}), {
      profile: 'ecommerce',
      seed: 1,
      topic: 'ecommerce-events',
      rates: { duplicates: 0, malformed: 0, late: 0 },
      timing: { start: now, rate: 1 },
      ratePerSecond: 1,
    });
  });

  it('sends a thousand events of user activity a second', () => {
    const { topic, timing, ratePerSecond } = parse({ profile: 'user-activity' });
    assert.equal(topic, 'user-activity-events');
    assert.deepEqual([timing, ratePerSecond], [{ start: now, rate: 1_000 }, 1_000]);
  });

  it('asked for a count only, sends it at once, spread over the last two hours', () => {
    const { timing, ratePerSecond } = parse({ count: '500' });
    assert.deepEqual(timing, { start: '2026-08-21T10:00:00.000Z', end: now, count: 500 });
    assert.equal(ratePerSecond, null);
  });

  it('asked for a count and a rate, sends live and ends', () => {
    const { timing, ratePerSecond } = parse({ count: '500', rate: '2.5' });
    assert.deepEqual(timing, { start: now, rate: 2.5, count: 500 });
    assert.equal(ratePerSecond, 2.5);
  });

  it('fills a range as densely as the profile is', () => {
    const range = { start: '2026-08-20T00:00:00Z', end: '2026-08-20T03:00:00+01:00' };
    assert.deepEqual(parse(range).timing, {
      start: '2026-08-20T00:00:00.000Z',
      end: '2026-08-20T02:00:00.000Z',
      count: 7_200,
    });
    assert.equal(parse({ ...range, rate: '50' }).ratePerSecond, 50);
  });

  it('takes a start without an end to mean until now', () => {
    const { timing } = parse({ start: '2026-08-21T11:59:00Z' });
    assert.deepEqual(timing, { start: '2026-08-21T11:59:00.000Z', end: now, count: 60 });
  });

  it('takes shares, seed and topic as they are', () => {
    const flags = { duplicates: '0.07', malformed: '.01', late: '0', seed: '42', topic: 'a.b_c-1' };
    const { rates, seed, topic } = parse(flags);
    assert.deepEqual(rates, { duplicates: 0.07, malformed: 0.01, late: 0 });
    assert.deepEqual([seed, topic], [42, 'a.b_c-1']);
  });

  it('names everything that is wrong at once', () => {
    const problems = problemsOf({
      profile: 'nonsense',
      count: '0',
      rate: '-1',
      seed: '1.5',
      duplicates: '1.2',
      malformed: 'many',
      late: '-0.1',
      topic: 'a b',
      start: '2026-08-21',
      end: 'soon',
    });
    assert.deepEqual(
      problems.map((problem) => problem.split(' ')[0]),
      [
        '--profile',
        '--count',
        '--rate',
        '--seed',
        '--duplicates',
        '--malformed',
        '--late',
        '--topic',
        '--start',
        '--end',
      ],
    );
    assert.ok(problems.includes('--rate -1: must be above 0, at most 1,000,000'));
    assert.ok(problems.includes('--end soon: must be a time such as 2026-08-21T13:00:00Z'));
  });

  it('refuses shares over 1 together, and an end that is not after the start', () => {
    assert.deepEqual(problemsOf({ duplicates: '0.7', late: '0.4', start: now, end: now }), [
      '--duplicates, --malformed and --late: must be at most 1 together',
      `--start ${now}: must be before the end, which is ${now}`,
    ]);
    assert.deepEqual(problemsOf({ start: '2026-08-21T13:00:00Z', count: '5' }), [
      '--start 2026-08-21T13:00:00.000Z: must be before the end, which is now',
    ]);
  });

  it('takes shares that are 1 together', () => {
    assert.deepEqual(problemsOf({ duplicates: '0.7', malformed: '0.2', late: '0.1' }), []);
  });
});
