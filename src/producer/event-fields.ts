import { formatInstant } from '../lake/time.ts';
import type { Product } from './catalogue.ts';
import type { Happening } from './sessions.ts';
import type { Random } from './random.ts';

/** An event as it is sent, in the order of its fields. A fault may put anything anywhere. */
export type EventFields = Readonly<Record<string, string | number | null>>;

const extraFieldShare = 0.02;

/** Gives a happening its fields and an id of its own. */
export function toEventFields(happening: Happening, random: Random): EventFields {
  const { step, user, sessionId, eventTimeMs } = happening;
  return {
    event_id: random.uuid(),
    event_type: typeOf(happening),
    timestamp: formatInstant(eventTimeMs),
    user_id: user.id,
    session_id: sessionId,
    device: user.device,
    location: user.location,
    ...detailsOf(step),
    // A field that the contract does not know: clients are updated before the contract is.
    ...(random.chance(extraFieldShare) ? { ab_variant: random.pick(['a', 'b']) } : {}),
  };
}

function typeOf({ step, user }: Happening): string {
  switch (step.kind) {
    case 'view':
    case 'page':
      return user.saysShort ? 'view' : 'page_view';
    case 'search':
      return 'search';
    case 'cart':
      return user.saysShort ? 'cart' : 'add_to_cart';
    case 'purchase':
      return 'purchase';
  }
}

function detailsOf(step: Happening['step']): EventFields {
  switch (step.kind) {
    case 'search':
      return { search_query: step.query };
    case 'page':
      return { page_url: step.pageUrl };
    case 'view':
      return { ...productFields(step.product), page_url: `/product/${step.product.id}` };
    case 'cart':
    case 'purchase': {
      const quantity = step.quantity === null ? {} : { quantity: step.quantity };
      return { ...productFields(step.product), ...quantity };
    }
  }
}

function productFields({ id, name, category, price }: Product): EventFields {
  return { product_id: id, product_name: name, category, price };
}
