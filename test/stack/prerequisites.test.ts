import assert from 'node:assert/strict';
import { isAtLeast, requirePrerequisites } from '../../src/stack/prerequisites.ts';

describe('requirePrerequisites', () => {
  it('names everything that is missing, what needs it, and what was found instead', () => {
    assert.throws(
      () =>
        requirePrerequisites([
          { name: 'Java 17 or newer', neededTo: 'run Kafka', present: false, found: '11.0.2' },
          { name: 'Maven (mvn)', neededTo: 'fetch Kafka', present: true },
          { name: 'Go 1.25 or newer', neededTo: 'build Temporal', present: false },
        ]),
      (error: Error & { code?: string }) => {
        assert.equal(error.code, 'PREREQUISITE_MISSING');
        const lines = error.message.split('\n');
        assert.deepEqual(lines.slice(1, 3), [
          '  Java 17 or newer (found 11.0.2): needed to run Kafka',
          '  Go 1.25 or newer: needed to build Temporal',
        ]);
        assert.doesNotMatch(error.message, /Maven/);
        return true;
      },
    );
  });

  it('is content when nothing is missing', () => {
    requirePrerequisites([{ name: 'Java', neededTo: 'run Kafka', present: true }]);
  });
});

describe('isAtLeast', () => {
  it('compares numbers, not texts', () => {
    assert.equal(isAtLeast('1.26.8', [1, 25]), true);
    assert.equal(isAtLeast('1.9', [1, 25]), false);
    assert.equal(isAtLeast('3.10.0', [3, 10]), true);
    assert.equal(isAtLeast('17', [17, 0]), true);
    assert.equal(isAtLeast('nonsense', [1, 0]), false);
  });
});
