import type { Random } from '../../../src/producer/random.ts';
import type { Produced } from './lake-check.ts';

/* Records of every kind that ingest must tell apart, and where each of them must go. */

export type ChaosRecord = Pick<Produced, 'goesTo' | 'id' | 'value'>;

type Make = (id: string, random: Random) => ChaosRecord;

const plain: Make = (id, random) =>
  bronze(id, {
    event_type: random.pick(['page_view', 'search', 'purchase']),
    user_id: `u-${random.below(1_000)}`,
    price: random.below(100_000) / 100,
    search_query: random.hex(random.below(200)),
  });

const odd: readonly [Make, ...Make[]] = [
  (id) => bronze(id, { event_type: 'purchase', price: 'a lot', quantity: {} }),
  (id) => bronze(id, { nobody: { knows: ['this', 1, null] }, text: 'é \u2028 🦆 "quoted"' }),
  (id) => ({ goesTo: 'bronze', id, value: Buffer.from(JSON.stringify(eventOf(id), null, 2)) }),
];

const broken: readonly [Make, ...Make[]] = [
  () => deadLetter(null),
  () => deadLetter(Buffer.alloc(0)),
  (id) => deadLetter(Buffer.from(`not JSON ${id}`)),
  () => deadLetter(Buffer.from([0xff, 0xfe, 0x00])),
  (id) => deadLetter(Buffer.from(JSON.stringify([id]))),
  () => deadLetter(Buffer.from(JSON.stringify({ timestamp: new Date().toISOString() }))),
  (id) => deadLetter(Buffer.from(JSON.stringify({ event_id: id, timestamp: 'noon' }))),
];

/** Before the time from which the other contract takes events, and after that of the shipped one. */
const disputed: Make = (id) => ({
  ...bronze(id, { timestamp: '2005-06-07T08:09:10Z' }),
  goesTo: 'either',
});

/** About one in ten cannot be placed, one in ten is odd, and one in ten is disputed if that is asked for. */
export function makeRecord(
  number: number,
  random: Random,
  { withDisputed }: { readonly withDisputed: boolean },
): ChaosRecord {
  const id = `event-${number}`;
  const dice = random.below(10);
  if (dice === 0) return random.pick(broken)(id, random);
  if (dice === 1) return random.pick(odd)(id, random);
  if (dice === 2 && withDisputed) return disputed(id, random);
  return plain(id, random);
}

function eventOf(id: string): Readonly<Record<string, unknown>> {
  return { event_id: id, timestamp: new Date().toISOString(), event_type: 'page_view' };
}

function bronze(id: string, fields: object): ChaosRecord {
  return {
    goesTo: 'bronze',
    id,
    value: Buffer.from(JSON.stringify({ ...eventOf(id), ...fields })),
  };
}

function deadLetter(value: Buffer | null): ChaosRecord {
  return { goesTo: 'deadLetters', id: null, value };
}
