import assert from 'node:assert/strict';
import {
  parseCorrection,
  parseFilterFlags,
  requireIds,
  requireOneWay,
} from '../../src/cli/dead-letters-options.ts';
import { IngotError } from '../../src/errors.ts';

function invalid(pattern: RegExp): (error: unknown) => boolean {
  return (error) => {
    assert.ok(error instanceof IngotError && error.code === 'INPUT_INVALID', String(error));
    assert.match(error.message, pattern);
    return true;
  };
}

describe('parseFilterFlags', () => {
  it('takes a time as it is, and a date for its whole day', () => {
    const { filter, limit } = parseFilterFlags({ from: '2026-08-21', to: '2026-08-21' });
    assert.deepEqual(filter, {
      reason: null,
      topic: null,
      fromMs: Date.UTC(2026, 7, 21),
      toMs: Date.UTC(2026, 7, 22),
    });
    assert.equal(limit, 100);
    const time = parseFilterFlags({ from: '2026-08-21T13:00:00+02:00', limit: '7' });
    assert.equal(time.filter.fromMs, Date.UTC(2026, 7, 21, 11));
    assert.equal(time.limit, 7);
  });

  it('names the reasons that there are', () => {
    assert.throws(() => parseFilterFlags({ reason: 'ODD' }), invalid(/--reason ODD.*NOT_JSON/));
  });

  it('names everything that is wrong at once', () => {
    const flags = { from: 'yesterday', to: '2026-02-30', limit: '0' };
    assert.throws(
      () => parseFilterFlags(flags),
      invalid(/^--from yesterday.*\n--to 2026-02-30.*\n--limit 0/),
    );
  });

  it('refuses a range that holds nothing', () => {
    const flags = { from: '2026-08-22', to: '2026-08-21' };
    assert.throws(() => parseFilterFlags(flags), invalid(/must be before --to/));
  });
});

describe('parseCorrection', () => {
  const none = async () => null;

  it('is none without flags', async () => {
    assert.deepEqual(await parseCorrection({}, none), { kind: 'none' });
  });

  it('takes the bytes of a file', async () => {
    const value = new Uint8Array([1, 255]);
    const found = await parseCorrection({ valueFile: 'v.bin' }, async () => value);
    assert.deepEqual(found, { kind: 'value', value });
  });

  it('takes fields', async () => {
    const found = await parseCorrection({ set: ['a=1', 'b="x"'] }, none);
    const fields = [
      ['a', 1],
      ['b', 'x'],
    ];
    assert.deepEqual(found, { kind: 'fields', fields });
  });

  it('says which file cannot be read, and which field is not JSON', async () => {
    await assert.rejects(parseCorrection({ valueFile: 'no' }, none), invalid(/--value-file no:/));
    await assert.rejects(
      parseCorrection({ set: ['a=x'] }, none),
      invalid(/--set a=x: x is not JSON/),
    );
  });

  it('takes one kind of correction only', async () => {
    const flags = { valueFile: 'v', set: ['a=1'] };
    await assert.rejects(parseCorrection(flags, none), invalid(/only one/));
  });
});

describe('requireIds', () => {
  it('names every text that is no id', () => {
    requireIds(['clicks-0-000000000007/4711']);
    assert.throws(
      () => requireIds(['x', 'clicks-0-000000000007/4711', 'y']),
      invalid(/^x: .*\ny: /),
    );
  });
});

describe('requireOneWay', () => {
  it('wants ids or filters, and not both', () => {
    requireOneWay(['a'], {});
    requireOneWay([], { reason: 'EMPTY' });
    assert.throws(() => requireOneWay([], { limit: '5' }), invalid(/nothing is chosen/));
    assert.throws(() => requireOneWay(['a'], { topic: 't' }), invalid(/only one of them/));
  });
});
