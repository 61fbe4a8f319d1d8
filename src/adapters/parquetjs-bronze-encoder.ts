import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import type { ColumnData } from 'parquetjs-lite';
import { messageOf } from '../errors.ts';
import type { Column, ColumnType } from '../lake/table.ts';
import { parseInstant } from '../lake/time.ts';
import { valuesOf } from '../lake/column-vectors.ts';
import type { BronzeEncoder, ColumnsInput, EncodedFile, ParquetInput, Value } from '../ports.ts';
import { readBronzeFacts } from './bronze-facts.ts';
import { columnData, type RowGroup, writeParquetjs } from './parquetjs-file.ts';
import { type ValueMapping, valueMapping } from './parquetjs-values.ts';

const library = createRequire(import.meta.url)('parquetjs-lite/package.json') as {
  readonly version: string;
};

/** As many as in the files of the embedded engine. */
const groupRows = 20_480;

/**
 * Writes bronze files where no native engine is at hand, in plain JavaScript. Timestamps keep
 * microseconds, and files are compressed with gzip, which is half the size of Snappy here.
 */
export function createParquetjsBronzeEncoder(): BronzeEncoder {
  return {
    name: `parquetjs-lite-${library.version}`,
    encode: (input) => encode(input, groupsOfRows(input)),
    encodeColumns: (input) => encode(input, groupsOfColumns(input)),
    inspect: readBronzeFacts,
  };
}

type Target = Pick<ParquetInput, 'columns' | 'metadata'>;

async function encode(
  { columns, metadata }: Target,
  groups: Iterable<ValueGroup>,
): Promise<EncodedFile> {
  const bytes = await writeParquetjs(
    { columns, fieldType: ({ type }) => mappingOf(type).field, compression: 'GZIP', metadata },
    rowGroups(columns, groups),
  );
  return { bytes, facts: await readBronzeFacts(bytes) };
}

/** The values of some rows, by column, in the order of the columns. */
type ValueGroup = readonly (readonly Value[])[];

function* groupsOfColumns({
  columns,
  varying,
  constants,
  groups,
}: ColumnsInput): Iterable<ValueGroup> {
  const places = columns.map(({ name }) => varying.findIndex((each) => each.name === name));
  for (const { rows, vectors } of groups()) {
    yield columns.map(({ name }, index) => {
      const vector = vectors[places[index]!];
      if (vector !== undefined) return valuesOf(vector);
      return new Array<Value>(rows).fill(constants[name] ?? null);
    });
  }
}

function* groupsOfRows({ columns, rows }: ParquetInput): Iterable<ValueGroup> {
  for (let start = 0; start < rows.length; start += groupRows) {
    const some = rows.slice(start, start + groupRows);
    yield columns.map(({ name }) => some.map((row) => row[name] ?? null));
  }
}

function* rowGroups(
  columns: readonly Column[],
  groups: Iterable<ValueGroup>,
): Generator<RowGroup, void> {
  for (const group of groups) {
    const data = columns.map((column, index): [string, ColumnData] => {
      const values = group[index];
      assert(values !== undefined, 'a group has values for every column');
      return [column.name, dataOf(column, values)];
    });
    yield { rows: group[0]?.length ?? 0, columns: Object.fromEntries(data) };
  }
}

function dataOf({ name, type }: Column, values: readonly Value[]): ColumnData {
  try {
    return columnData(values, remembering(mappingOf(type).toPrimitive));
  } catch (error) {
    return assert.fail(`column ${name}: ${messageOf(error)}`);
  }
}

/** Many columns have one value for a whole batch. */
function remembering(toPrimitive: ValueMapping['toPrimitive']): ValueMapping['toPrimitive'] {
  let last: Value = null;
  let primitive: unknown = null;
  return (value) => {
    if (value !== last) {
      primitive = toPrimitive(value);
      last = value;
    }
    return primitive;
  };
}

function mappingOf(type: ColumnType): ValueMapping {
  return type === 'timestamp' ? timestamps : valueMapping(type);
}

const timestamps: ValueMapping = {
  field: 'TIMESTAMP_MICROS',
  toPrimitive: (value) => {
    const ms = parseInstant(String(value));
    assert(ms !== null, `${String(value)} is no instant`);
    const [, finer = ''] = /\.\d{3}(\d{1,3})/.exec(String(value)) ?? [];
    const micros = finer === '' ? 0 : Number(finer.padEnd(3, '0'));
    const whole = ms * 1_000 + micros;
    // Past 2^53 a number would not be exact: the year 2255.
    return Number.isSafeInteger(whole) ? whole : BigInt(ms) * 1_000n + BigInt(micros);
  },
};
