import type { Dataset } from '../lake/dataset.ts';
import { liveTail, withinReach } from '../lake/live-tail.ts';
import type { LogName } from '../lake/paths.ts';
import { visibleColumns } from '../lake/table.ts';
import { type DateRange, isWithinDates } from '../lake/window.ts';
import type { Parameters, Ports, QueryResult, SqlSession, TableInput } from '../ports.ts';
import { type LiveTail, createLiveTail } from './live-tail.ts';
import { unionSql } from './live-tail-sql.ts';
import { type ObjectMemory, createObjectMemory } from './object-memory.ts';
import { resolveTable, windowedFiles } from './query-tables.ts';
import { readUnsettled } from './unsettled.ts';

/* Asking the lake: tables are resolved through the pointers, and silver with its live tail. */

export type QueryDeps = {
  readonly ports: Pick<Ports, 'objects' | 'engine' | 'sql'>;
  readonly dataset: Dataset;
};

/** Windows outside the dates are not read. */
export type Question = DateRange & {
  readonly sql: string;
  readonly parameters: Parameters;
};

export type Answer = QueryResult & {
  /** Rows of silver that came from the live tail. */
  readonly tailRows: number;
  /** Rows of bronze that are in no version yet and were not looked at, because they are too many. */
  readonly tailRowsLeftOut: number;
};

export type Reader = {
  /**
   * Answers one SELECT as of now. `TABLE_UNKNOWN` names the tables that there are. One question is
   * answered after the other, and none is harmed by one that failed.
   */
  readonly ask: (question: Question) => Promise<Answer>;
  /** After the question that runs. */
  readonly close: () => Promise<void>;
};

/** Answers one question. Whoever has many keeps a reader, which reads only what is new. */
export async function ask(deps: QueryDeps, question: Question): Promise<Answer> {
  const reader = createReader(deps);
  try {
    return await reader.ask(question);
  } finally {
    await reader.close();
  }
}

/**
 * The engine keeps what it knows of every file that a session has read, 63 KiB of one of silver as
 * measured, until the session ends. After so many more than for its first question it begins anew.
 */
const filesAgainMax = 5_000;

/** Keeps between questions what it has read and cleaned. Always closed by who made it. */
export function createReader(deps: QueryDeps, filesAgain = filesAgainMax): Reader {
  const memory = createObjectMemory(deps.ports.objects);
  let opened: OpenReader | null = null;
  let before: Promise<unknown> = Promise.resolve();
  const close = async (): Promise<void> => {
    const closing = opened;
    opened = null;
    await closing?.session.close();
  };
  const answer = async (question: Question): Promise<Answer> => {
    const names = await deps.ports.engine.tablesOf(question.sql);
    if (opened !== null && opened.countAgain() > filesAgain) await close();
    opened ??= await openReader(deps, memory);
    const reader = opened;
    let shown: ShownSilver;
    try {
      shown = await prepare(deps, reader, { names, dates: question });
    } catch (error) {
      // What the session has now is neither the lake of before nor that of now.
      await close();
      throw error;
    }
    reader.onPrepared();
    return { ...(await reader.session.query(question.sql, question.parameters)), ...shown };
  };
  const inTurn = <T>(work: () => Promise<T>): Promise<T> => {
    const turn = before.then(work);
    before = turn.catch(() => undefined);
    return turn;
  };
  return { ask: (question) => inTurn(() => answer(question)), close: () => inTurn(close) };
}

type OpenReader = {
  readonly session: SqlSession;
  readonly memory: ObjectMemory;
  readonly tail: LiveTail;
  /** What each name of the session was made from. */
  readonly declared: Map<string, string>;
  logs: readonly LogName[];
  /** How many files its session has read since its first question, each as often as it was named. */
  readonly countAgain: () => number;
  readonly onPrepared: () => void;
};

async function openReader(
  { ports, dataset }: QueryDeps,
  memory: ObjectMemory,
): Promise<OpenReader> {
  const opened = await ports.engine.open([]);
  let files = 0;
  let first: number | null = null;
  const session: SqlSession = {
    ...opened,
    declare: (tables) => {
      files += tables.reduce((sum, table) => sum + filesOf(table), 0);
      return opened.declare(tables);
    },
  };
  const tail = createLiveTail({ session, sql: ports.sql, dataset });
  return {
    session,
    memory,
    tail,
    declared: new Map(),
    logs: [],
    countAgain: () => files - (first ?? files),
    onPrepared: () => void (first ??= files),
  };
}

function filesOf(table: TableInput): number {
  return table.kind === 'files' ? table.files.length : 0;
}

type ShownSilver = Pick<Answer, 'tailRows' | 'tailRowsLeftOut'>;

/** Makes the names of a question mean what the lake holds now. */
async function prepare(
  { dataset }: QueryDeps,
  reader: OpenReader,
  { names, dates }: { readonly names: readonly string[]; readonly dates: DateRange },
): Promise<ShownSilver> {
  const { memory } = reader;
  let shown: ShownSilver = { tailRows: 0, tailRowsLeftOut: 0 };
  for (const name of names) {
    if (name === dataset.silver.name) shown = await prepareSilver(dataset, reader, dates);
    else await declare(reader, await resolveTable({ memory, dataset }, name, dates));
  }
  return shown;
}

const settledName = 'silver_settled';
/** Above so many bronze rows the oldest windows of a tail are left to the next build. */
const tailRowsMax = 5_000_000;

async function prepareSilver(
  dataset: Dataset,
  reader: OpenReader,
  dates: DateRange,
): Promise<ShownSilver> {
  const { memory, session, declared } = reader;
  const { silver } = dataset;
  // Before the pointers: a batch that is built meanwhile may then be in both, and is told by them.
  // The other way round it could be in neither.
  const unsettled = await readUnsettled(memory.objects, dataset.name, reader.logs);
  reader.logs = unsettled.logs;
  const { table, pointers } = await windowedFiles({ memory, dataset }, silver, dates);
  const known = new Map(pointers.map((pointer) => [pointer.window, pointer]));
  const tails = liveTail(unsettled.batches, known).filter(({ window }) =>
    isWithinDates(window, dates),
  );
  const { shown, rowsLeftOut } = withinReach(tails, tailRowsMax);
  await declare(reader, { ...table, name: settledName });
  const tail = await reader.tail.update(shown, known);
  const columns = visibleColumns(silver)
    .map(({ name }) => name)
    .join(', ');
  const sql = unionSql([`SELECT ${columns} FROM ${settledName}`, ...tail.sources]);
  if (declared.get(silver.name) !== sql) {
    await session.define(silver.name, sql);
    declared.set(silver.name, sql);
  }
  return { tailRows: tail.rows, tailRowsLeftOut: rowsLeftOut };
}

/** Files of a table never change, so a table of the same files is the same table. */
async function declare(reader: OpenReader, table: TableInput): Promise<void> {
  const { session, declared } = reader;
  const madeFrom = table.kind === 'rows' ? null : table.files.map(({ key }) => key).join('\n');
  if (madeFrom !== null && declared.get(table.name) === madeFrom) return;
  await session.declare([table]);
  if (madeFrom !== null) declared.set(table.name, madeFrom);
}
