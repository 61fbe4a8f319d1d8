import type { GoldTable } from '../lake/dataset.ts';
import { type DeadLetterReason, deadLetterReasons } from '../lake/placement.ts';
import { type Column, type Table, duckdbType, glueType } from '../lake/table.ts';
import { contractColumns, fieldRules } from './contract.ts';
import { type Event, eventContract, eventTypes, events, requiredByType } from './events.ts';
import { fieldLimits } from './field-limits.ts';
import { code, listItem, paragraph, table } from './markdown.ts';

/*
 * docs/data-contract.md, made from the contract and the tables of the dataset `events`, so that the
 * page cannot say anything else than the code does. write-data-contract.ts writes it.
 */

/** A SQL file, as far as the page tells of it. */
export type DescribedSql = {
  readonly name: string;
  readonly header: Readonly<Record<string, string>>;
};

export type DataContractSource = {
  /** The checks of the dataset, of every severity. */
  readonly checks: readonly DescribedSql[];
  /** The gold models, by table. */
  readonly gold: Readonly<Record<string, DescribedSql>>;
  readonly deadLetterColumns: readonly Column[];
};

/** The page. The same source gives the same text. */
export function dataContract(source: DataContractSource): string {
  const parts = [
    '# Data contract: `events`',
    paragraph(
      'What a record has to look like, what becomes of it, and which columns it ends in. This page ' +
        'is made from `src/datasets/events.ts` by `npm run docs`; change the contract there.',
    ),
    ...spellings(),
    ...families(),
    ...fields(),
    ...reading(),
    ...deadLetters(source),
    ...quarantine(source),
    ...sameForAllTables(),
    ...tables(source),
  ];
  return `${parts.join('\n\n')}\n`;
}

type Provenance = readonly [concept: 'stated' | 'implied' | 'own', told: string, own: string];

/** Where a field comes from. Nobody has to guess which of the names may be changed freely. */
const provenance: Readonly<Record<keyof Event | 'revenue', Provenance>> = {
  event_id: ['own', '', 'The field: duplicates cannot be told without an identity.'],
  event_type: [
    'stated',
    'Page views, searches, carts and purchases; a grouping and a partition key.',
    'The name, the four values and their aliases.',
  ],
  timestamp: ['stated', 'Events have a time that is parsed.', 'The name and the format.'],
  user_id: ['implied', 'Unique users are counted.', 'The name.'],
  session_id: ['implied', 'Unique sessions are counted.', 'The name.'],
  device: ['stated', 'Events are grouped by device.', 'The three values.'],
  location: ['stated', 'Events are grouped by location.', 'That it is a country code.'],
  product_id: ['implied', 'Funnel and revenue are told per product.', 'The name.'],
  product_name: ['own', '', 'The field: answers show it.'],
  category: ['stated', 'The key of a sample record is `category`.', 'Which categories there are.'],
  price: ['stated', 'Prices are checked for their range.', 'The name and the bounds.'],
  quantity: ['own', '', 'The field, its bounds and its default of 1.'],
  search_query: ['own', 'There are searches.', 'The field.'],
  page_url: ['own', 'There are page views.', 'The field.'],
  revenue: ['stated', 'Revenue is summed and averaged.', 'The formula, price × quantity.'],
};

function spellings(): string[] {
  const rows = Object.entries(provenance).map(([name, [concept, told, own]]) => [
    code(name),
    concept,
    told,
    own,
  ]);
  return [
    '## Where the spellings come from',
    paragraph(
      'No source gives a schema: none of the system descriptions that Ingot brings together lists ' +
        "event fields, types, allowed values or a topic name. These spellings are Ingot's own. " +
        'The table says how far each concept is sourced: _stated_ means that a description names ' +
        'it, _implied_ that something stated cannot be computed without it, _own_ that Ingot adds ' +
        "it to close a gap. All bounds and all required fields are Ingot's own too.",
    ),
    table(['field', 'concept', 'what the sources say', "what is Ingot's own"], rows),
  ];
}

