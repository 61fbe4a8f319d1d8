import assert from 'node:assert/strict';
import type { Backfill } from '../../src/lake/backfill.ts';
import type { WindowFacts } from '../../src/lake/explain-facts.ts';
import { explain } from '../../src/lake/explain.ts';
import { formatInstant } from '../../src/lake/time.ts';
import { closedHour, day, hour, nowMs, owner, settings } from './support/owner-states.ts';

const ago = formatInstant(nowMs - 5_000);

describe('explain, of backfills', () => {
  const known: Backfill = {
    ...{ id: 'b17', author: 'ops', reason: 'new SQL', layers: ['silver'], only: 'all' },
    ...{ order: 'oldest', from: closedHour, to: hour, askedAt: ago, startedAt: ago, ended: null },
    ...{ paused: false, said: null, next: null, chunk: null, total: 2, recent: '' },
    counts: { done: 0, unchanged: 0, failed: 0, skipped: 0, empty: 0 },
  };
  const told = (backfills: readonly Backfill[], differences: Partial<WindowFacts> = {}): string =>
    explain({
      ...{ layer: 'silver', table: 'events_cleaned', window: hour, nowMs, settings, silverNow: {} },
      ...{ owner: { kind: 'answered', state: owner({ backfills }) }, pointer: null },
      ...differences,
    }).now.join('\n');

  it('says what has become of one that covers the window', () => {
    const ended = { ...known, ended: { kind: 'done', at: ago } } as const;
    assert.match(told([known]), /Backfill b17 of .*T12 to .*T13, asked for by ops \("new SQL"\)/);
    assert.match(told([known]), /it has been worked on since 2026/);
    assert.match(told([{ ...known, startedAt: null }]), /is about to begin/);
    assert.match(told([{ ...known, paused: true }]), /is paused/);
    assert.match(told([ended]), /was done at 2026/);
    assert.match(told([known, { ...known, id: 'b18' }]), /b18 .* waits for backfill b17/);
  });

  it('is silent about one of another layer, or another range', () => {
    const gold = { layer: 'gold', table: 'top_products', window: day } as const;
    assert.doesNotMatch(told([known], gold), /b17/);
    assert.match(told([{ ...known, layers: ['gold'] }], gold), /b17/);
    assert.doesNotMatch(told([{ ...known, to: closedHour }]), /b17/);
  });
});
