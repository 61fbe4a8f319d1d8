import { z } from 'zod';
import type { Dataset, GoldTable } from '../lake/dataset.ts';
import type { Column, Table, WindowedTable } from '../lake/table.ts';
import { parseInstant } from '../lake/time.ts';
import { allowedValues, contractColumns, contractHash, field, fieldRules } from './contract.ts';

/*
 * The dataset `events`: user activity (family A) and e-commerce events (family B) under one
 * contract. Enum spellings, bounds and required fields are Ingot's own choice; where they come
 * from is said in docs/data-contract.md, which is generated from this file.
 */

export const eventTypes = ['page_view', 'search', 'add_to_cart', 'purchase'] as const;
export const devices = ['desktop', 'mobile', 'tablet'] as const;
export const categories = [
  'Electronics',
  'Books',
  'Home',
  'Clothing',
  'Sports',
  'Toys',
  'Beauty',
  'Grocery',
] as const;

export const thresholds = {
  price_min: 0.01,
  price_max: 100_000,
  quantity_min: 1,
  quantity_max: 10_000,
  /** A window of at least `rejected_rows_min` rows waits for a person above this share of rejects. */
  rejected_share_max: 0.5,
  rejected_rows_min: 100,
  /** Silver of the S004 source is expected to be up to a tenth smaller than bronze (S004-32). */
  duplicate_share_warn: 0.1,
} as const;

/** Fields that each event type must have, beside those that every event has. */
export const requiredByType = {
  page_view: [],
  search: ['search_query'],
  add_to_cart: ['product_id', 'category', 'price'],
  purchase: ['product_id', 'category', 'price'],
} as const satisfies Record<(typeof eventTypes)[number], readonly string[]>;

/** Half a surrogate pair is no character: UTF-8 cannot hold it, and no engine would give it back. */
const wellFormed = (text: string): boolean => !/\p{Surrogate}/u.test(text);
const characters = (max: number) =>
  z.string().min(1).max(max).refine(wellFormed, 'holds half a surrogate pair');

const id = (description: string) => field(characters(200), { columnType: 'string', description });
const text = (description: string, max: number) =>
  field(characters(max).nullish(), { columnType: 'string', description });

/** Years before 100 are none: what follows the contract, ingest can place. */
const isInstant = (text: string): boolean => parseInstant(text) !== null;
const price = z
  .number()
  .min(thresholds.price_min)
  .max(thresholds.price_max)
  .refine((value) => Number(value.toFixed(2)) === value, 'has more than two decimals');

export const eventContract = z
  .object({
    event_id: id('Identity of the event; equal ids in one window are duplicates.'),
    event_type: field(z.enum(eventTypes), {
      columnType: 'string',
      description: 'What happened.',
      valueAliases: { view: 'page_view', cart: 'add_to_cart' },
    }),
    timestamp: field(z.iso.datetime({ offset: true }).refine(isInstant, 'is no time'), {
      columnType: 'timestamp',
      column: 'event_ts',
      description: 'When it happened, ISO-8601 with Z or an offset; kept in UTC.',
    }),
    user_id: id('Who did it.'),
    session_id: id('The visit in which it happened.'),
    device: field(z.enum(devices), { columnType: 'string', description: 'Kind of device.' }),
    location: text('Country, ISO 3166-1 alpha-2.', 100),
    product_id: text('The product seen, put in the cart or bought.', 200),
    product_name: text('Display name of the product.', 500),
    category: field(characters(100).nullish(), {
      columnType: 'string',
      description: 'Product category; required where there is a product.',
    }),
    price: field(price.nullish(), {
      columnType: 'decimal(12,2)',
      description: 'Unit price, at most two decimals; one currency.',
    }),
    quantity: field(z.int().min(thresholds.quantity_min).max(thresholds.quantity_max).nullish(), {
      columnType: 'int',
      description: 'Units; 1 where a cart or purchase says nothing.',
    }),
    search_query: text('What was searched for.', 1_000),
    page_url: text('The page viewed.', 2_000),
  })
  .superRefine((event, context) => {
    const required: readonly string[] = [
      ...requiredByType[event.event_type],
      ...(event.product_id == null ? [] : ['category']),
    ];
    for (const name of required) {
      if (event[name as keyof typeof event] == null) {
        context.addIssue({
          code: 'custom',
          path: [name],
          message: `required for ${event.event_type}`,
        });
      }
    }
  });

