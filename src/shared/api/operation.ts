/**
 * `operation()`: the one declaration from which the typed client, the handler map, the command line, the policy's list of
 * actions, the trail's allowlist and the reference page are derived.
 */
import { z } from 'zod';
import type { ErrorCode } from '../model/errors.ts';
import { SecretBytes } from '../model/secret-bytes.ts';
import { base64ToBytes } from '../wire/base64.ts';
import { isUtf8 } from '../wire/utf8.ts';

/** `kms:Encrypt`: at once the policy action, the trail's event, the IPC method and the command `kms encrypt`. */
export type OperationName = `${ServiceName}:${string}`;
export const SERVICES = ['vault', 'kms', 'secretsmanager', 'file', 'hardware', 'access', 'trail', 'window'] as const;
export type ServiceName = (typeof SERVICES)[number];

/** Where a request comes in. `aws` is AWS's protocol over HTTP, `schedule` the vault's own clock. */
export type DoorName = 'ipc' | 'cli' | 'aws' | 'schedule';

/**
 * What a handler may do. It picks the rights that the handler is given.
 * read: reads the store. use: also uses a key, changes nothing stored. write: changes the store.
 * control: changes the vault's own state (lock, unlock, slots) outside of the store's unit of work.
 */
export type Effect = 'read' | 'use' | 'write' | 'control';

/** The state that the vault must be in. absent: no vault exists yet in the folder. */
export type Needs = 'unlocked' | 'any' | 'absent';

/**
 * Which input field names the one resource that policy and handler see, and how it is found. When the field is optional and
 * absent there is no resource.
 * key: id, ARN, alias or alias ARN of a key. alias: an alias by its name.
 * ciphertext: the blob names its own key; one that does not (RSA) is named by `keyField`, which a symmetric one must fit if given.
 * secret: name, ARN or partial ARN of a secret. `mayBeMissing`: with this input field true, one that does not exist is no error.
 */
export interface ResourceRule {
  readonly kind: 'key' | 'alias' | 'ciphertext' | 'secret';
  readonly field: string;
  readonly keyField?: string;
  /** Of a ciphertext: the field that names its algorithm; `EncryptionAlgorithm` unless given. */
  readonly algorithmField?: string;
  /** The policy action that is asked of this resource, where it is not the operation's own name (`kms:ReEncryptFrom`). */
  readonly action?: OperationName;
  readonly mayBeMissing?: string;
}

export interface CommandRule {
  /** Another name, the one that messages use: `VerifyTrail` is `trail verify`, `vault:Unlock` is `unlock`. */
  readonly alias?: string;
  /** Not a command of its own: the command line wraps it by hand, or only the window uses it. */
  readonly hidden?: true;
}

export interface Operation<
  Name extends OperationName = OperationName,
  Input extends z.ZodType = z.ZodType,
  Output extends z.ZodType = z.ZodType,
  Code extends ErrorCode = ErrorCode,
  E extends Effect = Effect,
> {
  readonly name: Name;
  /** One sentence for help and reference, without a full stop. */
  readonly summary: string;
  readonly input: Input;
  readonly output: Output;
  /** Every code that this operation may answer with, beyond COMMON_ERRORS. */
  readonly errors: readonly Code[];
  readonly effect: E;
  readonly needs: Needs;
  readonly doors: readonly DoorName[];
  /** Input fields that the trail records: an allowlist. Never a value, a token, or a hash of something guessable. */
  readonly audited: readonly string[];
  readonly resource?: ResourceRule;
  /** The second resource of an operation that takes from one and gives to another. Policy must allow both. */
  readonly destination?: ResourceRule;
  readonly command?: CommandRule;
  /** False only for what tells nothing of a vault's content, and progress: not recorded in the trail. Default true. */
  readonly recorded?: boolean;
}

/** Codes that any operation may answer with: they come from the path, not from the handler. */
export const COMMON_ERRORS = [
  'ValidationException',
  'SerializationException',
  'UnknownOperationException',
  'RequestTooLargeException',
  'ThrottlingException',
  'AccessDeniedException',
  'MissingAuthenticationTokenException',
  'IncompleteSignatureException',
  'InvalidSignatureException',
  'UnrecognizedClientException',
  'CancelledException',
  'VaultLockedException',
  'VaultNotFoundException',
  'VaultExistsException',
  'VaultReadOnlyException',
  'VaultTamperedException',
  'TrailUnavailableException',
  'TrailBrokenException',
  'StorageFullException',
  'StorageException',
  'SealerStoppedException',
  'InternalException',
  'KMSInternalException',
] as const satisfies readonly ErrorCode[];

/** An operation as it is written down. Building a schema takes a tenth of a millisecond or more, and a process uses few of them all. */
type Declaration<Name extends OperationName, Input extends z.ZodType, Output extends z.ZodType, Code extends ErrorCode, E extends Effect> = Omit<Operation<Name, Input, Output, Code, E>, 'input' | 'output'> & {
  readonly input: () => Input;
  readonly output: () => Output;
};

/** Declares one operation; the types of its parts are kept exactly. Its schemas are built when they are first asked for. */
export function operation<
  const Name extends OperationName,
  Input extends z.ZodType,
  Output extends z.ZodType,
  const Code extends ErrorCode,
  const E extends Effect,
>(declaration: Declaration<Name, Input, Output, Code, E>): Operation<Name, Input, Output, Code, E> {
  let input: Input | undefined;
  let output: Output | undefined;
  return {
    ...declaration,
    get input() { return (input ??= declaration.input()); },
    get output() { return (output ??= declaration.output()); },
  };
}

