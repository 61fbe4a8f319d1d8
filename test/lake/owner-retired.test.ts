import assert from 'node:assert/strict';
import { logTold } from '../../src/lake/owner-logs.ts';
import { packOwner, unpackOwner } from '../../src/lake/owner-packed.ts';
import { logRetired, retireRefusal } from '../../src/lake/owner-retired.ts';
import { frontierOf } from '../../src/lake/owner-state.ts';
import { log as known, nowMs, owner } from './support/owner-states.ts';

const early = '2026-08-20T00:00:00.000Z';
const gone = { ...known, frontier: early };
const two = () => owner({ logs: { 'a-0': known, 'old-0': gone } });
const request = { log: 'old-0', author: 'ops', reason: 'the topic is gone' };
const retired = () => logRetired(two(), request, nowMs);

describe('retireRefusal', () => {
  it('wants a reason, a log that there is, and one that is not retired', () => {
    assert.equal(retireRefusal(two(), request), null);
    assert.match(retireRefusal(two(), { ...request, reason: ' ' }) ?? '', /needs a reason/);
    assert.match(retireRefusal(two(), { ...request, log: 'b-0' }) ?? '', /there are: a-0, old-0/);
    assert.match(retireRefusal(retired(), request) ?? '', /retired already/);
  });
});

describe('logRetired', () => {
  it('lets no window wait for a log that nothing serves', () => {
    assert.equal(frontierOf(two()), early);
    assert.equal(frontierOf(retired()), known.frontier);
  });

  it('is kept in the packed state, and told to the ledger with who and why', () => {
    assert.deepEqual(unpackOwner(packOwner(retired())), retired());
    const event = retired().events.at(-1);
    assert.deepEqual({ ...event, at: null }, { kind: 'logRetired', ...request, at: null });
  });

  it('ends when the log brings something new, and not by a message that comes again', () => {
    const log = retired().logs['old-0'];
    const again = { sealedTo: gone.sealedTo, frontier: early };
    assert.equal(logTold(log, again).retired, true);
    assert.equal(logTold(log, { ...again, sealedTo: gone.sealedTo + 1 }).retired, undefined);
    assert.equal(logTold(log, { ...again, frontier: known.frontier }).retired, undefined);
  });
});
