/** Every `kms:` declaration against AWS's own model of the service (names, limits, required fields, errors): aws-kms.json. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { fieldsOf, refusedOf } from '../../../src/shared/api/describe.ts';
import { declarationOf, isOperationName, NAMES, type Name } from '../../../src/shared/api/index.ts';
import { keyMetadata } from '../../../src/shared/api/kms-keys.ts';
import { codecFor, COMMON_ERRORS, type Operation } from '../../../src/shared/api/operation.ts';
import { SecretBytes } from '../../../src/shared/model/secret-bytes.ts';

interface Member {
  readonly type: string;
  readonly required?: true;
  readonly min?: number;
  readonly max?: number;
  readonly sensitive?: true;
  readonly enum?: readonly string[];
}
interface Model {
  readonly operations: Readonly<Record<string, { readonly input: Readonly<Record<string, Member>>; readonly output: Readonly<Record<string, Member>>; readonly errors: readonly string[] }>>;
  readonly structures: Readonly<Record<string, Readonly<Record<string, Member>>>>;
}
const model = JSON.parse(readFileSync(new URL('aws-kms.json', import.meta.url), 'utf8')) as Model;

/** Cannot happen here: no rotation that is still under way, no grants, no key stores of another's, no policies, no other service to wait for. */
const NOT_OFFERED = /^(?:DependencyTimeout|Conflict|InvalidGrantToken|Xks|MalformedPolicyDocument)/;
/** In AWS's model optional only for what is not offered here: a custom key store's own length. */
const REQUIRED_HERE = new Set(['kms:GenerateRandom NumberOfBytes']);
/** Of an ARN in a policy, which is not offered. */
const NOT_OFFERED_BY: Readonly<Record<string, readonly string[]>> = { 'kms:CreateKey': ['InvalidArnException'] };
/** AWS's documents are narrower than its model: ScheduleKeyDeletion takes 7 to 30 days. A token has its own limits for a PIN, which are wider. */
const NARROWER: Readonly<Record<string, readonly [number, number]>> = { PendingWindowInDays: [7, 30], KeyStorePassword: [4, 255] };
/** New in AWS's answers and without a meaning here. */
const NOT_ANSWERED = new Set(['CiphertextForRecipient', 'ReplicaPolicy', 'KeyAgreementAlgorithms']);

const shapeOf = (schema: z.ZodType): Readonly<Record<string, z.ZodType>> => (schema instanceof z.ZodObject ? (schema.shape) : {});

const cases = Object.entries(model.operations).map(([short, aws]) => [`kms:${short}`, aws] as const);

function operationOf(name: string): Operation {
  if (!isOperationName(name)) throw new Error(`${name} is not declared`);
  return declarationOf(name);
}

describe.each(cases)('%s is AWS’s', (name, aws) => {
  const operation = operationOf(name);
  const fields = new Map(fieldsOf(operation.input).map((field) => [field.name, field]));

  it('has its input fields, or refuses them by name', () => {
    expect([...fields.keys(), ...refusedOf(operation.input).map((field) => field.name)].sort()).toEqual(Object.keys(aws.input).sort());
  });

  it('requires what it requires', () => {
    for (const [field, { required }] of Object.entries(aws.input)) {
      const ours = fields.get(field);
      if (ours) expect([field, ours.required]).toEqual([field, required === true || REQUIRED_HERE.has(`${name} ${field}`)]);
    }
  });

  it('keeps sensitive input secret, and other binary input public', () => {
    for (const [field, { type, sensitive }] of Object.entries(aws.input)) {
      const ours = fields.get(field);
      if (ours && type === 'blob') expect([field, ours.kind]).toEqual([field, sensitive ? 'secret' : 'blob']);
    }
  });

  it.each(Object.entries(aws.input).filter(([field, { min, max }]) => fields.has(field) && (min !== undefined || max !== undefined)))('has its limits of %s', (field, member) => {
    const schema = shapeOf(operation.input)[field];
    if (!schema) throw new Error(field);
    const [min, max] = NARROWER[field] ?? [member.min, member.max];
    const accepts = (size: number): boolean => {
      if (member.type === 'integer') return schema.safeParse(size).success;
      if (member.type === 'string' && codecFor(schema) === undefined) return schema.safeParse('a'.repeat(size)).success;
      return schema.safeParse(codecFor(schema) === 'secret' ? SecretBytes.allocate(size) : new Uint8Array(size)).success;
    };
    if (min !== undefined) expect([accepts(min), min > 0 && accepts(min - 1)]).toEqual([true, false]);
    if (max !== undefined) expect([accepts(max), accepts(max + 1)]).toEqual([true, false]);
  });

  it('knows no choice that it does not know', () => {
    for (const [field, member] of Object.entries(aws.input)) {
      const choices = fields.get(field)?.choices ?? [];
      if (member.enum) expect(member.enum).toEqual(expect.arrayContaining([...choices]));
    }
  });

  it('answers with its fields', () => {
    const ours = Object.keys(shapeOf(operation.output));
    const theirs = Object.keys(aws.output);
    expect(theirs).toEqual(expect.arrayContaining(ours));
    expect(theirs.filter((field) => !ours.includes(field) && !NOT_ANSWERED.has(field))).toEqual([]);
  });

  it('answers with its errors', () => {
    const ours: readonly string[] = [...operation.errors, ...COMMON_ERRORS, ...(NOT_OFFERED_BY[name] ?? [])];
    expect(aws.errors.filter((code) => !ours.includes(code) && !NOT_OFFERED.test(code))).toEqual([]);
  });
});

it('covers every kms operation that a door offers to people', () => {
  const offered: readonly Name[] = NAMES.filter((name) => name.startsWith('kms:') && declarationOf(name).doors.includes('cli'));
  expect([...offered].sort()).toEqual(cases.map(([name]) => name).sort());
});

it('describes a key with fields of AWS’s KeyMetadata', () => {
  const theirs = model.structures['KeyMetadata'] ?? {};
  expect(Object.keys(theirs)).toEqual(expect.arrayContaining(Object.keys(keyMetadata.shape)));
});