/** What policy is asked about a request for this operation, one action for each of its resources. */
export const actionsOf = ({ name, resource, destination }: Operation): readonly OperationName[] => [resource?.action ?? name, ...(destination ? [destination.action ?? name] : [])];

export type InputOf<O extends Operation> = z.output<O['input']>;
export type OutputOf<O extends Operation> = z.output<O['output']>;
export type ErrorOf<O extends Operation> = O['errors'][number] | (typeof COMMON_ERRORS)[number];

/** A registry and no WeakMap: zod copies a schema in `.describe()`, and a registry finds the original's entry. */
const marks = z.registry<{ readonly codec?: 'blob' | 'secret'; readonly text?: true; readonly timestamp?: true; readonly refused?: true }>();

/*
 * Binary codecs. On the wire each is base64 (RFC 4648 section 4, padded). `blob` is public bytes; `secret` is
 * `SecretBytes`, which the doors decode from the frame's bytes without making a string of it.
 * The wire decoder (shared/wire/json.ts) turns declared secret fields into SecretBytes before the schema sees them; both
 * therefore accept the decoded object, and `blob` also base64 text. In an input neither is nested in another object; an output may
 * have them in the objects of a list.
 */

export function blob(limits: { min?: number; max: number }): z.ZodType<Uint8Array, string | Uint8Array> {
  const schema = z.union([z.string(), z.instanceof(Uint8Array)]).transform((value, context) => {
    const bytes = typeof value === 'string' ? base64ToBytes(value) : value;
    if (!bytes || bytes.byteLength < (limits.min ?? 0) || bytes.byteLength > limits.max) {
      context.addIssue({ code: 'custom', message: `must be ${String(limits.min ?? 0)} to ${String(limits.max)} bytes in base64` });
      return z.NEVER;
    }
    return bytes;
  });
  marks.add(schema, { codec: 'blob' });
  return schema;
}

export function secret(limits: { min?: number; max: number }): z.ZodType<SecretBytes, SecretBytes> {
  const schema = z.custom<SecretBytes>((value) => value instanceof SecretBytes && value.length >= (limits.min ?? 0) && value.length <= limits.max, {
    message: `must be ${String(limits.min ?? 0)} to ${String(limits.max)} bytes in base64`,
  });
  marks.add(schema, { codec: 'secret' });
  return schema;
}

/**
 * A secret that is text: `SecretBytes` of UTF-8. On Keystead's own wire it is base64 like any secret; where AWS's protocol is spoken,
 * and in what the command line prints, it is a string of JSON. Bytes that are no UTF-8 are refused.
 */
export function secretText(limits: { min?: number; max: number }): z.ZodType<SecretBytes, SecretBytes> {
  const message = `must be text of ${String(limits.min ?? 0)} to ${String(limits.max)} bytes`;
  const schema = z.custom<SecretBytes>((value) => value instanceof SecretBytes && value.length >= (limits.min ?? 0) && value.length <= limits.max && value.borrow(isUtf8), { message });
  marks.add(schema, { codec: 'secret', text: true });
  return schema;
}

/** Seconds since the Unix epoch with up to three decimals, as AWS's JSON protocol writes a date. */
export function timestamp(): z.ZodNumber {
  return z.number().nonnegative().register(marks, { timestamp: true });
}
/** Milliseconds since the epoch as the value of a `timestamp()`. */
export const seconds = (milliseconds: number): number => milliseconds / 1000;

/** An AWS field that is known and not offered: giving it is an error that says what to do instead. */
export function refused(instead: string): z.ZodOptional<z.ZodNever> {
  return z.never({ error: `is not offered: ${instead}` }).optional().register(marks, { refused: true });
}

/** A schema without `.optional()` and `.default()` around it. */
export function innerSchema(schema: z.ZodType): z.ZodType {
  return schema instanceof z.ZodOptional || schema instanceof z.ZodDefault ? innerSchema(schema.unwrap() as z.ZodType) : schema;
}

/** The wire codec of a schema, seen through `.optional()`, `.default()` and `.describe()`. */
export function codecFor(schema: z.ZodType): 'blob' | 'secret' | undefined {
  return marks.get(innerSchema(schema))?.codec;
}
export const isTimestamp = (schema: z.ZodType): boolean => marks.get(innerSchema(schema))?.timestamp === true;
export const isRefused = (schema: z.ZodType): boolean => marks.get(schema)?.refused === true;

export const isSecretText = (schema: z.ZodType): boolean => marks.get(innerSchema(schema))?.text === true;

/** Fields of an operation's schema that hold secrets; one in a list of objects as `SecretValues.SecretBinary`. */
export const secretFields = (schema: z.ZodType): ReadonlySet<string> => secretsIn(schema, '', (field) => codecFor(field) === 'secret');
/** Those of them that are text. */
export const secretTexts = (schema: z.ZodType): ReadonlySet<string> => secretsIn(schema, '', isSecretText);

function secretsIn(schema: z.ZodType, path: string, counts: (field: z.ZodType) => boolean): ReadonlySet<string> {
  const inner = innerSchema(schema);
  if (inner instanceof z.ZodArray) return secretsIn(inner.element as z.ZodType, path, counts);
  if (!(inner instanceof z.ZodObject)) return new Set();
  const fields = Object.entries<z.ZodType>(inner.shape);
  return new Set(fields.flatMap(([name, field]) => (counts(field) ? [path + name] : [...secretsIn(field, `${path}${name}.`, counts)])));
}
