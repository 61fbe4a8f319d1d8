import assert from 'node:assert/strict';
import { toKafkaFault } from '../../src/adapters/kafka-faults.ts';
import { type ErrorCode, IngotError } from '../../src/errors.ts';

const call = { brokers: ['a:1', 'b:2'], facts: { topic: 't' } };

const error = (name: string, more: object = {}) =>
  Object.assign(new Error(name), { name, ...more });

function assertFault(given: unknown, code: ErrorCode, message: string, retryable: boolean): void {
  const fault = toKafkaFault(call, given);
  assert.ok(fault instanceof IngotError);
  assert.deepEqual([fault.code, fault.message, fault.retryable], [code, message, retryable]);
  assert.equal(fault.cause, given);
}

describe('toKafkaFault', () => {
  it('makes PART_UNREACHABLE of a broken connection, also when it is wrapped', () => {
    const inner = error('KafkaJSConnectionError', { code: 'ECONNREFUSED' });
    const outer = error('KafkaJSNumberOfRetriesExceeded', {
      cause: error('KafkaJSNonRetriableError', { cause: inner }),
    });
    const message = 'Kafka cannot be reached [address=a:1,b:2, topic=t, reason=ECONNREFUSED]';
    assertFault(outer, 'PART_UNREACHABLE', message, true);
    const timeout = error('KafkaJSRequestTimeoutError');
    const named = message.replace('ECONNREFUSED', 'KafkaJSRequestTimeoutError');
    assertFault(timeout, 'PART_UNREACHABLE', named, true);
  });

  it('makes PART_UNREACHABLE of an answer that waiting helps against', () => {
    const loading = error('KafkaJSProtocolError', {
      type: 'GROUP_LOAD_IN_PROGRESS',
      retriable: true,
    });
    const message =
      'Kafka cannot answer now [address=a:1,b:2, topic=t, reason=GROUP_LOAD_IN_PROGRESS]';
    assertFault(loading, 'PART_UNREACHABLE', message, true);
  });

  it('makes TOPIC_MISSING of an unknown topic, whatever else is said', () => {
    const unknown = error('KafkaJSProtocolError', {
      type: 'UNKNOWN_TOPIC_OR_PARTITION',
      retriable: true,
    });
    const wrapped = error('KafkaJSNumberOfRetriesExceeded', { cause: unknown });
    const message = 'Kafka does not know the topic or topic partition [address=a:1,b:2, topic=t]';
    assertFault(wrapped, 'TOPIC_MISSING', message, true);
  });

  it('makes CONFIG_INVALID of a refused login, which no retry helps', () => {
    const refused = error('KafkaJSSASLAuthenticationError');
    const message =
      'Kafka refuses the login [address=a:1,b:2, topic=t, reason=KafkaJSSASLAuthenticationError]';
    assertFault(refused, 'CONFIG_INVALID', message, false);
  });

  it('lets anything else pass as it is', () => {
    const others = [
      new TypeError('x'),
      error('KafkaJSProtocolError', { type: 'INVALID_TOPIC_EXCEPTION', retriable: false }),
      new IngotError('INPUT_INVALID', 'x', { retryable: false }),
      'text',
    ];
    for (const other of others) assert.equal(toKafkaFault(call, other), other);
  });
});
