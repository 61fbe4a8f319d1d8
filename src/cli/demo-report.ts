import type { LakeFigures } from '../activities/figures.ts';
import { type Answer, ask } from '../activities/query.ts';
import type { Config } from '../config.ts';
import type { Dataset } from '../lake/dataset.ts';
import { laneId, ownerId, scheduleId } from '../lake/messages.ts';
import type { Ports, Row } from '../ports.ts';
import type { CliContext } from './context.ts';
import { printAnswer } from './query.ts';

/* What the demo says at the end. Results go to stdout. */

/** The five required questions, in their order (S004-21). */
const requiredQuestions = [
  {
    name: 'conversion_funnel',
    title: 'View → cart → purchase of the most viewed products',
    rows: 10,
  },
  { name: 'hourly_revenue', title: 'Revenue by hour of day', rows: 24 },
  { name: 'top_products', title: 'Ten most viewed products', rows: 10 },
  { name: 'category_performance', title: 'Events per day and category', rows: 16 },
  { name: 'user_activity', title: 'Distinct users and sessions per day', rows: 10 },
] as const;

export type ReportInput = {
  readonly config: Config;
  readonly ports: Ports;
  readonly dataset: Dataset;
  readonly figures: LakeFigures;
  readonly produced: number;
  readonly malformed: number;
};

const number = (value: number): string => value.toLocaleString('en-US');
const share = (part: number, whole: number): string =>
  whole === 0 ? '0 %' : `${((part / whole) * 100).toFixed(1)} %`;

export function layerLines({ figures, produced }: ReportInput): string[] {
  const { consumption, accounting, batches, windows, gold } = figures;
  const goldRows = Object.values(gold).reduce((sum, rows) => sum + rows, 0);
  return [
    `[Bronze Layer] ${number(produced)} records taken from Kafka: ${number(consumption.bronze)} raw events saved as Parquet in ${batches} batches, ${number(consumption.deadLetters)} dead letters`,
    `[Silver Layer] ${number(accounting.silver)} records cleaned in ${windows} hourly windows, ${number(accounting.duplicates)} duplicates removed (${share(accounting.duplicates, accounting.bronze)}), ${number(accounting.rejected)} rejected to quarantine`,
    `[Gold Layer] revenue by hour, funnel, top products and ${Object.keys(gold).length - 3} more tables: ${number(goldRows)} gold records in all`,
  ];
}

export function accountingLines({ figures }: ReportInput): string[] {
  const { consumption, accounting, notPlaced } = figures;
  const held =
    notPlaced === 0
      ? []
      : [
          `  besides, ${number(notPlaced)} bronze rows of wild event times are not placed: \`ingot gate list\``,
        ];
  const holds = (left: number, right: number) => (left === right ? 'holds' : 'DOES NOT HOLD');
  const right = accounting.silver + accounting.duplicates + accounting.rejected;
  return [
    'Every row is accounted for:',
    `  consumed ${number(consumption.consumed)} = bronze ${number(consumption.bronze)} + dead letters ${number(consumption.deadLetters)}   ${holds(consumption.consumed, consumption.bronze + consumption.deadLetters)}`,
    `  bronze ${number(accounting.bronze)} = silver ${number(accounting.silver)} + duplicates ${number(accounting.duplicates)} + rejected ${number(accounting.rejected)}   ${holds(accounting.bronze, right)}`,
    ...held,
  ];
}

/** The sample: the hour with the most revenue. */
export async function sampleGoldRecord(input: ReportInput): Promise<Row | null> {
  const sql =
    'SELECT event_date, hour, total_revenue, order_count, avg_order_value FROM hourly_revenue ' +
    'ORDER BY total_revenue DESC, event_date, hour LIMIT 1';
  const answer = await askAll(input, sql);
  return answer.rows[0] ?? null;
}

export async function printAnswers(context: CliContext, input: ReportInput): Promise<void> {
  for (const { name, title, rows } of requiredQuestions) {
    const answer = await askAll(input, input.ports.sql.queries[name]!.sql);
    const shown = { ...answer, rows: answer.rows.slice(0, rows) };
    print(`\n${title}  (ingot query ${name})`);
    printAnswer(context, shown, 'table');
    const more = answer.rows.length - shown.rows.length;
    if (more > 0) print(`  … and ${more} more rows`);
  }
}

function askAll({ ports, dataset }: ReportInput, sql: string): Promise<Answer> {
  const parameters = { date_from: '0001-01-01', date_to: '9999-12-31' };
  return ask({ ports, dataset }, { sql, parameters, dateFrom: null, dateTo: null });
}

export function whereToLook(config: Config, dataset: string, keep: boolean): string[] {
  const web = `${config.temporalWebUrl}/namespaces/${config.temporalNamespace}`;
  const look = [
    '',
    keep
      ? 'Where to look, while the stack is up:'
      : 'Where to look, with `npm run demo -- --keep`:',
    `  Temporal Web UI   ${web}/workflows`,
    `    ${laneId(dataset, 'lane-0')}            Kafka to bronze, bookmark by bookmark`,
    `    ${ownerId(dataset)}                the owner of all windows: its current details say what it does`,
    `    silver/${dataset}/<hour>, gold/<table>/<window>   one build each: stage, gate, publish, register`,
    `    ${scheduleId(dataset)} (under Schedules)  hourly gold`,
  ];
  const next = keep
    ? [
        'Next:',
        '  npx ingot query                                    the questions and the tables',
        '  npx ingot query hourly_revenue --format json',
        '  npx ingot query --sql "SELECT rule, count(*) AS n FROM quarantine GROUP BY rule"',
        `  npx ingot produce --topic ${config.KAFKA_TOPICS} --count 1000   more events; ask again`,
        '  npx ingot down                                     stop everything',
      ]
    : [
        'Next:',
        '  npm run demo -- --keep     the same, left running',
        '  npm test                   see it proved',
      ];
  return [...look, '', ...next];
}

export function print(text: string): void {
  process.stdout.write(`${text}\n`);
}
