import assert from 'node:assert/strict';
import { categories } from '../../src/datasets/events.ts';
import { generateEvents, type Profile, type Rates } from '../../src/producer/events.ts';
import { hourWeights } from '../../src/producer/stream-times.ts';

type Event = {
  readonly event_id: string;
  readonly event_type: string;
  readonly timestamp: string;
  readonly user_id: string;
  readonly session_id: string;
  readonly device: string;
  readonly location: string;
  readonly product_id?: string;
  readonly product_name?: string;
  readonly category?: string;
  readonly price?: number;
  readonly quantity?: number;
  readonly search_query?: string;
  readonly page_url?: string;
};

/** The good events of a stream with faults between them. */
function eventsOf(profile: Profile, count: number, faults: Partial<Rates> = {}): Event[] {
  const stream = generateEvents({
    profile,
    seed: 3,
    start: '2026-08-20T00:00:00.000Z',
    end: '2026-08-21T00:00:00.000Z',
    count,
    rates: faults,
  });
  return [...stream]
    .filter(({ fault }) => fault === null)
    .map(({ value }) => JSON.parse(value.toString()) as Event);
}

const isView = ({ event_type }: Event) => ['page_view', 'view'].includes(event_type);
const isCart = ({ event_type }: Event) => ['add_to_cart', 'cart'].includes(event_type);
const isPurchase = ({ event_type }: Event) => event_type === 'purchase';

function countBy<T>(items: readonly T[], key: (item: T) => string): Map<string, number> {
  const counts = new Map<string, number>();
  for (const item of items) counts.set(key(item), (counts.get(key(item)) ?? 0) + 1);
  return counts;
}

function shareOfTop(counts: ReadonlyMap<string, number>, top: number): number {
  const sorted = [...counts.values()].sort((left, right) => right - left);
  const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0);
  return sum(sorted.slice(0, top)) / sum(sorted);
}

