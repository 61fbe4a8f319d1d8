import type {
  DuckDBPreparedStatement,
  DuckDBResultReader,
  DuckDBTimestampValue,
  DuckDBType,
  DuckDBValue,
} from '@duckdb/node-api';
import { DuckDBTypeId } from '@duckdb/node-api';
import { IngotError } from '../errors.ts';
import type { Parameters, QueryResult, Row, Value } from '../ports.ts';

/*
 * Values of the engine and values of a `Row`. A text that begins with U+FEFF loses that character
 * on its way out, because the library decodes with a TextDecoder that takes it for a byte order
 * mark; what is written to files keeps it.
 */

/** Binds the parameters that the statement names; others may be there. */
export function bindParameters(statement: DuckDBPreparedStatement, parameters: Parameters): void {
  for (let index = 1; index <= statement.parameterCount; index += 1) {
    const name = statement.parameterName(index);
    const value = Object.hasOwn(parameters, name) ? parameters[name] : undefined;
    if (value === undefined) {
      throw new IngotError('SQL_FAILED', `parameter $${name} has no value`, { retryable: false });
    }
    bindValue(statement, index, value);
  }
}

function bindValue(statement: DuckDBPreparedStatement, index: number, value: Value): void {
  if (value === null) statement.bindNull(index);
  else if (typeof value === 'string') statement.bindVarchar(index, value);
  else if (typeof value === 'boolean') statement.bindBoolean(index, value);
  else if (Number.isSafeInteger(value)) statement.bindBigInt(index, BigInt(value));
  else statement.bindDouble(index, value);
}

/** The result as rows of plain values. A column name that comes twice gets a number. */
export function toQueryResult(reader: DuckDBResultReader): QueryResult {
  const columns = reader.deduplicatedColumnNames();
  const convert = reader.columnTypes().map(converterOf);
  const rows = reader.getRows().map((values): Row => {
    const entries = columns.map((name, index): [string, Value] => {
      const value = values[index];
      return [name, value === null || value === undefined ? null : convert[index]!(value)];
    });
    return Object.fromEntries(entries);
  });
  return { columns, rows };
}

type Converter = (value: NonNullable<DuckDBValue>) => Value;

function converterOf(type: DuckDBType): Converter {
  switch (type.typeId) {
    case DuckDBTypeId.BOOLEAN:
      return (value) => value as boolean;
    case DuckDBTypeId.TINYINT:
    case DuckDBTypeId.SMALLINT:
    case DuckDBTypeId.INTEGER:
    case DuckDBTypeId.UTINYINT:
    case DuckDBTypeId.USMALLINT:
    case DuckDBTypeId.UINTEGER:
      return (value) => value as number;
    case DuckDBTypeId.BIGINT:
    case DuckDBTypeId.UBIGINT:
    case DuckDBTypeId.HUGEINT:
    case DuckDBTypeId.UHUGEINT:
      return (value) => fromBigInt(value as bigint);
    case DuckDBTypeId.FLOAT:
    case DuckDBTypeId.DOUBLE:
      // JSON has no word for the others.
      return (value) => (Number.isFinite(value) ? (value as number) : String(value));
    case DuckDBTypeId.TIMESTAMP:
      return (value) => formatTimestamp(value as DuckDBTimestampValue);
    default:
      // DECIMAL with its scale, DATE as YYYY-MM-DD, and whatever a query may come up with.
      return (value) => String(value);
  }
}

function fromBigInt(value: bigint): Value {
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : String(value);
}

/** The last instant that a JavaScript date can hold, in microseconds. */
const dateMicrosMax = 8_640_000_000_000_000_000n;

function formatTimestamp(value: DuckDBTimestampValue): string {
  const { micros } = value;
  if (micros > dateMicrosMax || micros < -dateMicrosMax) return value.toString();
  const micro = ((micros % 1000n) + 1000n) % 1000n;
  const text = new Date(Number((micros - micro) / 1000n)).toISOString();
  return text.replace('T', ' ').replace(/(\.000)?Z$/, '');
}
