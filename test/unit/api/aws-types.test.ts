/**
 * Every `kms:` declaration against the types of @aws-sdk/client-kms, at compile time: what the SDK's client may send has fields of ours of
 * the same names and types, and what we answer is what its callers take.
 */
import type * as aws from '@aws-sdk/client-kms';
import { expect, it } from 'vitest';
import type { z } from 'zod';
import { NAMES, type Name, type Operations } from '../../../src/shared/api/index.ts';
import type { SecretBytes } from '../../../src/shared/model/secret-bytes.ts';

/** The operations of this vault that AWS does not have: the clock's own. */
type Own = 'kms:DeleteDueKeys' | 'kms:RotateDueKeys' | 'kms:ExpireDueKeyMaterials' | 'kms:RecordKeyUsage';
type Kms = Exclude<Extract<Name, `kms:${string}`>, Own>;
type Short<N> = N extends `kms:${infer S}` ? S : never;

type Command = abstract new (...args: never[]) => { readonly input: object; resolveMiddleware(...args: never[]): (...args: never[]) => Promise<{ output: object }> };
type OutputOf<C extends Command> = Awaited<ReturnType<ReturnType<InstanceType<C>['resolveMiddleware']>>>['output'];
/** AWS's types of each operation by its name. */
type Sdk = { readonly [K in keyof typeof aws as K extends `${infer S}Command` ? S : never]: (typeof aws)[K] extends infer C extends Command ? { readonly input: InstanceType<C>['input']; readonly output: OutputOf<C> } : never };

/** Secrets that are text on AWS's wire. */
type SecretText = 'KeyStorePassword';
/** As it is on AWS's wire: bytes are bytes, whether secret or not, and a timestamp is a date. */
type OnWire<T> = T extends SecretBytes | Uint8Array ? Uint8Array : T extends readonly (infer E)[] ? OnWire<E>[] : T extends object ? { [K in keyof T]: K extends SecretText ? string | undefined : OnWire<T[K]> } : T;
/** The SDK's, with dates as the numbers that they are on the wire. */
type AsNumbers<T> = T extends Date ? number : T extends Uint8Array ? Uint8Array : T extends readonly (infer E)[] ? AsNumbers<E>[] : T extends object ? { [K in keyof T]: AsNumbers<T[K]> } : T;

/** `CustomerMasterKeySpec` is the old name of `KeySpec`: the SDK's type of it stayed behind when specs were added, the service's answers did not. */
type Renamed<T> = T extends readonly (infer E)[] ? Renamed<E>[] : T extends Uint8Array ? T : T extends object ? { [K in keyof T]: K extends 'CustomerMasterKeySpec' ? aws.KeySpec | undefined : Renamed<T[K]> } : T;

type Answers<N extends Kms> = OnWire<z.output<Operations[N]['output']>>;
/** As the handler sees it: base64 text has become bytes. */
type Takes<N extends Kms> = OnWire<z.output<Operations[N]['input']>>;
type Wanted<N extends Kms> = Short<N> extends keyof Sdk ? Renamed<AsNumbers<Omit<Sdk[Short<N>]['output'], '$metadata'>>> : never;
type Sent<N extends Kms> = Short<N> extends keyof Sdk ? AsNumbers<Sdk[Short<N>]['input']> : never;

/** None for an object of no fields, which zod types as a record. */
type NamesOf<T> = string extends keyof T ? never : keyof T;

/** The names of operations for which this is false. */
type WrongAnswers = { [N in Kms]: Answers<N> extends Wanted<N> ? never : N }[Kms];
type UnknownAnswers = { [N in Kms]: Exclude<NamesOf<Answers<N>>, keyof Wanted<N>> extends never ? never : N }[Kms];
/** What we take is something that the SDK can send; refused fields, of type `never`, are. */
type WrongInputs = { [N in Kms]: Takes<N> extends Partial<Sent<N>> ? never : N }[Kms];
type UnknownInputs = { [N in Kms]: Exclude<keyof Takes<N>, keyof Sent<N>> extends never ? never : N }[Kms];
type MissingInputs = { [N in Kms]: Exclude<keyof Sent<N>, keyof Takes<N>> extends never ? never : N }[Kms];

type Nothing<T> = [T] extends [never] ? true : { readonly wrong: T };
const held: readonly [Nothing<WrongAnswers>, Nothing<UnknownAnswers>, Nothing<WrongInputs>, Nothing<UnknownInputs>, Nothing<MissingInputs>] = [true, true, true, true, true];

/** The check itself can fail. */
type Bent = { readonly KeyId: number };
const bent: Bent extends Partial<Sent<'kms:DescribeKey'>> ? 'passes' : 'fails' = 'fails';
const known: Kms extends never ? 'none' : 'some' = 'some';

it('holds at compile time, for every operation that AWS has', () => {
  expect(held).toEqual([true, true, true, true, true]);
  expect([bent, known]).toEqual(['fails', 'some']);
  const own: readonly string[] = ['kms:DeleteDueKeys', 'kms:RotateDueKeys', 'kms:ExpireDueKeyMaterials'] satisfies Own[];
  expect(NAMES.filter((name) => name.startsWith('kms:') && !own.includes(name)).length).toBeGreaterThan(35);
});
