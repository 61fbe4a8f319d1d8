import assert from 'node:assert/strict';
import { eventContract } from '../../src/datasets/events.ts';
import { fieldLimits } from '../../src/datasets/field-limits.ts';

describe('fieldLimits', () => {
  it('reads type, bounds and allowed values off the contract', () => {
    const limits = fieldLimits(eventContract);
    assert.deepEqual(limits['device'], {
      jsonType: 'string',
      isRequired: true,
      allowed: '`desktop`, `mobile`, `tablet`',
    });
    assert.deepEqual(limits['quantity'], {
      jsonType: 'number, whole',
      isRequired: false,
      allowed: '1 to 10,000',
    });
    assert.equal(limits['user_id']?.allowed, '1 to 200 characters');
    assert.equal(limits['price']?.allowed, '0.01 to 100,000');
  });
});
