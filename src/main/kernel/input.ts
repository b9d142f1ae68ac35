/** Step 3: hostile bytes become an operation's input, or a named error. An unknown field is an error. */
import { commandOf } from '../../shared/api/describe.ts';
import { secretFields, secretTexts, type DoorName, type Operation } from '../../shared/api/operation.ts';
import { VaultError } from '../../shared/model/errors.ts';
import { disposeSecrets } from '../../shared/model/secret-bytes.ts';
import { decodeJson, isObject } from '../../shared/wire/json.ts';

export type Input = Readonly<Record<string, unknown>>;

/** Which secrets are base64, and which are text; where AWS's protocol is not spoken all are base64. */
interface Secrets {
  readonly all: ReadonlySet<string>;
  readonly binary: ReadonlySet<string>;
  readonly texts: ReadonlySet<string>;
}
const secretsOf = new WeakMap<Operation, Secrets>();

function secretsIn(operation: Operation): Secrets {
  const known = secretsOf.get(operation);
  if (known) return known;
  const all = secretFields(operation.input);
  const texts = secretTexts(operation.input);
  const secrets = { all, texts, binary: new Set([...all].filter((field) => !texts.has(field))) };
  secretsOf.set(operation, secrets);
  return secrets;
}

/** Throws SerializationException (not JSON as we take it) or ValidationException (not this operation's input). */
export function parseInput(operation: Operation, bytes: Uint8Array, door: DoorName): Input {
  const { all, binary, texts } = secretsIn(operation);
  const raw = decodeJson(bytes, door === 'aws' ? { secretFields: binary, secretTexts: texts } : { secretFields: all });
  const parsed = operation.input.safeParse(raw);
  if (parsed.success) return parsed.data as Input;
  if (isObject(raw)) disposeSecrets(raw);
  const issue = parsed.error.issues[0];
  const where = issue?.path.join('.');
  const said = `${where ? `\`${where}\`: ` : ''}${lowerFirst(issue?.message ?? 'the input is not valid')}`;
  // The window has a field for it, and no flag.
  throw new VaultError('ValidationException', door === 'ipc' ? said : `${said}; see \`keystead ${operation.command?.alias ?? commandOf(operation.name)} --help\``);
}

const lowerFirst = (text: string): string => text.charAt(0).toLowerCase() + text.slice(1);

