import { createHash } from 'node:crypto';
import { z } from 'zod';
import type { FieldRule } from '../lake/dataset.ts';
import type { Column, ColumnType } from '../lake/table.ts';

/** What a contract says of a field beside its zod type, kept as zod metadata. */
export type FieldMeta = {
  readonly columnType: ColumnType;
  readonly description: string;
  /** Name of the column where it differs from the field. */
  readonly column?: string;
  readonly valueAliases?: Readonly<Record<string, string>>;
};

export type Contract = z.ZodObject<Record<string, z.ZodType>>;

/** Attaches what a table needs to know of a field. Every field of a contract must have it. */
export function field<T extends z.ZodType>(type: T, meta: FieldMeta): T {
  return type.meta({ ...meta });
}

/** The rules by which ingest reads the fields of a record, in the order of the contract. */
export function fieldRules(contract: Contract): FieldRule[] {
  return Object.entries(contract.shape).map(([wireName, type]) => {
    const meta = metaOf(wireName, type);
    return {
      wireName,
      column: meta.column ?? wireName,
      type: meta.columnType,
      valueAliases: meta.valueAliases ?? {},
    };
  });
}

/** The bronze columns of a contract, in the order of the contract. */
export function contractColumns(contract: Contract): Column[] {
  return Object.entries(contract.shape).map(([wireName, type]) => {
    const meta = metaOf(wireName, type);
    return { name: meta.column ?? wireName, type: meta.columnType, comment: meta.description };
  });
}

/** Allowed values of the enum fields, by column. */
export function allowedValues(contract: Contract): Record<string, readonly string[]> {
  const found = Object.entries(contract.shape).flatMap(([wireName, type]) => {
    const values = enumValues(type);
    return values === null ? [] : [[metaOf(wireName, type).column ?? wireName, values] as const];
  });
  return Object.fromEntries(found);
}

/** A short hash of everything that decides what a contract accepts and where it puts it. */
export function contractHash(contract: Contract, thresholds: object): string {
  const described = JSON.stringify({
    schema: z.toJSONSchema(contract, { unrepresentable: 'any', io: 'input' }),
    thresholds,
  });
  return createHash('sha256').update(described).digest('hex').slice(0, 12);
}

function metaOf(wireName: string, type: z.ZodType): FieldMeta {
  const meta = (type.meta() ?? unwrap(type).meta()) as FieldMeta | undefined;
  if (meta?.columnType === undefined) {
    throw new Error(`contract field ${wireName} has no column type: declare it with field(…)`);
  }
  return meta;
}

function enumValues(type: z.ZodType): readonly string[] | null {
  const inner = unwrap(type);
  return inner instanceof z.ZodEnum ? inner.options.map(String) : null;
}

function unwrap(type: z.ZodType): z.ZodType {
  if (
    type instanceof z.ZodOptional ||
    type instanceof z.ZodNullable ||
    type instanceof z.ZodDefault
  ) {
    return unwrap(type.unwrap() as z.ZodType);
  }
  if (type instanceof z.ZodPipe) return unwrap(type.out as z.ZodType);
  return type;
}
