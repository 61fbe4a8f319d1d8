import type { IHeaders, KafkaMessage } from 'kafkajs';
import type { SourceRecord } from '../ports.ts';

/* Messages as kafkajs decodes them; only brokers before 4.0 may still send what needs that. */

export function recordOf(message: KafkaMessage): SourceRecord {
  return {
    offset: message.offset,
    timestampMs: Number(message.timestamp),
    key: message.key,
    value: message.value,
    headers: message.headers === undefined ? null : headersOf(message.headers),
  };
}

function headersOf(headers: IHeaders): SourceRecord['headers'] {
  const entries = Object.entries(headers);
  if (entries.length === 0) return null;
  // A header without a value and one with no bytes are the same to us.
  const toBytes = (value: Buffer | string | null | undefined): Uint8Array =>
    typeof value === 'string' ? Buffer.from(value) : (value ?? Buffer.alloc(0));
  return Object.fromEntries(
    entries.map(([name, value]) => [name, (Array.isArray(value) ? value : [value]).map(toBytes)]),
  );
}
