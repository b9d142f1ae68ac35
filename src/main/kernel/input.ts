/** Step 3: hostile bytes become an operation's input, or a named error. An unknown field is an error. */
import { commandOf } from '../../shared/api/describe.ts';
import { secretFields, type Operation } from '../../shared/api/operation.ts';
import { VaultError } from '../../shared/model/errors.ts';
import { disposeSecrets } from '../../shared/model/secret-bytes.ts';
import { decodeJson, isObject } from '../../shared/wire/json.ts';

export type Input = Readonly<Record<string, unknown>>;

const secretsOf = new WeakMap<Operation, ReadonlySet<string>>();

function secretsIn(operation: Operation): ReadonlySet<string> {
  const known = secretsOf.get(operation) ?? secretFields(operation.input);
  secretsOf.set(operation, known);
  return known;
}

/** Throws SerializationException (not JSON as we take it) or ValidationException (not this operation's input). */
export function parseInput(operation: Operation, bytes: Uint8Array): Input {
  const raw = decodeJson(bytes, { secretFields: secretsIn(operation) });
  const parsed = operation.input.safeParse(raw);
  if (parsed.success) return parsed.data as Input;
  if (isObject(raw)) disposeSecrets(raw);
  const issue = parsed.error.issues[0];
  const where = issue?.path.join('.');
  throw new VaultError('ValidationException', `${where ? `\`${where}\`: ` : ''}${lowerFirst(issue?.message ?? 'the input is not valid')}; see \`keystead ${operation.command?.alias ?? commandOf(operation.name)} --help\``);
}

const lowerFirst = (text: string): string => text.charAt(0).toLowerCase() + text.slice(1);

