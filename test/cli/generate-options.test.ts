import assert from 'node:assert/strict';
import {
  generateDefaults,
  parseGenerateFlags,
  sampleDefaults,
} from '../../src/cli/generate-options.ts';
import { IngotError } from '../../src/errors.ts';

const nowMs = Date.UTC(2026, 7, 21, 13, 7);
const at = (hours: number, minutes: number) => Date.UTC(2026, 7, 21, hours, minutes);

describe('parseGenerateFlags', () => {
  it('means the last whole interval, at full size, into the drop folder', () => {
    const { to, files } = parseGenerateFlags({}, generateDefaults, nowMs);
    assert.equal(to, 'drop');
    assert.deepEqual([files.startMs, files.endMs], [at(13, 0), at(13, 5)]);
    assert.deepEqual([files.eventsMin, files.eventsMax, files.scale], [500_000, 750_000, 1]);
    assert.deepEqual([files.duplicatesMin, files.duplicatesMax], [0.05, 0.1]);
  });

  it('means two hours, scaled down, into a folder, for a sample', () => {
    const { to, files } = parseGenerateFlags({}, sampleDefaults, nowMs);
    assert.equal(to, 'sample-data');
    assert.deepEqual([files.startMs, files.endMs, files.scale], [at(11, 5), at(13, 5), 0.01]);
  });

  it('takes what is asked for', () => {
    const flags = {
      to: 'x',
      start: '2026-08-21T00:00:00Z',
      end: '2026-08-21T01:00:00Z',
      events: '10',
      duplicates: '0-1',
      format: 'csv',
    };
    const { to, files } = parseGenerateFlags(flags, sampleDefaults, nowMs);
    assert.equal(to, 'x');
    assert.deepEqual([files.startMs, files.endMs, files.format], [at(0, 0), at(1, 0), 'csv']);
    assert.deepEqual([files.eventsMin, files.eventsMax, files.duplicatesMax], [10, 10, 1]);
  });

  for (const [flags, message] of [
    [{ scale: '0' }, /--scale 0: must be above 0/],
    [{ events: '9-1' }, /--events 9-1: must be a number or a range/],
    [{ duplicates: '0.1-2' }, /--duplicates 0\.1-2: /],
    [{ interval: '0' }, /--interval 0: must be 1 to 1440/],
    [{ format: 'xml' }, /--format xml: /],
    [{ start: 'noon' }, /--start noon: must be a time/],
    [{ start: '2026-08-22T00:00:00Z' }, /must be before the end/],
    [{ start: '2000-01-01T00:00:00Z' }, /files are too many/],
    [{ scale: 'x', seed: '-1' }, /--scale x: .*\n.*--seed -1: /],
  ] as const) {
    it(`refuses ${JSON.stringify(flags)}, and says what is allowed`, () => {
      assert.throws(
        () => parseGenerateFlags(flags, generateDefaults, nowMs),
        (error) =>
          error instanceof IngotError &&
          error.code === 'INPUT_INVALID' &&
          message.test(error.message),
      );
    });
  }
});
