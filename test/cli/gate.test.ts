import assert from 'node:assert/strict';
import { gateNamed } from '../../src/cli/gate.ts';

describe('gateNamed', () => {
  it('knows silver and gold by the names of their tables', () => {
    const window = '2026-08-21T13';
    assert.deepEqual(gateNamed('events_cleaned', window), { layer: 'silver', table: null, window });
    assert.deepEqual(gateNamed('top_products', '2026-08-21'), {
      layer: 'gold',
      table: 'top_products',
      window: '2026-08-21',
    });
  });

  it('says which tables there are, and how a window of one is written', () => {
    assert.throws(() => gateNamed('sales', '2026-08-21'), /no table sales; there are: events_cle/);
    assert.throws(() => gateNamed('top_products', '2026-08-21T13'), /written as 2026-08-21$/);
    assert.throws(() => gateNamed('events_cleaned', 'noon'), /noon is no window of events_cleaned/);
  });
});
