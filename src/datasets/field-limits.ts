import { z } from 'zod';
import type { Contract } from './contract.ts';
import { code } from './markdown.ts';

/** What a contract says of the values of one field, in words for a page. */
export type FieldLimits = {
  readonly jsonType: string;
  readonly isRequired: boolean;
  readonly allowed: string;
};

/** The limits of every field, read off the zod types. */
export function fieldLimits(contract: Contract): Readonly<Record<string, FieldLimits>> {
  const { properties = {}, required = [] }: Schema = z.toJSONSchema(contract, {
    unrepresentable: 'any',
    io: 'input',
  }) as Schema;
  const described = Object.entries(properties).map(([name, property]) => {
    const schema = withoutNull(property);
    const limits = {
      jsonType: schema.type === 'integer' ? 'number, whole' : (schema.type ?? ''),
      isRequired: required.includes(name),
      allowed: allowedBy(schema),
    };
    return [name, limits] as const;
  });
  return Object.fromEntries(described);
}

/** The part of a JSON schema that zod makes of our types. */
type Schema = {
  readonly type?: string;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly anyOf?: readonly Schema[];
  readonly enum?: readonly string[];
  readonly format?: string;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly minimum?: number;
  readonly maximum?: number;
};

/** The schema of a field without the `null` that stands for its absence. */
function withoutNull(schema: Schema): Schema {
  return schema.anyOf?.find(({ type }) => type !== 'null') ?? schema;
}

function allowedBy(schema: Schema): string {
  if (schema.enum !== undefined) return schema.enum.map(code).join(', ');
  if (schema.format === 'date-time') return 'ISO-8601 with `Z` or an offset';
  if (schema.maxLength !== undefined) {
    return `${schema.minLength ?? 0} to ${thousands(schema.maxLength)} characters`;
  }
  if (schema.minimum === undefined || schema.maximum === undefined) return '';
  return `${thousands(schema.minimum)} to ${thousands(schema.maximum)}`;
}

function thousands(number: number): string {
  return number.toLocaleString('en-US');
}
