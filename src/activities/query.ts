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
 * measured, until the session ends. With so many that nothing names any more it begins anew, or with
 * as many as are still named, if those are more.
 */
const filesLeftMax = 5_000;

/** Keeps between questions what it has read and cleaned. Always closed by who made it. */
export function createReader(deps: QueryDeps, leftMax = filesLeftMax): Reader {
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
    if (opened !== null && isWorn(opened.files, leftMax)) await close();
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
    reader.files.onPrepared();
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
  readonly files: FilesRead;
};

/** Files that a session has read, those of a name as often as the name was given to them. */
type FilesRead = {
  readonly named: () => number;
  /**
   * Those that no name means any more, without those of the first question: a session that begins anew
   * reads as many at once.
   */
  readonly left: () => number;
  readonly onPrepared: () => void;
};

function isWorn({ named, left }: FilesRead, leftMax: number): boolean {
  return left() > Math.max(leftMax, named());
}

async function openReader(
  { ports, dataset }: QueryDeps,
  memory: ObjectMemory,
): Promise<OpenReader> {
  const { session, files } = countingFiles(await ports.engine.open([]));
  const tail = createLiveTail({ session, sql: ports.sql, dataset });
  return { session, memory, tail, declared: new Map(), logs: [], files };
}

function countingFiles(session: SqlSession): Pick<OpenReader, 'session' | 'files'> {
  const byName = new Map<string, number>();
  let left = 0;
  let first: number | null = null;
  const leave = (name: string): void => {
    left += byName.get(name) ?? 0;
    byName.delete(name);
  };
  const counting: SqlSession = {
    ...session,
    declare: (tables) => {
      for (const table of tables) {
        leave(table.name);
        if (table.kind === 'files') byName.set(table.name, table.files.length);
      }
      return session.declare(tables);
    },
    forget: (names) => {
      names.forEach(leave);
      return session.forget(names);
    },
  };
  const files: FilesRead = {
    named: () => [...byName.values()].reduce((sum, count) => sum + count, 0),
    left: () => left - (first ?? left),
    onPrepared: () => void (first ??= left),
  };
  return { session: counting, files };
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
