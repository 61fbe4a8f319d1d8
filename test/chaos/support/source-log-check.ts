import { createHash } from 'node:crypto';
import type { LakeFiles } from './lake-files.ts';

/*
 * The source logs of a lake at rest, read by a second pair of eyes: nothing here imports what wrote
 * them, so an error in the rules of the product is not made twice.
 */

export type Batch = {
  readonly log: string;
  readonly number: number;
  readonly offsetFirst: bigint;
  readonly offsetEnd: bigint;
  readonly seal: SealFields;
};

export type SealFields = {
  readonly records: number;
  readonly rows: number;
  readonly deadLetters: number;
  readonly bytes: number;
  readonly rawBytes: number;
  readonly bronzeKey: string;
  readonly rawKey: string | null;
  readonly deadLettersKey: string | null;
};

/** An entry or a seal as it lies there, with what the checks look at. */
export type LoggedEntry = {
  readonly log: string;
  readonly number: number;
  readonly kind: 'takeover' | 'plan' | 'gap';
  readonly writer: string;
};

export type LogsFound = {
  readonly batches: readonly Batch[];
  /** Of all logs, in the order of their numbers. */
  readonly entries: readonly LoggedEntry[];
  readonly problems: readonly string[];
};

type Fields = Readonly<Record<string, unknown>>;
type Found = { readonly fields: Fields; readonly hash: string };
type LogFiles = {
  readonly entries: ReadonlyMap<number, Found>;
  readonly seals: ReadonlyMap<number, Found>;
};

const logKey = /^_log\/([^/]+)\/([^/]+)\/(\d{8})\/(\d{12})(\.seal)?\.json$/;

export function checkSourceLogs(files: LakeFiles): LogsFound {
  const logs = new Map<string, LogFiles>();
  const problems: string[] = [];
  for (const [key, bytes] of files) {
    if (!key.startsWith('_log/')) continue;
    const match = logKey.exec(key);
    if (match === null) {
      problems.push(`${key} is no entry of a source log`);
      continue;
    }
    const [, , log = '', folder = '', number = '', seal] = match;
    if (Number(folder) !== Math.floor(Number(number) / 10_000)) {
      problems.push(`${key} lies in the wrong folder`);
    }
    const found = logs.get(log) ?? { entries: new Map(), seals: new Map() };
    logs.set(log, found);
    const fields = JSON.parse(Buffer.from(bytes).toString('utf8')) as Fields;
    const list = (seal === undefined ? found.entries : found.seals) as Map<number, Found>;
    list.set(Number(number), { fields, hash: sha256(bytes) });
  }
  const checked = [...logs].map(([log, found]) => checkLog(log, found));
  return {
    batches: checked.flatMap(({ batches }) => batches),
    entries: checked.flatMap(({ entries }) => entries),
    problems: [...problems, ...checked.flatMap((one) => one.problems)],
  };
}

function checkLog(log: string, { entries, seals }: LogFiles): LogsFound {
  const problems: string[] = [];
  const batches: Batch[] = [];
  const inOrder = [...entries].sort(([a], [b]) => a - b);
  let offsetNext: string | null = null;
  let sealHash: string | null = null;
  for (const [index, [number, { fields, hash }]] of inOrder.entries()) {
    const where = `${log} #${number}`;
    const say = (text: string): void => void problems.push(`${where}: ${text}`);
    if (number !== index) say(`the log has no entry ${index}`);
    if (fields['log'] !== log || fields['number'] !== number) say('the entry names another place');
    const before = fields['before'] as Fields;
    const lastSeal = (before['lastSeal'] as Fields | null)?.['hash'] ?? null;
    if (before['offsetNext'] !== offsetNext) {
      say(`begins at offset ${text(before['offsetNext'])}, the log was at ${text(offsetNext)}`);
    }
    if (lastSeal !== sealHash) say('does not follow the seal before it');
    const seal = seals.get(number);
    if (fields['kind'] !== 'plan') {
      if (seal !== undefined) say('is sealed, and is no plan');
      offsetNext = String(fields['kind'] === 'gap' ? fields['offsetEnd'] : fields['offsetNext']);
      continue;
    }
    if (fields['offsetFirst'] !== offsetNext) {
      say(`plans from ${text(fields['offsetFirst'])}, the log was at ${text(offsetNext)}`);
    }
    if (seal === undefined) {
      say('is planned and not sealed');
      offsetNext = String(fields['offsetEnd']);
      continue;
    }
    problems.push(...checkSeal(where, { fields, hash }, seal, sealHash));
    batches.push(batchOf(log, number, seal.fields));
    offsetNext = String(seal.fields['offsetEnd']);
    sealHash = seal.hash;
  }
  for (const number of seals.keys()) {
    if (!entries.has(number)) problems.push(`${log} #${number}: a seal without a plan`);
  }
  problems.push(...returningWriters(log, inOrder));
  return { batches, problems, entries: inOrder.map(([, { fields }]) => entryOf(fields)) };
}

/** A writer that another one has followed is replaced, and must not have written again. */
function returningWriters(
  log: string,
  inOrder: readonly (readonly [number, Found])[],
): readonly string[] {
  const gone = new Set<unknown>();
  let current: unknown = null;
  return inOrder.flatMap(([number, { fields }]) => {
    const { writer } = fields;
    if (writer === current) return [];
    gone.add(current);
    current = writer;
    return gone.has(writer) ? [`${log} #${number}: ${text(writer)} was replaced, and wrote`] : [];
  });
}

function checkSeal(where: string, plan: Found, seal: Found, sealHash: string | null): string[] {
  const problems: string[] = [];
  const say = (text: string): void => void problems.push(`${where}: ${text}`);
  const { fields } = seal;
  if (fields['planHash'] !== plan.hash) say('the seal is of another plan');
  if (fields['previousSealHash'] !== sealHash) say('the chain of seals is broken');
  for (const name of ['log', 'number', 'offsetFirst', 'offsetEnd', 'ingestTime']) {
    if (fields[name] !== plan.fields[name]) say(`seal and plan differ in ${name}`);
  }
  const { records, rows, deadLetters } = fields as SealFields;
  if (records !== rows + deadLetters) {
    say(`${records} records are not ${rows} rows and ${deadLetters} dead letters`);
  }
  return problems;
}

function batchOf(log: string, number: number, fields: Fields): Batch {
  return {
    log,
    number,
    offsetFirst: BigInt(String(fields['offsetFirst'])),
    offsetEnd: BigInt(String(fields['offsetEnd'])),
    seal: fields as SealFields,
  };
}

function entryOf(fields: Fields): LoggedEntry {
  return fields as LoggedEntry;
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : 'nothing';
}

function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}
