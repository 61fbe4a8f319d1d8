import assert from 'node:assert/strict';
import { type Control, changedControl, initialControl } from '../../src/lake/control.ts';

const pause = { kind: 'pause', log: 'a-0', author: 'ann', reason: 'why' } as const;

describe('changedControl', () => {
  it('grows its revision with every change, and with nothing that changes nothing', () => {
    const two = changedControl(initialControl, { kind: 'lanes', lanes: 2 });
    assert.deepEqual(two, { ...initialControl, revision: 1, lanes: 2 });
    assert.equal(changedControl(two, { kind: 'lanes', lanes: 2 }), two);
    const paused = changedControl(two, pause);
    assert.equal(paused.revision, 2);
    assert.equal(changedControl(paused, pause), paused);
  });

  it('keeps who has paused a log and why until it goes on', () => {
    const paused: Control = changedControl(changedControl(initialControl, pause), {
      ...pause,
      log: 'a-1',
    });
    assert.deepEqual(paused.paused['a-0'], { author: 'ann', reason: 'why' });
    const resumed = changedControl(paused, { kind: 'goOn', log: 'a-0' });
    assert.deepEqual(Object.keys(resumed.paused), ['a-1']);
  });

  it('tells whoever has stopped that a log is to be tried again, paused or not', () => {
    assert.equal(changedControl(initialControl, { kind: 'goOn', log: 'a-0' }).revision, 1);
  });
});
