import { createKafka, ensureTopic, withAdmin } from '../../src/adapters/kafka-client.ts';
import { loadConfig } from '../../src/config.ts';
import { formatInstant } from '../../src/lake/time.ts';
import { generateEvents, type StreamRecord } from '../../src/producer/events.ts';
import { sendEvents } from '../../src/producer/send-events.ts';
import { silentLogger } from './measure.ts';
import type { ProducerSpec, Produced } from './freshness-process.ts';

/*
 * A process that sends events at an even rate until its standard input ends, or so many as fast as
 * the broker takes them. After each batch it tells which markers were in it.
 */

/** Events of the generator, which is slow; each is sent many times, with an id and a time of its own. */
const distinctEvents = 20_000;
const seed = 20_260_821;

const spec = JSON.parse(process.argv[2]!) as ProducerSpec;
const stopped = new AbortController();
process.stdin.once('end', () => stopped.abort()).resume();
// The one who started this process decides when it ends.
for (const name of ['SIGINT', 'SIGTERM'] as const) process.once(name, () => undefined);
const kafka = createKafka(loadConfig(process.env), silentLogger);
await withAdmin(kafka, (admin) => ensureTopic(admin, spec.topic, spec.partitions));
const markerEvery = Math.max(1, Math.round((spec.rate ?? Infinity) / spec.markersPerSecond));
const markers = new Set<string>();
await sendEvents({
  kafka,
  topic: spec.topic,
  records: records(),
  ...(spec.rate === null ? {} : { ratePerSecond: spec.rate }),
  signal: stopped.signal,
  onSent: (sent) => {
    const found = sent.filter(({ value }) => markers.delete(idOf(value)));
    const produced: Produced = {
      sent: sent.length,
      markers: found.map(({ value, timestampMs }) => ({
        id: idOf(value),
        producedMs: timestampMs,
      })),
    };
    process.stdout.write(`${JSON.stringify(produced)}\n`);
  },
});
process.exit(0);

function* records(): Generator<StreamRecord> {
  const start = formatInstant(Date.now() - 3_600_000);
  const rates = { duplicates: 0, malformed: 0, late: 0 };
  const templates = [
    ...generateEvents({
      profile: 'ecommerce',
      seed,
      start,
      rates,
      rate: 100,
      count: distinctEvents,
    }),
  ];
  const { count, firstSerial, fromMs } = spec;
  const untilMs = Date.now();
  for (let sent = 0; count === null || sent < count; sent += 1) {
    const template = templates[sent % templates.length]!;
    // Taken when its batch is made: the moment at which it is handed to the producer.
    const timestampMs =
      count === null ? Date.now() : Math.floor(fromMs + ((untilMs - fromMs) * sent) / count);
    const value = stamped(template.value.toString(), firstSerial + sent, timestampMs);
    if (count === null && sent % markerEvery === 0) markers.add(idOf(value));
    yield { ...template, value, timestampMs };
  }
}

/** The first eight digits of its UUID become a number: as random as before, and never twice. */
function stamped(value: string, serial: number, timestampMs: number): string {
  const digits = ((serial * 2_654_435_761) % 4_294_967_296).toString(16).padStart(8, '0');
  return value
    .replace(/("event_id":")[0-9a-f]{8}/, `$1${digits}`)
    .replace(/("timestamp":")[^"]*/, `$1${formatInstant(timestampMs)}`);
}

function idOf(value: string | Buffer): string {
  return /"event_id":"([^"]*)"/.exec(value.toString())?.[1] ?? '';
}