/** An event as a producer sends it. */
export type Event = z.infer<typeof eventContract>;

const envelope: readonly Column[] = [
  { name: '_ingest_ts', type: 'timestamp', comment: 'Time of the plan of the batch.' },
  { name: '_family', type: 'string', comment: 'A: user activity, B: e-commerce.' },
  { name: '_source', type: 'string', comment: 'kafka or s3.' },
  { name: '_topic', type: 'string', comment: 'Kafka topic.' },
  { name: '_partition', type: 'int', comment: 'Kafka topic partition.' },
  { name: '_offset', type: 'bigint', comment: 'Kafka offset.' },
  { name: '_source_file', type: 'string', comment: 'Object it came from, null for Kafka.' },
  { name: '_batch_id', type: 'string', comment: 'Source log and number of the batch.' },
];

const contractPart = contractColumns(eventContract);
const string = (name: string, comment: string): Column => ({ name, type: 'string', comment });
const count = (name: string, comment: string): Column => ({ name, type: 'bigint', comment });
const money = (name: string, comment: string): Column => ({
  name,
  type: 'decimal(18,2)',
  comment,
});
const rate = (name: string, comment: string): Column => ({ name, type: 'double', comment });

const ingestHour: readonly Column[] = [
  string('year', 'Ingest year, UTC.'),
  string('month', 'Ingest month 01–12, UTC.'),
  string('day', 'Ingest day 01–31, UTC.'),
  string('hour', 'Ingest hour 00–23, UTC.'),
];
const eventDate: Column = { name: 'event_date', type: 'date', comment: 'UTC date of the event.' };
const eventHour = string('hour', 'UTC hour of the event, 00–23.');

const bronze: Table = {
  layer: 'bronze',
  name: 'events',
  comment: 'Every record that could be placed, as it came.',
  columns: [
    ...contractPart,
    ...envelope,
    { name: '_kafka_ts', type: 'timestamp', comment: "The broker's time of the record." },
    string('_key', 'Kafka key, UTF-8; base64: in front where it is not.'),
    string('_headers', 'Kafka headers as a JSON object, null without any.'),
    string('_extra', 'Fields that the contract does not know, as a JSON object.'),
    string('_raw', 'The record as it came, where a field broke its type.'),
    string('_type_errors', 'Fields that broke their type, separated by commas.'),
  ],
  partitionColumns: ingestHour,
};

const named = (names: readonly string[]): Column[] =>
  names.map((name) => [...contractPart, ...envelope].find((column) => column.name === name)!);

const silver: WindowedTable = {
  layer: 'silver',
  name: 'events_cleaned',
  comment: 'One row per distinct event: typed, checked, deduplicated.',
  grain: 'hour',
  columns: [
    ...named(['_family', 'event_id', 'user_id', 'session_id', 'event_ts', 'device', 'location']),
    ...named(['product_id', 'product_name', 'category', 'price', 'quantity']),
    money('revenue', 'price × quantity of a purchase, else null.'),
    ...named(['search_query', 'page_url', '_source', '_topic', '_partition', '_offset']),
    ...named(['_batch_id', '_ingest_ts']),
  ],
  partitionColumns: [eventDate, eventHour, string('event_type', 'What happened.')],
};

const quarantine: Table = {
  layer: 'silver',
  name: 'quarantine',
  comment: 'Rows of bronze that broke their contract, with the rule.',
  columns: [
    string('rule', 'The check that rejected the row.'),
    string('reason', 'What was wrong, with the value.'),
    ...bronze.columns,
  ],
  partitionColumns: [eventDate, eventHour],
};

