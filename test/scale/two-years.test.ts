import assert from 'node:assert/strict';
import { BackfillWorld } from '../lake/support/backfill-world.ts';

describe('a backfill of two years', function () {
  this.timeout(180_000);

  it('is kept in a few kilobytes, and worked off', () => {
    const world = new BackfillWorld();
    world.ask({ from: '2024-08-20T00', to: '2026-08-19T23' });
    world.quiesce(40_000);

    const silverHours = 730 * 24;
    // Silver hours, hours of one gold table, the day of the other.
    const windows = silverHours + silverHours + 730;
    assert.equal(world.state.backfills[0]?.counts.done, windows);
    assert.equal(world.started.filter((key) => key.startsWith('silver/')).length, silverHours);
    assert.ok(world.bytesMax < 8 * 1_024, `${world.bytesMax} bytes`);
  });
});