function families(): string[] {
  return [
    '## Two families, one contract',
    paragraph(
      'Family A is user activity, family B e-commerce. The topic decides: records of a topic whose ' +
        'name starts with `user-activity` are family A, those of any other topic family B. Both ' +
        'are read by the same contract; a record of family A usually has no product. The family is ' +
        'the column `_family`, and gold tables about products and money count family B only, so ' +
        'that a purchase that is told in both streams is not counted twice.',
    ),
  ];
}

function fields(): string[] {
  const rules = fieldRules(eventContract);
  const comments = contractColumns(eventContract).map(({ comment }) => comment);
  const limits = fieldLimits(eventContract);
  const rows = rules.map((rule, index) => {
    const limit = limits[rule.wireName];
    const aliases = Object.entries(rule.valueAliases);
    return [
      code(rule.wireName),
      limit?.jsonType ?? '',
      limit?.isRequired === true ? 'yes' : '',
      limit?.allowed ?? '',
      aliases.map(([from, to]) => `${code(from)} → ${code(to)}`).join(', '),
      code(rule.column),
      comments[index] ?? '',
    ];
  });
  const head = ['field', 'JSON type', 'required', 'allowed', 'aliases', 'column', 'meaning'];
  const byType = eventTypes.map((type) => [
    code(type),
    requiredByType[type].map(code).join(', ') || 'nothing more',
  ]);
  return [
    '## Fields of a record',
    'A record is one JSON object in UTF-8. A field that is absent and one that is `null` are the same.',
    table(head, rows),
    'Required beside those, by event type:',
    table(['event type', 'needs'], byType),
    'Where there is a `product_id`, there must be a `category`, whatever the type.',
  ];
}

function reading(): string[] {
  const rules = [
    '**Time.** All times are UTC: an offset is applied and not kept, digits beyond milliseconds ' +
      'are cut off. Windows, dates and hours are those of UTC.',
    '**Types.** A field that is not of its JSON type is not converted: its column is null, the ' +
      'record is kept in `_raw`, and the quarantine names the field. A price with more than two ' +
      'decimals is such a field.',
    '**Unknown fields** are kept in `_extra` as JSON. One that nests too deeply to be written as ' +
      'such counts as a field that is not of its type.',
    '**Duplicates.** Events with equal `event_id` in the same hour of event time are duplicates. ' +
      'Rejected rows are left out first; of the rest, the row with the least (`_ingest_ts`, ' +
      '`_topic`, `_partition`, `_offset`, `_batch_id`) wins. While an hour is open, the row that ' +
      'was published first stays; the build of the hour when it is over sets that right. Equal ids ' +
      'in different hours of a day are different events to Ingot: both count, and the check ' +
      '`same_id_in_other_window` warns and says how many there are. Across days they are not ' +
      'looked for.',
    '**Money.** One currency. `revenue` is price × quantity of a purchase, else null; a cart or ' +
      'purchase that names no quantity is of one unit. Sums are exact decimals. Averages are ' +
      'rounded once, at the end, to two decimals, half up.',
  ];
  return ['## How a record is read', rules.map(listItem).join('\n')];
}

const reasonTexts: Readonly<Record<DeadLetterReason, string>> = {
  EMPTY: 'No bytes: a tombstone or an empty value.',
  TOO_LARGE: 'More bytes than `INGEST_RECORD_BYTES_MAX`.',
  NOT_UTF8: 'Not valid UTF-8.',
  NOT_JSON: 'Not one JSON text.',
  NOT_AN_OBJECT: 'JSON, but not an object.',
  ID_MISSING: `No \`${events.placement.idField}\`, or one that is not a non-empty text.`,
  TIME_MISSING: `No \`${events.placement.timeField}\`.`,
  TIME_UNPARSABLE: 'Not ISO-8601 with date, time, seconds, and `Z` or an offset.',
  TIME_OUT_OF_RANGE:
    `Before ${events.placement.eventTimeMin.slice(0, 10)}, or more than ` +
    `${events.placement.eventTimeAheadMsMax / 60_000} minutes after the time of ingest.`,
  REFUSED_BY_WRITER:
    'A batch was finished by another writer, whose version of the contract had refused it.',
  CSV_BROKEN: 'A line of a dropped CSV file that breaks the rules of CSV, or has other columns.',
  OBJECT_TRUNCATED: 'A dropped object ends in the middle or is damaged; what came before counts.',
  OBJECT_UNREADABLE: 'A dropped object that is as a whole not what its name says.',
};