function gold(name: string, grain: 'hour' | 'day', comment: string, columns: Column[]): GoldTable {
  const day = name === 'top_products' ? { ...eventDate, name: 'as_of_date' } : eventDate;
  const partitionColumns = grain === 'hour' ? [day, eventHour] : [day];
  return { layer: 'gold', name, grain, comment, columns, partitionColumns };
}

const product = [
  string('product_id', 'Product.'),
  string('product_name', 'Its latest name.'),
  string('category', 'Its latest category.'),
];
const windowStart: Column = {
  name: 'window_start',
  type: 'timestamp',
  comment: 'Start of the window.',
};

const goldTables: readonly GoldTable[] = [
  gold('conversion_funnel', 'day', 'Views, carts and purchases per product and day.', [
    ...product,
    count('views', 'Page views of the product.'),
    count('carts', 'Times put in a cart.'),
    count('purchases', 'Purchases.'),
    rate('view_to_cart_rate', 'carts ÷ views, null without views.'),
    rate('cart_to_purchase_rate', 'purchases ÷ carts, null without carts.'),
    rate('view_to_purchase_rate', 'purchases ÷ views, null without views.'),
  ]),
  gold('hourly_revenue', 'hour', 'Revenue per hour.', [
    money('total_revenue', 'Sum of revenue.'),
    count('order_count', 'Purchases.'),
    money('avg_order_value', 'total_revenue ÷ order_count, two decimals, null without orders.'),
  ]),
  gold('top_products', 'day', 'The ten most viewed products of a day.', [
    { name: 'rank', type: 'int', comment: '1 to 10; ties by product_id.' },
    ...product,
    count('view_count', 'Page views.'),
  ]),
  gold('category_performance', 'day', 'Events per category and day.', [
    string('category', 'Category.'),
    count('event_count', 'Events.'),
    count('view_count', 'Page views.'),
    count('cart_count', 'Times put in a cart.'),
    count('purchase_count', 'Purchases.'),
  ]),
  gold('user_activity', 'day', 'Distinct users and sessions per day.', [
    count('unique_users', 'Distinct users.'),
    count('unique_sessions', 'Distinct sessions.'),
  ]),
  gold('activity_summary', 'day', 'Activity per type, device and location.', [
    string('event_type', 'What happened.'),
    string('device', 'Kind of device.'),
    string('location', 'Country.'),
    count('event_count', 'Events.'),
    count('unique_users', 'Distinct users.'),
    count('unique_sessions', 'Distinct sessions.'),
  ]),
  gold('event_metrics', 'hour', 'Counts and revenue per hour and event type.', [
    windowStart,
    string('event_type', 'What happened.'),
    count('event_count', 'Events.'),
    money('total_revenue', 'Sum of revenue, 0 without any.'),
    money('avg_revenue', 'Average revenue of the rows that have one, null without any.'),
  ]),
  gold('product_revenue', 'day', 'Revenue per product and day.', [
    ...product.slice(0, 2),
    money('total_revenue', 'Sum of revenue.'),
    count('units', 'Units sold.'),
  ]),
  gold('device_summary', 'day', 'Activity per device and day.', [
    string('device', 'Kind of device.'),
    count('event_count', 'Events.'),
    count('unique_users', 'Distinct users.'),
    money('total_revenue', 'Sum of revenue, 0 without any.'),
  ]),
];

const placement = {
  idField: 'event_id',
  timeField: 'timestamp',
  eventTimeMin: '2000-01-01T00:00:00.000Z',
  eventTimeAheadMsMax: 5 * 60_000,
} as const;

/** Family A lives in topics named `user-activity…`; every other topic holds family B. */
function familyOf(topic: string): string {
  return topic.startsWith('user-activity') ? 'A' : 'B';
}

export const events: Dataset = {
  name: 'events',
  fields: fieldRules(eventContract),
  placement,
  bronze,
  silver,
  gold: goldTables,
  quarantine,
  allowedValues: allowedValues(eventContract),
  thresholds,
  contractHash: contractHash(eventContract, { thresholds, placement, requiredByType }),
  familyOf,
};
