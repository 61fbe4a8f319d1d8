import assert from 'node:assert';
import { ColumnBuilder } from '../lake/column-vectors.ts';
import type { Dataset } from '../lake/dataset.ts';
import { absent } from '../lake/plain-record.ts';
import type { Column } from '../lake/table.ts';
import { nearestInstant } from '../lake/time.ts';
import type { ColumnGroup, Row } from '../ports.ts';
import { type Lines, valueMark } from './line-buffer.ts';
import { type PlacesPiece, noKey, odd, word } from './record-places.ts';

/*
 * The records of a batch as groups of columns: plain ones are copied from their lines, the others
 * come as the rows that placeRecord made of them.
 */

/** What an encoder holds of a batch at a time. */
const groupRowsMax = 20_480;
const groupBytesMax = 4_194_304;

export type ColumnsOfLines = {
  /** The columns that are not the same throughout. */
  readonly columns: readonly Column[];
  readonly lines: Lines;
  /** For each odd line its row, or `null` where there is none, because it is a dead letter. */
  readonly oddRows: readonly (Row | null)[];
};

/** All rows in their order. The vectors of a group hold until the next one is asked for. */
export function* columnGroups(
  dataset: Dataset,
  { columns, lines, oddRows }: ColumnsOfLines,
): Generator<ColumnGroup, void> {
  const builders = idle.get(dataset)?.pop() ?? buildersOf(dataset, columns);
  assert(
    builders.names.join() === columns.map(({ name }) => name).join(),
    'always the same columns',
  );
  try {
    yield* groupsBy(builders, lines, oddRows);
  } finally {
    for (const builder of builders.all) builder.clear();
    idle.set(dataset, [builders]);
  }
}

/** Builders of the batch before, so that their memory is used again. */
const idle = new WeakMap<Dataset, Builders[]>();

function* groupsBy(
  builders: Builders,
  lines: Lines,
  oddRows: ColumnsOfLines['oddRows'],
): Generator<ColumnGroup, void> {
  const { stride, pieces } = lines.places;
  let oddBefore = 0;
  for (const piece of pieces) {
    for (let row = 0; row < piece.rows; row += 1) {
      const at = row * stride;
      if (piece.words[at + word.value] !== odd) addPlainRow(builders, lines, piece, at);
      else {
        const values = oddRows[oddBefore++];
        if (values == null) continue;
        addOddRow(builders, values);
      }
      if (!isFull(builders)) continue;
      yield groupOf(builders);
      for (const builder of builders.all) builder.clear();
    }
  }
  if (builders.offset.rows > 0) yield groupOf(builders);
}

type Builders = {
  readonly all: readonly ColumnBuilder[];
  readonly names: readonly string[];
  /** In the order of the contract. */
  readonly fields: readonly ColumnBuilder[];
  readonly offset: ColumnBuilder;
  readonly timestamp: ColumnBuilder;
  readonly key: ColumnBuilder;
  readonly extra: ColumnBuilder;
  /** Columns that only odd records have something in. */
  readonly others: readonly ColumnBuilder[];
};

function buildersOf({ fields }: Dataset, columns: readonly Column[]): Builders {
  const aliases = new Map(fields.map(({ column, valueAliases }) => [column, valueAliases]));
  const byName = new Map(
    columns.map(({ name, type }) => {
      const options = { rowsMax: groupRowsMax, aliases: aliases.get(name) ?? {} };
      return [name, new ColumnBuilder(type, options)];
    }),
  );
  const named = (name: string): ColumnBuilder => {
    const builder = byName.get(name);
    assert(builder !== undefined, `bronze has a column ${name}`);
    return builder;
  };
  return {
    all: [...byName.values()],
    names: [...byName.keys()],
    fields: fields.map(({ column }) => named(column)),
    offset: named('_offset'),
    timestamp: named('_kafka_ts'),
    key: named('_key'),
    extra: named('_extra'),
    others: ['_headers', '_raw', '_type_errors'].map(named),
  };
}

function isFull({ all, offset }: Builders): boolean {
  if (offset.rows === groupRowsMax) return true;
  let bytes = 0;
  for (let index = 0; index < all.length; index += 1) bytes += all[index]!.used;
  return bytes >= groupBytesMax;
}

function groupOf({ all, offset }: Builders): ColumnGroup {
  return { rows: offset.rows, vectors: all.map((builder) => builder.vector()) };
}

function addPlainRow(
  { fields, offset, timestamp, key, extra, others }: Builders,
  { chunks, extras }: Lines,
  { words, doubles }: PlacesPiece,
  at: number,
): void {
  const chunk = chunks[words[at + word.chunk]!]!;
  const valueAt = words[at + word.value]!;
  for (let field = 0; field < fields.length; field += 1) {
    const place = words[at + word.fields + field]!;
    const builder = fields[field]!;
    if (place === absent) builder.addNull();
    else builder.addPlain(chunk, valueAt + (place >>> 16), place & 0xffff);
  }
  offset.addHalves(words[at + word.offsetLow]!, words[at + word.offsetHigh]!);
  timestamp.addWhole(nearestInstant(doubles[(at + word.timestamp) / 2]!));
  const keyBytes = words[at + word.keyBytes]!;
  if (keyBytes === noKey) key.addNull();
  else key.addText(chunk, valueAt - valueMark.length - 1 - keyBytes, keyBytes);
  const own = words[at + word.extra]!;
  extra.addValue(own === 0 ? null : extras[own - 1]!);
  for (let index = 0; index < others.length; index += 1) others[index]!.addNull();
}

function addOddRow({ all, names }: Builders, values: Row): void {
  for (const [index, builder] of all.entries()) builder.addValue(values[names[index]!] ?? null);
}
