/** Flags of a declared operation to its input, with the AWS CLI's rules for values. */
import type { Field } from '../shared/api/describe.ts';
import { fieldsOf, refusedOf } from '../shared/api/describe.ts';
import { secretFields, type Operation } from '../shared/api/operation.ts';
import { disposeSecrets, SecretBytes } from '../shared/model/secret-bytes.ts';
import { decodeJson, isObject } from '../shared/wire/json.ts';
import { listOf, switchOf, textOf, type Flag, type Values } from './arguments.ts';
import { readBytes, readStdin } from './files.ts';
import { askSecret, onTerminal, sameBytes } from './prompt.ts';
import { parseBase64, parseInteger, parseMap, parseNumber, parseStructure } from './shorthand.ts';
import { usage, type World } from './world.ts';

export type Input = Record<string, unknown>;

/** What the AWS CLI takes on the line and Keystead takes from a file or standard input only. */
const FROM_FILES: ReadonlySet<string> = new Set(['Plaintext', 'Message', 'SecretString', 'SecretBinary', 'SecretAccessKey', 'SessionToken']);
/** One word each: a line's end behind it is none of it. */
const CREDENTIALS: ReadonlySet<string> = new Set(['SecretAccessKey', 'SessionToken']);

/** PINs of tokens, and how each is asked for on a terminal: from a file or standard input otherwise, without the line's end. */
const PINS: Readonly<Record<string, string>> = { Pin: 'PIN of the token', OldPin: 'PIN as it is now', NewPin: 'New PIN', SecurityOfficerPin: 'PIN of the security officer', KeyStorePassword: 'PIN of the token' };
/** Nobody sees a new PIN again: typed twice. */
const isNew = (operation: Operation, name: string): boolean => name === 'NewPin' || operation.name === 'hardware:InitializeToken';

/** Flags of an operation's input. Factors (passwords, codes) are refused as arguments and asked for by the wrapped commands. */
export function flagsOf(operation: Operation): readonly Flag[] {
  return [
    ...fieldsOf(operation.input).map(flagOf),
    ...refusedOf(operation.input).map(({ flag, reason }) => ({ name: flag, takes: 'refused', about: reason }) as const),
    ...(fieldsOf(operation.input).length === 0
      ? []
      : [{ name: 'cli-input-json', takes: 'value', placeholder: 'file://F|-|JSON', about: 'The whole input as JSON, binary fields in base64; flags win over it' } as const]),
  ];
}

function flagOf(field: Field): Flag {
  const common = {
    name: field.flag,
    about: field.about,
    required: field.required,
    ...(field.choices ? { choices: field.choices } : {}),
    ...(field.fallback === undefined || field.fallback === '' ? {} : { fallback: String(field.fallback) }),
  };
  switch (field.kind) {
    case 'boolean':
    case 'false':
      return { ...common, takes: 'negatable' };
    case 'true':
      return { ...common, takes: 'switch' };
    case 'secret':
      if (FROM_FILES.has(field.name) || Object.hasOwn(PINS, field.name)) return { ...common, takes: 'value', placeholder: field.text ? 'file://F|-' : 'fileb://F|file://F|-' };
      return { ...common, takes: 'secret', instead: 'type it when asked, or use --password-stdin' };
    case 'blob':
      return { ...common, takes: 'value', placeholder: 'BASE64|fileb://F' };
    case 'map':
      return { ...common, takes: 'value', placeholder: 'K=V,K2=V2' };
    case 'object':
      return { ...common, takes: 'value', placeholder: `${field.members?.slice(0, 2).map(({ name }) => `${name}=…`).join(',') ?? 'K=V'}|JSON|file://F`, ...(field.many ? { repeat: true, words: true } : {}) };
    case 'list':
      return { ...common, takes: 'value', repeat: true, words: true };
    case 'integer':
    case 'number':
      return { ...common, takes: 'value', placeholder: 'N' };
    default:
      return { ...common, takes: 'value' };
  }
}

