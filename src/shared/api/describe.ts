/**
 * A declaration's input as a list of fields, for the command line, its help and completion, and the reference page. The zod
 * schema stays the only source: nothing is written down twice.
 */
import { z } from 'zod';
import type { Operation } from './operation.ts';
import { codecFor, innerSchema, isRefused, isSecretText, isTimestamp } from './operation.ts';

/** map: text to text. list: of text. true: only the value true is taken. */
export type FieldKind = 'string' | 'integer' | 'number' | 'boolean' | 'true' | 'false' | 'map' | 'list' | 'blob' | 'secret' | 'timestamp' | 'object';

export interface Field {
  /** As on the wire: `KeyId`. */
  readonly name: string;
  /** As on the command line, without hyphens in front: `key-id`. */
  readonly flag: string;
  readonly kind: FieldKind;
  readonly required: boolean;
  readonly choices?: readonly string[];
  readonly fallback?: string | number | boolean;
  /** A secret that is text. */
  readonly text?: true;
  /** Of an object, or of each of a list of objects. */
  readonly members?: readonly Field[];
  /** A list of objects. */
  readonly many?: true;
  readonly about: string;
}

/** `AWSAccountId` to `aws-account-id`, `CreateKey` to `create-key`. */
export function kebab(name: string): string {
  return name
    .replace(/([A-Z]+)([A-Z][a-z])/g, '$1-$2')
    .replace(/([a-z0-9])([A-Z])/g, '$1-$2')
    .toLowerCase();
}

/** The command of an operation: `kms:CreateKey` is `kms create-key`. */
export const commandOf = (name: string): string => name.split(':').map(kebab).join(' ');

/** Both names of a command, the preferred one first; none when it is hidden. */
export function commandsOf(operation: Operation): readonly string[] {
  if (operation.command?.hidden) return [];
  const alias = operation.command?.alias;
  const plain = commandOf(operation.name);
  return alias === undefined || alias === plain ? [plain] : [alias, plain];
}

function kindOf(schema: z.ZodType): FieldKind {
  const inner = innerSchema(schema);
  const codec = codecFor(inner);
  if (codec) return codec;
  if (isTimestamp(inner)) return 'timestamp';
  if (inner instanceof z.ZodLiteral) return inner.value === true ? 'true' : inner.value === false ? 'false' : 'string';
  if (inner instanceof z.ZodBoolean) return 'boolean';
  if (inner instanceof z.ZodNumber) return inner.format === 'safeint' ? 'integer' : 'number';
  if (inner instanceof z.ZodRecord) return 'map';
  if (inner instanceof z.ZodArray) return innerSchema(inner.element as z.ZodType) instanceof z.ZodObject ? 'object' : 'list';
  return inner instanceof z.ZodObject ? 'object' : 'string';
}

function choicesOf(schema: z.ZodType): readonly string[] | undefined {
  const inner = innerSchema(schema);
  if (inner instanceof z.ZodEnum) return inner.options.map(String);
  return inner instanceof z.ZodLiteral && typeof inner.value === 'string' ? [inner.value] : undefined;
}

/** The schema of an object, or of each of a list of them. */
function objectIn(schema: z.ZodType): z.ZodObject | undefined {
  const inner = innerSchema(schema);
  if (inner instanceof z.ZodArray) return objectIn(inner.element as z.ZodType);
  return inner instanceof z.ZodObject ? inner : undefined;
}

function aboutOf(schema: z.ZodType): string {
  if (schema.description !== undefined) return schema.description;
  return schema instanceof z.ZodOptional || schema instanceof z.ZodDefault ? aboutOf(schema.unwrap() as z.ZodType) : '';
}

/** The fields of an object schema in declared order, without those that are refused. */
export function fieldsOf(schema: z.ZodType): readonly Field[] {
  if (!(schema instanceof z.ZodObject)) return [];
  return Object.entries(schema.shape as Record<string, z.ZodType>).flatMap(([name, field]) => {
    if (isRefused(field)) return [];
    const choices = choicesOf(field);
    const kind = kindOf(field);
    const object = kind === 'object' ? objectIn(field) : undefined;
    const fallback: unknown = field instanceof z.ZodDefault ? field.def.defaultValue : undefined;
    return [
      {
        name,
        flag: kebab(name),
        kind,
        required: !(field instanceof z.ZodOptional || field instanceof z.ZodDefault),
        ...(choices ? { choices } : {}),
        ...(typeof fallback === 'string' || typeof fallback === 'number' || typeof fallback === 'boolean' ? { fallback } : {}),
        ...(isSecretText(field) ? { text: true as const } : {}),
        ...(object ? { members: fieldsOf(object) } : {}),
        ...(kind === 'object' && innerSchema(field) instanceof z.ZodArray ? { many: true as const } : {}),
        about: aboutOf(field),
      },
    ];
  });
}

/** Fields that an object schema knows and refuses, with what to do instead: `is not offered: …`. */
export function refusedOf(schema: z.ZodType): readonly { readonly name: string; readonly flag: string; readonly reason: string }[] {
  if (!(schema instanceof z.ZodObject)) return [];
  return Object.entries(schema.shape as Record<string, z.ZodType>).flatMap(([name, field]) =>
    isRefused(field) ? [{ name, flag: kebab(name), reason: field.safeParse(null).error?.issues[0]?.message ?? '' }] : [],
  );
}
