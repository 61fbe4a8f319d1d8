import assert from 'node:assert/strict';
import { checkedRange, follow } from '../../src/cli/backfill.ts';
import { backfillRow, duration, shownBackfill } from '../../src/cli/backfill-text.ts';
import type { CliContext } from '../../src/cli/context.ts';
import { type Backfill, newBackfill } from '../../src/lake/backfill.ts';
import { newOwner } from '../../src/lake/owner-state.ts';

const nowMs = Date.UTC(2026, 7, 21, 13, 30);
const options = { layers: 'silver,gold', only: 'all', order: 'oldest' } as const;
const asked: Backfill = {
  ...newBackfill(
    [],
    {
      ...{ from: '2026-08-20T00', to: '2026-08-20T23', layers: ['silver'], only: 'all' },
      ...{ order: 'oldest', id: 'mine', author: 'ops', reason: 'new prices' },
    },
    nowMs,
  ),
  startedAt: new Date(nowMs).toISOString(),
  total: 24,
};

/** A console that remembers how a line went and ended, and what was printed. */
function fakeContext(aborted = false) {
  const said: string[] = [];
  const line = {
    update: (done: number, note?: string) => void said.push(`${done} ${note}`),
    note: () => undefined,
    succeed: (note?: string) => void said.push(`ok ${note}`),
    fail: (note?: string) => void said.push(`failed ${note}`),
  };
  const printed: unknown[] = [];
  const controller = new AbortController();
  if (aborted) controller.abort(new Error('interrupted'));
  const context = {
    console: { progress: () => line, printJson: (value: unknown) => void printed.push(value) },
    interruption: () => controller.signal,
  } as unknown as CliContext;
  return { context, said, printed };
}

/** An owner that answers with one state after the other. */
function fakeOwner(states: readonly Backfill[]) {
  let at = 0;
  return {
    status: async () => {
      const backfill = states[Math.min(at, states.length - 1)]!;
      at += 1;
      return { ...newOwner('events'), backfills: [backfill] };
    },
  };
}

const counts = (done: number, failed: number) => ({
  counts: { done, unchanged: 0, failed, skipped: 0, empty: 0 },
});
const over = { ended: { kind: 'done', at: '2026-08-21T14:00:00.000Z' } } as const;

describe('checkedRange', () => {
  it('takes days and hours, and the layers as a list', () => {
    assert.deepEqual(
      checkedRange({ ...options, from: '2026-08-20', to: '2026-08-20T05', layers: 'gold' }, nowMs),
      {
        ...{ from: '2026-08-20T00', to: '2026-08-20T05', layers: ['gold'] },
        ...{ only: 'all', order: 'oldest' },
      },
    );
  });

  it('says which option is missing or wrong', () => {
    const range = { ...options, from: '2026-08-20', to: '2026-08-20' };
    const cases = [
      [{ ...range, from: undefined }, /--from is needed/],
      [{ ...range, to: ' ' }, /--to is needed/],
      [{ ...range, layers: 'bronze' }, /there is no layer bronze; there are: silver, gold/],
      [{ ...range, to: 'noon' }, /to is not an hour or a day/],
      [{ ...range, to: '2026-08-22' }, /not over/],
    ] as const;
    for (const [given, reason] of cases) {
      const { from, ...rest } = given;
      const asks = from === undefined ? rest : { ...rest, from };
      assert.throws(
        () => checkedRange(asks, nowMs),
        (error: unknown) =>
          error instanceof Error &&
          reason.test(error.message) &&
          (error as { code?: string }).code === 'INPUT_INVALID',
      );
    }
  });
});

describe('follow', () => {
  it('shows how far it is, and ends well when every window was built', async () => {
    const { context, said, printed } = fakeContext();
    const half = { ...asked, ...counts(12, 0) };
    await follow(context, fakeOwner([asked, half, { ...half, ...over }]), 'mine', true, 1);
    assert.match(said[0]!, /^12 2026-08-20, about /);
    assert.equal(said[1], 'ok mine has ended: 12 built, 0 unchanged, 0 failed, 0 left out');
    assert.equal((printed[0] as { status: string }).status, 'done');
  });

  it('ends with a fault when windows have failed, or when it is paused', async () => {
    for (const last of [
      { ...asked, ...counts(20, 4), ...over },
      {
        ...asked,
        paused: true,
        said: { author: 'ingot', reason: 'all fail', at: '2026-08-21T14:00:00.000Z' },
      },
    ]) {
      const { context, said } = fakeContext();
      await assert.rejects(follow(context, fakeOwner([last]), 'mine', false, 1), {
        code: 'BACKFILL_INCOMPLETE',
      });
      assert.match(said.at(-1)!, /^failed mine (has ended: 20 built|is paused by ingot: all fail)/);
    }
  });

  it('leaves the backfill running when it is interrupted', async () => {
    const { context, said } = fakeContext(true);
    await assert.rejects(follow(context, fakeOwner([asked]), 'mine', false, 1), /interrupted/);
    assert.match(said.at(-1)!, /goes on by itself/);
  });
});

describe('backfillRow', () => {
  it('says how far a backfill is and how long it will take', () => {
    const running = { ...asked, ...counts(6, 2) };
    const row = backfillRow(shownBackfill(running, [running], nowMs + 8 * 60_000));
    assert.deepEqual(row, [
      ...['mine', 'running', '2026-08-20T00', '2026-08-20T23', 'silver', '8/24', 2],
      ...['16 min', 'new prices'],
    ]);
    assert.deepEqual([duration(null), duration(30), duration(3_900)], ['?', '30 s', '1 h 05 min']);
  });
});