function deadLetters({ deadLetterColumns }: DataContractSource): string[] {
  return [
    '## Dead letters',
    paragraph(
      'A record that cannot be placed, because it has no identity or no event time, does not reach ' +
        'bronze. It is kept whole in the dead letters of its batch, with one of these reasons.',
    ),
    table(
      ['reason', 'what it means'],
      deadLetterReasons.map((reason) => [code(reason), reasonTexts[reason]]),
    ),
    'Files lie under `dead_letters/events/` in the folder of their ingest hour. Their columns:',
    columnTable(deadLetterColumns, []),
  ];
}

function quarantine({ checks }: DataContractSource): string[] {
  const rules = checks.filter(({ header }) => header['severity'] === 'reject');
  return [
    '## Quarantine',
    paragraph(
      'A record that was placed and then breaks the contract is in bronze and not in silver. It is ' +
        'kept in `quarantine` with the first rule that it broke and the reasons of all. The rules ' +
        'are the files of `sql/events/checks/` with severity `reject`, named as here.',
    ),
    table(
      ['rule', 'what it means'],
      rules.map(({ name, header }) => [code(name), meaningOf(header['purpose'] ?? '')]),
    ),
  ];
}

/** Headers of checks say what a row of the answer means; here it is about the record. */
function meaningOf(purpose: string): string {
  const meant = withoutIds(purpose).replace(/^A row means /, '');
  return meant.charAt(0).toUpperCase() + meant.slice(1);
}

/** Without the marks of requirements, which only those who write the SQL can look up. */
function withoutIds(text: string): string {
  const id = '(?:C|DQ|S\\d{3})-\\d+';
  return text
    .replace(new RegExp(` \\(${id}(?:, ${id})*\\)`, 'g'), '')
    .replace(new RegExp(`${id}: `, 'g'), '')
    .replace(/\s+/g, ' ');
}

function sameForAllTables(): string[] {
  return [
    '## Tables',
    paragraph(
      'Databases are `bronze_<id>`, `silver_<id>` and `gold_<id>`, with the value of `INGOT_ID`. ' +
        'Columns that are marked as a table partition are folders and not in the files; they are ' +
        'listed outermost first. Bronze is filed by the hour of ingest, everything else by the ' +
        'time of the event.',
    ),
  ];
}

function tables({ gold }: DataContractSource): string[] {
  const { bronze, silver, quarantine: rejected } = events;
  return [
    ...tablePart(bronze, 'one row per placed record'),
    ...tablePart(silver, 'one row per event and hour'),
    ...tablePart(rejected, 'one row per rejected bronze row; not in the catalog'),
    ...events.gold.flatMap((goldTable) => goldPart(goldTable, gold[goldTable.name])),
  ];
}

function goldPart(goldTable: GoldTable, sql: DescribedSql | undefined): string[] {
  const header: DescribedSql['header'] = sql?.header ?? {};
  const every = goldTable.grain === 'hour' ? 'built per hour' : 'built per day';
  const [title = '', ...rest] = tablePart(goldTable, `${header['grain'] ?? ''}; ${every}`);
  return [title, paragraph(withoutIds(header['purpose'] ?? '')), ...rest.slice(1)];
}

function tablePart(described: Table, grain: string): string[] {
  return [
    `### ${described.layer}: \`${described.name}\``,
    described.comment,
    `Grain: ${grain}.`,
    columnTable(described.columns, described.partitionColumns),
  ];
}

function columnTable(columns: readonly Column[], partitionColumns: readonly Column[]): string {
  const row = ({ name, type, comment }: Column): string[] => [
    code(name),
    code(glueType(type)),
    code(duckdbType(type)),
    comment,
  ];
  const folders = partitionColumns.map((column) =>
    row({ ...column, comment: `Table partition. ${column.comment}` }),
  );
  return table(['column', 'Glue', 'DuckDB', 'meaning'], [...columns.map(row), ...folders]);
}