/**
 * Reads files and standard input where flags point to them. The secrets in the result are the caller's to dispose of. Whether
 * the values are allowed is the vault's to say; here only what is missing is named.
 */
export async function inputOf(world: World, operation: Operation, values: Values, given: Input = {}): Promise<Input> {
  const fields = fieldsOf(operation.input);
  const input: Input = { ...(await wholeInput(world, operation, values)), ...given };
  try {
    for (const field of fields) {
      const value = (await valueOf(world, field, values)) ?? (input[field.name] === undefined && field.required ? await askedPin(world, operation, field.name) : undefined);
      if (value === undefined) continue;
      const before = input[field.name];
      if (before instanceof SecretBytes) before[Symbol.dispose]();
      input[field.name] = value;
    }
    const missing = fields.filter((field) => field.required && input[field.name] === undefined).map((field) => `--${field.flag}`);
    if (missing.length > 0) throw usage(`these must be given: ${missing.join(', ')}`);
    return input;
  } catch (error) {
    disposeSecrets(input);
    throw error;
  }
}

async function wholeInput(world: World, operation: Operation, values: Values): Promise<Input> {
  const given = textOf(values, 'cli-input-json');
  if (given === undefined) return {};
  const secrets = secretFields(operation.input);
  const inline = given !== '-' && !/^fileb?:\/\//.test(given);
  const bytes = inline ? new TextEncoder().encode(given) : await bytesOf(world, 'cli-input-json', given);
  let value: unknown;
  try {
    value = decodeJson(bytes, { secretFields: secrets });
  } finally {
    bytes.fill(0);
  }
  if (!isObject(value)) throw usage('--cli-input-json must be a JSON object');
  const input: Input = value;
  if (inline && Object.keys(input).some((name) => secrets.has(name))) {
    disposeSecrets(input);
    throw usage('--cli-input-json holds a secret in the argument itself: put it into a file and give `file://PATH`, or `-` for standard input');
  }
  return input;
}

