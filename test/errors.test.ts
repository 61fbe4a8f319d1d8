import assert from 'node:assert/strict';
import { formatFacts, IngotError, messageOf } from '../src/errors.ts';

describe('IngotError', () => {
  it('ends its message with the facts', () => {
    const error = new IngotError('OBJECT_MISSING', 'bronze write failed', {
      retryable: true,
      facts: { bucket: 'lake', key: 'a/b', rows: 3, adopted: false, etag: null },
    });
    assert.equal(
      error.message,
      'bronze write failed [bucket=lake, key=a/b, rows=3, adopted=false, etag=null]',
    );
  });

  it('keeps code, facts, cause and whether a retry can help', () => {
    const cause = new Error('socket closed');
    const facts = { address: '127.0.0.1:9092' };
    const options = { retryable: true, facts, cause };
    const error = new IngotError('PART_UNREACHABLE', 'Kafka cannot be reached', options);
    const { name, code, retryable } = error;
    assert.deepEqual(
      { name, code, retryable },
      { name: 'IngotError', code: 'PART_UNREACHABLE', retryable: true },
    );
    assert.deepEqual(error.facts, facts);
    assert.equal(error.cause, cause);
  });

  it('is an Error with a stack', () => {
    const error = new IngotError('SQL_FAILED', 'a statement failed', { retryable: false });
    assert.ok(error instanceof Error);
    // Not of which kind: Temporal's worker, where a test has loaded it before, shows compiled files.
    assert.match(error.stack ?? '', /errors\.test\./);
  });
});

describe('formatFacts', () => {
  it('says nothing without facts', () => {
    assert.equal(formatFacts({}), '');
  });
});

describe('messageOf', () => {
  it('takes the message of an error and the text of anything else', () => {
    assert.equal(messageOf(new TypeError('no such thing')), 'no such thing');
    assert.equal(messageOf('plain'), 'plain');
    assert.equal(messageOf(undefined), 'undefined');
  });
});
