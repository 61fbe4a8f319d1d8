import type { EventFields } from './event-fields.ts';
import type { Random } from './random.ts';
import type { Profile } from './sessions.ts';

/**
 * What can be wrong with a record. `unplaceable`: nobody can say which event it is, or when it
 * happened, so it becomes a dead letter. `contract`: it has its place in bronze, and silver rejects
 * it.
 */
export type Fault = 'unplaceable' | 'contract';

export type Corrupted = {
  readonly value: string | Buffer;
  readonly fault: Fault;
  readonly faultName: string;
};

type Corrupt = (event: EventFields, random: Random) => string | Buffer;

const without = (event: EventFields, name: string): EventFields =>
  Object.fromEntries(Object.entries(event).filter(([field]) => field !== name));
const changed = (change: EventFields): Corrupt => {
  return (event) => JSON.stringify({ ...event, ...change });
};

const unplaceable: Readonly<Record<string, Corrupt>> = {
  empty: () => Buffer.alloc(0),
  truncated_json: (event, random) => {
    const text = JSON.stringify(event);
    return text.slice(0, Math.floor(text.length * random.between(0.3, 0.95)));
  },
  not_json: (event) => `event ${String(event['event_id'])} for ${String(event['user_id'])}`,
  not_an_object: (event, random) => {
    const text = JSON.stringify(event);
    return random.pick([`[${text}]`, JSON.stringify(text), '42', 'null']);
  },
  not_utf8: (event) => {
    const text = Buffer.from(JSON.stringify(event));
    const middle = text.indexOf('"user_id":"') + '"user_id":"'.length;
    // 0xC3 begins a character of two bytes that never comes.
    return Buffer.concat([text.subarray(0, middle), Buffer.from([0xc3]), text.subarray(middle)]);
  },
  missing_event_id: (event) => JSON.stringify(without(event, 'event_id')),
  missing_timestamp: (event) => JSON.stringify(without(event, 'timestamp')),
  garbled_timestamp: (event, random) =>
    JSON.stringify({
      ...event,
      timestamp: random.pick(['yesterday', '2026-13-45T25:61:00Z', '21/08/2026 13:45', '0']),
    }),
};

const contract: Readonly<Record<string, Corrupt>> = {
  unknown_event_type: changed({ event_type: 'wishlist' }),
  unknown_device: changed({ device: 'smart-fridge' }),
  missing_user_id: (event) => JSON.stringify(without(event, 'user_id')),
};

const shopContract: Readonly<Record<string, Corrupt>> = {
  ...contract,
  negative_price: (event, random) =>
    JSON.stringify({ ...event, price: -Math.ceil(random.between(1, 10_000)) / 100 }),
  zero_price: changed({ price: 0 }),
  too_large_price: changed({ price: 1_000_000 }),
  price_as_text: (event) => JSON.stringify({ ...event, price: `${event['price']} EUR` }),
  purchase_without_product_id: (event) =>
    JSON.stringify({ ...without(event, 'product_id'), event_type: 'purchase' }),
};

const entriesOf = (fault: Fault, kinds: Readonly<Record<string, Corrupt>>) =>
  Object.entries(kinds).map(([faultName, corrupt]) => ({ fault, faultName, corrupt }));

const kinds: Readonly<Record<Profile, Readonly<Record<Fault, ReturnType<typeof entriesOf>>>>> = {
  ecommerce: {
    unplaceable: entriesOf('unplaceable', unplaceable),
    contract: entriesOf('contract', shopContract),
  },
  'user-activity': {
    unplaceable: entriesOf('unplaceable', unplaceable),
    contract: entriesOf('contract', contract),
  },
};

/** Spoils a good event; in the shop it must be one with a product. Both kinds are as frequent. */
export function corruptEvent(event: EventFields, profile: Profile, random: Random): Corrupted {
  const some = kinds[profile][random.chance(0.5) ? 'unplaceable' : 'contract'];
  const chosen = some[random.below(some.length)];
  if (chosen === undefined) throw new Error('every profile has faults of both kinds');
  const { fault, faultName, corrupt } = chosen;
  return { value: corrupt(event, random), fault, faultName };
}

/** Names of the faults of a profile, by kind. */
export function faultNames(profile: Profile): Readonly<Record<Fault, readonly string[]>> {
  const names = (fault: Fault) => kinds[profile][fault].map(({ faultName }) => faultName);
  return { unplaceable: names('unplaceable'), contract: names('contract') };
}
