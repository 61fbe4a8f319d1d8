import type { Row } from '../../src/ports.ts';
import type { StreamRecord } from '../../src/producer/events.ts';

/*
 * What the lake must hold, worked out from the produced records alone: plain loops, none of the
 * product's SQL and none of its rules but the words of docs/data-contract.md.
 */

export type ExpectedEvent = {
  readonly id: string;
  readonly type: string;
  readonly ms: number;
  readonly date: string;
  readonly hour: string;
  readonly user: string;
  readonly session: string;
  readonly device: string;
  readonly location: string | null;
  readonly product: string | null;
  readonly productName: string | null;
  readonly category: string | null;
  readonly quantity: number;
  /** Price × quantity in cents, purchases only. */
  readonly cents: number | null;
};

export type Expected = {
  readonly records: number;
  readonly deadLetters: number;
  readonly rejected: number;
  readonly duplicates: number;
  readonly events: readonly ExpectedEvent[];
};

const aliases: Readonly<Record<string, string>> = { view: 'page_view', cart: 'add_to_cart' };

export function expectedFrom(records: readonly StreamRecord[]): Expected {
  const events = new Map<string, ExpectedEvent>();
  let deadLetters = 0;
  let rejected = 0;
  let duplicates = 0;
  for (const record of records) {
    if (record.fault === 'unplaceable') deadLetters += 1;
    else if (record.fault === 'contract') rejected += 1;
    else {
      const event = toEvent(JSON.parse(String(record.value)) as Record<string, unknown>);
      const key = `${event.date}T${event.hour} ${event.id}`;
      if (events.has(key)) duplicates += 1;
      else events.set(key, event);
    }
  }
  return {
    records: records.length,
    deadLetters,
    rejected,
    duplicates,
    events: [...events.values()],
  };
}

function toEvent(wire: Record<string, unknown>): ExpectedEvent {
  const ms = Date.parse(wire.timestamp as string);
  const instant = new Date(ms).toISOString();
  const type = aliases[wire.event_type as string] ?? (wire.event_type as string);
  const quantity = (wire.quantity as number | null | undefined) ?? 1;
  const price = wire.price as number | null | undefined;
  return {
    id: wire.event_id as string,
    type,
    ms,
    date: instant.slice(0, 10),
    hour: instant.slice(11, 13),
    user: wire.user_id as string,
    session: wire.session_id as string,
    device: wire.device as string,
    location: text(wire.location),
    product: text(wire.product_id),
    productName: text(wire.product_name),
    category: text(wire.category),
    quantity,
    cents: type === 'purchase' ? Math.round(price! * 100) * quantity : null,
  };
}

type Cells = Readonly<Record<string, string | number | null>>;

/** Rows of each gold table; the product's answers must be the same rows in any order. */
export function expectedGold(events: readonly ExpectedEvent[]): Record<string, Cells[]> {
  const days = groupBy(events, (event) => event.date);
  const hours = groupBy(events, (event) => `${event.date} ${event.hour}`);
  return {
    conversion_funnel: perProduct(events, ({ date, product, list }) => {
      const [views, carts, purchases] = ['page_view', 'add_to_cart', 'purchase'].map(
        (type) => list.filter((event) => event.type === type).length,
      ) as [number, number, number];
      if (views + carts + purchases === 0) return null;
      return {
        event_date: date,
        product_id: product,
        ...latest(list),
        views,
        carts,
        purchases,
        view_to_cart_rate: views === 0 ? null : carts / views,
        cart_to_purchase_rate: carts === 0 ? null : purchases / carts,
        view_to_purchase_rate: views === 0 ? null : purchases / views,
      };
    }),
    hourly_revenue: [...hours].map(([key, list]) => {
      const [event_date = '', hour = ''] = key.split(' ');
      const sold = list.filter((event) => event.cents !== null);
      return {
        event_date,
        hour,
        total_revenue: money(revenue(list)),
        order_count: sold.length,
        avg_order_value: sold.length === 0 ? null : money(halfUp(revenue(list), sold.length)),
      };
    }),
    top_products: [...days].flatMap(([date, list]) => topTen(date, list)),
    category_performance: grouped(
      events.filter((event) => event.category !== null),
      ({ date, category }) => [date, category!],
      ([event_date, category], list) => ({
        event_date: event_date!,
        category: category!,
        event_count: list.length,
        view_count: ofType(list, 'page_view'),
        cart_count: ofType(list, 'add_to_cart'),
        purchase_count: ofType(list, 'purchase'),
      }),
    ),
    user_activity: [...days].map(([event_date, list]) => ({
      event_date,
      unique_users: distinct(list, (event) => event.user),
      unique_sessions: distinct(list, (event) => event.session),
    })),
    activity_summary: grouped(
      events,
      ({ date, type, device, location }) => [date, type, device, location ?? '\0'],
      ([event_date, event_type, device, location], list) => ({
        event_date: event_date!,
        event_type: event_type!,
        device: device!,
        location: location === '\0' ? null : location!,
        event_count: list.length,
        unique_users: distinct(list, (event) => event.user),
        unique_sessions: distinct(list, (event) => event.session),
      }),
    ),
    event_metrics: grouped(
      events,
      ({ date, hour, type }) => [date, hour, type],
      ([date, hour, event_type], list) => {
        const sold = list.filter((event) => event.cents !== null);
        return {
          window_start: `${date} ${hour}:00:00`,
          event_type: event_type!,
          event_count: list.length,
          total_revenue: money(revenue(list)),
          avg_revenue: sold.length === 0 ? null : money(halfUp(revenue(list), sold.length)),
        };
      },
    ),
    product_revenue: perProduct(events, ({ date, product, list }) => {
      const sold = list.filter((event) => event.type === 'purchase');
      if (sold.length === 0) return null;
      return {
        event_date: date,
        product_id: product,
        product_name: latest(list).product_name!,
        total_revenue: money(revenue(sold)),
        units: sold.reduce((sum, event) => sum + event.quantity, 0),
      };
    }),
    device_summary: grouped(
      events,
      ({ date, device }) => [date, device],
      ([event_date, device], list) => ({
        event_date: event_date!,
        device: device!,
        event_count: list.length,
        unique_users: distinct(list, (event) => event.user),
        total_revenue: money(revenue(list)),
      }),
    ),
  };
}