describe('the shop of generateEvents', function () {
  this.timeout(90_000);
  let all: Event[];
  let views: Event[];
  before(() => {
    all = eventsOf('ecommerce', 20_000, { late: 0.03, malformed: 0.05 });
    views = all.filter((event) => isView(event) && event.product_id !== undefined);
  });

  it('has a few products that most look at', () => {
    const counts = countBy(views, ({ product_id }) => product_id ?? '');
    const tenth = Math.ceil(counts.size / 10);
    assert.ok(counts.size > 500);
    assert.ok(shareOfTop(counts, tenth) > 0.4, `${shareOfTop(counts, tenth)} of ${tenth}`);
  });

  it('has a few users who come often', () => {
    const counts = countBy(all, ({ user_id }) => user_id);
    assert.ok(shareOfTop(counts, Math.ceil(counts.size / 10)) > 0.25);
  });

  it('sells in all eight categories, not evenly', () => {
    const counts = countBy(views, ({ category }) => category ?? '');
    assert.deepEqual([...counts.keys()].sort(), [...categories].sort());
    const sizes = [...counts.values()];
    assert.ok(Math.max(...sizes) > 3 * Math.min(...sizes), sizes.join(' '));
  });

  it('gives a product one name, category and price, and a user one device and location', () => {
    const products = all.filter(({ product_id }) => product_id !== undefined);
    const told = (event: Event) => `${event.product_name} ${event.category} ${event.price}`;
    const ids = new Set(products.map(({ product_id }) => product_id));
    assert.equal(
      new Set(products.map((event) => `${event.product_id} ${told(event)}`)).size,
      ids.size,
    );
    const users = new Set(all.map(({ user_id }) => user_id));
    const homes = new Set(
      all.map(({ user_id, device, location }) => [user_id, device, location].join()),
    );
    assert.equal(homes.size, users.size);
  });

  it('keeps its products when the stream begins at another time', () => {
    const later = generateEvents({
      profile: 'ecommerce',
      seed: 3,
      start: '2027-01-01T00:00:00.000Z',
      rate: 1,
      count: 500,
    });
    const known = new Map(all.map(({ product_id, price }) => [product_id, price]));
    const seen = [...later].map(({ value }) => JSON.parse(value.toString()) as Event);
    const both = seen.filter(({ product_id }) => product_id !== undefined && known.has(product_id));
    assert.ok(both.length > 200);
    assert.ok(both.every(({ product_id, price }) => known.get(product_id) === price));
  });

  it('asks prices with two decimals, most of them small', () => {
    const prices = new Map(views.map(({ product_id, price }) => [product_id, price ?? 0]));
    const sorted = [...prices.values()].sort((left, right) => left - right);
    assert.ok(sorted.every((price) => Number(price.toFixed(2)) === price && price >= 0.01));
    const [median = 0, mean] = [
      sorted[sorted.length >> 1],
      sorted.reduce((sum, price) => sum + price, 0) / sorted.length,
    ];
    assert.ok(mean > 1.3 * median, `mean ${mean}, median ${median}`);
  });

  it('turns views into carts and carts into purchases at the rates of a shop', () => {
    const carts = all.filter(isCart).length;
    const purchases = all.filter(isPurchase).length;
    const cartRate = carts / views.length;
    const purchaseRate = purchases / carts;
    assert.ok(cartRate > 0.1 && cartRate < 0.15, `view to cart ${cartRate}`);
    assert.ok(purchaseRate > 0.34 && purchaseRate < 0.41, `cart to purchase ${purchaseRate}`);
  });

  it('shows a product in a visit before it is put in the cart, and sells from the cart', () => {
    const seen = new Map<string, string>();
    for (const event of all) {
      const key = `${event.session_id} ${event.product_id}`;
      const step = `${key} ${isPurchase(event) ? 'cart' : 'view'}`;
      if (isCart(event) || isPurchase(event)) {
        assert.ok((seen.get(step) ?? '~') <= event.timestamp, step);
      }
      if (isView(event)) seen.set(`${key} view`, event.timestamp);
      if (isCart(event)) seen.set(`${key} cart`, event.timestamp);
    }
  });

  it('keeps a visit to one user, and its events in order', () => {
    const last = new Map<string, Event>();
    for (const event of all) {
      const before = last.get(event.session_id);
      if (before !== undefined) {
        assert.equal(event.user_id, before.user_id);
        assert.ok(event.timestamp >= before.timestamp);
      }
      last.set(event.session_id, event);
    }
    assert.ok(all.length / last.size > 3 && all.length / last.size < 12);
  });

  it('buys small quantities, and sometimes says none', () => {
    const bought = all.filter(isPurchase).map(({ quantity }) => quantity);
    const said = bought.filter((quantity) => quantity !== undefined);
    assert.ok(said.length > 0.7 * bought.length && said.length < bought.length);
    assert.ok(said.filter((quantity) => quantity === 1).length > 0.6 * said.length);
    assert.ok(said.some((quantity) => quantity > 1));
  });

  it('follows the rhythm of the day', () => {
    const punctual = eventsOf('ecommerce', 10_000);
    const hours = countBy(punctual, ({ timestamp }) => timestamp.slice(11, 13));
    const total = hourWeights.reduce<number>((sum, weight) => sum + weight, 0);
    hourWeights.forEach((weight, hour) => {
      const expected = (weight / total) * punctual.length;
      const found = hours.get(String(hour).padStart(2, '0')) ?? 0;
      assert.ok(Math.abs(found - expected) <= 2, `hour ${hour}: ${found}, expected ${expected}`);
    });
  });

  it('has many visits at once when it is busy', () => {
    const busy = all.filter(({ timestamp }) => timestamp.slice(11, 16) === '20:30');
    assert.ok(new Set(busy.map(({ session_id }) => session_id)).size > 10);
  });
});

describe('the user activity of generateEvents', () => {
  it('is page views without a product and searches, and nothing else', () => {
    const all = eventsOf('user-activity', 5_000);
    assert.ok(
      all.every(({ product_id, price }) => product_id === undefined && price === undefined),
    );
    const searches = all.filter(({ event_type }) => event_type === 'search');
    assert.ok(searches.length > 500 && searches.length < 2_000);
    assert.ok(searches.every(({ search_query }) => (search_query ?? '') !== ''));
    const views = all.filter(isView);
    assert.equal(views.length + searches.length, all.length);
    assert.ok(views.every(({ page_url }) => page_url?.startsWith('/')));
    assert.deepEqual([...new Set(all.map(({ device }) => device))].sort(), [
      'desktop',
      'mobile',
      'tablet',
    ]);
  });
});