/** Raw bytes of `fileb://F`, `file://F` or `-`. */
async function bytesOf(world: World, flag: string, reference: string): Promise<Uint8Array> {
  if (reference === '-') {
    using whole = await readStdin(world, flag);
    return whole.borrow((bytes) => new Uint8Array(bytes));
  }
  return readBytes(world, flag, reference.replace(/^fileb?:\/\//, ''));
}

async function valueOf(world: World, field: Field, values: Values): Promise<unknown> {
  const { flag, kind } = field;
  if (kind === 'boolean' || kind === 'true' || kind === 'false') return switchOf(values, flag);
  if (kind === 'list') return values.has(flag) ? listOf(values, flag) : undefined;
  const text = textOf(values, flag);
  if (text === undefined) return undefined;
  if (kind === 'secret' && (Object.hasOwn(PINS, field.name) || CREDENTIALS.has(field.name))) return withoutLineEnd(await secretTextOf(world, flag, text));
  if (kind === 'secret') return field.text ? secretTextOf(world, flag, text) : secretOf(world, flag, text);
  if (kind === 'blob') return blobOf(world, flag, text);
  const plain = text.startsWith('file://') ? new TextDecoder().decode(await readBytes(world, flag, text.slice('file://'.length))) : text;
  if (kind === 'integer') return parseInteger(flag, plain);
  if (kind === 'number' || kind === 'timestamp') return parseNumber(flag, plain);
  if (kind === 'map') return parseMap(flag, plain);
  if (kind === 'object') return parseObject(field, [plain, ...listOf(values, flag).slice(1)]);
  return plain;
}

/** JSON of whatever type, or a word of shorthand for each: whether that is allowed is the vault's to say. */
function parseObject({ flag, members = [], many }: Field, words: readonly string[]): unknown {
  const [first = ''] = words;
  if (!/^\s*[[{]/.test(first)) {
    const structures = words.map((word) => parseStructure(flag, word, members));
    return many ? structures : structures[0];
  }
  if (words.length > 1) throw usage(`--${flag} takes one JSON value; put all of it into one list`);
  try {
    return JSON.parse(first) as unknown;
  } catch {
    throw usage(`--${flag} begins like JSON and is not; correct it, or give file://PATH`);
  }
}

/** `fileb://` and `-` are raw bytes; `file://` is a file of base64 text, as for the AWS CLI. */
async function blobOf(world: World, flag: string, text: string): Promise<Uint8Array> {
  if (text === '-' || text.startsWith('fileb://')) return bytesOf(world, flag, text);
  if (!text.startsWith('file://')) return parseBase64(flag, text);
  return parseBase64(flag, new TextDecoder().decode(await bytesOf(world, flag, text)));
}

async function askedPin(world: World, operation: Operation, name: string): Promise<SecretBytes | undefined> {
  const question = Object.hasOwn(PINS, name) && onTerminal(world) ? PINS[name] : undefined;
  if (question === undefined) return undefined;
  const pin = await askSecret(world, `${question}: `);
  if (!isNew(operation, name)) return pin;
  using again = await askSecret(world, 'The same again: ');
  if (sameBytes(pin, again)) return pin;
  pin[Symbol.dispose]();
  throw usage('the two PINs differ; try again');
}

/** Without a line's end: editors and `echo` put one there. */
function withoutLineEnd(whole: SecretBytes): SecretBytes {
  using text = whole;
  return text.borrow((bytes) => {
    let end = bytes.byteLength;
    while (end > 0 && (bytes[end - 1] === 0x0a || bytes[end - 1] === 0x0d)) end -= 1;
    return SecretBytes.copy(bytes.subarray(0, end));
  });
}

/** Text of a file or of standard input as it is: a line's end at the end of it too. */
async function secretTextOf(world: World, flag: string, text: string): Promise<SecretBytes> {
  if (text === '-') return readStdin(world, flag);
  if (/^fileb?:\/\//.test(text)) return SecretBytes.take(await bytesOf(world, flag, text));
  throw usage(`--${flag} may not stand in an argument, which other programs see and the shell keeps; put it into a file and give \`file://PATH\`, or pipe it in and give \`-\``);
}

async function secretOf(world: World, flag: string, text: string): Promise<SecretBytes> {
  if (text === '-') return readStdin(world, flag);
  if (text.startsWith('fileb://')) return SecretBytes.take(await bytesOf(world, flag, text));
  if (!text.startsWith('file://')) {
    throw usage(
      `--${flag} may not stand in an argument, which other programs see and the shell keeps; put it into a file and give \`fileb://PATH\`, or pipe it in and give \`-\``,
    );
  }
  const encoded = await bytesOf(world, flag, text);
  return decodeSecret(flag, encoded);
}

/** Base64 text to a secret, through the JSON reader, which makes no string of it. Wipes `encoded`. */
function decodeSecret(flag: string, encoded: Uint8Array): SecretBytes {
  const space = new Set([0x20, 0x09, 0x0a, 0x0d]);
  let end = encoded.length;
  while (end > 0 && space.has(encoded[end - 1] ?? 0)) end--;
  using document = SecretBytes.allocate(end + 8);
  try {
    return document.borrow((bytes) => {
      bytes.set(new TextEncoder().encode('{"v":"'));
      bytes.set(encoded.subarray(0, end), 6);
      bytes.set(new TextEncoder().encode('"}'), 6 + end);
      return (decodeJson(bytes, { secretFields: new Set(['v']) }) as { readonly v: SecretBytes }).v;
    });
  } catch {
    throw usage(`--${flag}: \`file://\` reads base64, as the AWS CLI does; for raw bytes write \`fileb://\``);
  } finally {
    encoded.fill(0);
  }
}