function topTen(date: string, list: readonly ExpectedEvent[]): Cells[] {
  const views = list.filter((event) => event.type === 'page_view' && event.product !== null);
  return [...groupBy(views, (event) => event.product!)]
    .sort(([a, x], [b, y]) => y.length - x.length || (a < b ? -1 : 1))
    .slice(0, 10)
    .map(([product_id, seen], index) => ({
      as_of_date: date,
      rank: index + 1,
      product_id,
      ...latest(list.filter((event) => event.product === product_id)),
      view_count: seen.length,
    }));
}

function perProduct(
  events: readonly ExpectedEvent[],
  row: (group: { date: string; product: string; list: readonly ExpectedEvent[] }) => Cells | null,
): Cells[] {
  const withProduct = events.filter((event) => event.product !== null);
  return grouped(
    withProduct,
    ({ date, product }) => [date, product!],
    ([date, product], list) => row({ date: date!, product: product!, list }),
  );
}

function grouped(
  events: readonly ExpectedEvent[],
  key: (event: ExpectedEvent) => string[],
  row: (key: string[], list: readonly ExpectedEvent[]) => Cells | null,
): Cells[] {
  return [...groupBy(events, (event) => JSON.stringify(key(event)))].flatMap(([name, list]) => {
    const made = row(JSON.parse(name) as string[], list);
    return made === null ? [] : [made];
  });
}

function latest(list: readonly ExpectedEvent[]): {
  product_name: string | null;
  category: string | null;
} {
  const last = list.reduce((a, b) => (b.ms > a.ms || (b.ms === a.ms && b.id > a.id) ? b : a));
  return { product_name: last.productName, category: last.category };
}

function ofType(list: readonly ExpectedEvent[], type: string): number {
  return list.filter((event) => event.type === type).length;
}

function distinct(list: readonly ExpectedEvent[], of: (event: ExpectedEvent) => string): number {
  return new Set(list.map(of)).size;
}

function revenue(list: readonly ExpectedEvent[]): number {
  return list.reduce((sum, event) => sum + (event.cents ?? 0), 0);
}

/** Cents per order, half a cent up. */
function halfUp(cents: number, count: number): number {
  const whole = Math.floor(cents / count);
  return 2 * (cents - whole * count) >= count ? whole + 1 : whole;
}

function money(cents: number): string {
  return `${Math.floor(cents / 100)}.${String(cents % 100).padStart(2, '0')}`;
}

function groupBy<T>(items: readonly T[], key: (item: T) => string): Map<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const item of items) {
    const name = key(item);
    const group = groups.get(name);
    if (group === undefined) groups.set(name, [item]);
    else group.push(item);
  }
  return groups;
}

function text(value: unknown): string | null {
  return typeof value === 'string' ? value : null;
}

/** Rows as texts in one order: rates to twelve digits, since the two sides divide in other ways. */
export function sorted(rows: readonly Row[], columns: readonly string[]): string[] {
  const text = (value: unknown) =>
    typeof value === 'number' && !Number.isInteger(value) ? value.toPrecision(12) : value;
  return rows.map((row) => JSON.stringify(columns.map((name) => text(row[name] ?? null)))).sort();
}
