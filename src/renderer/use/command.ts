/** The command line that does the same. Values stand in files there, never in the arguments. Pure. */
import type { BytesAction } from '../keys/actions.ts';

export interface CommandFacts {
  readonly action: BytesAction;
  /** Alias or id. */
  readonly key: string;
  readonly algorithm?: string | undefined;
  /** Whether the message is signed by its digest. */
  readonly digest?: boolean;
  readonly context?: Readonly<Record<string, string>>;
  readonly dataKeySpec?: string;
  /** Name of the file that was dropped; else a name that says what it is. */
  readonly input?: string | undefined;
}

const PLAIN = /^[\w./:@+-]+$/;

/** As a POSIX shell reads it back. */
export const quoted = (text: string): string => (/^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", String.raw`'\''`)}'`);

/** Whatever the short form could read in another way goes as JSON. */
function bindingOf(context: Readonly<Record<string, string>>): readonly string[] {
  const pairs = Object.entries(context);
  const short = pairs.every(([name, value]) => PLAIN.test(name) && (value === '' || PLAIN.test(value)));
  return pairs.length === 0 ? [] : [`--encryption-context ${quoted(short ? pairs.map(([name, value]) => `${name}=${value}`).join(',') : JSON.stringify(context))}`];
}

export type FileWork = 'encrypt' | 'decrypt';
const SUFFIX = '.encrypted';

/** Where a file's other form goes unless the person says otherwise; empty where nobody can tell. */
export function outputFor(work: FileWork, path: string): string {
  if (path === '') return '';
  if (work === 'encrypt') return path + SUFFIX;
  return path.endsWith(SUFFIX) && path.length > SUFFIX.length ? path.slice(0, -SUFFIX.length) : '';
}

export interface FileFacts {
  readonly work: FileWork;
  /** Alias or id. */
  readonly key: string;
  readonly path: string;
  readonly output: string;
  readonly context: Readonly<Record<string, string>>;
}

export function fileCommand({ work, key, path, output, context }: FileFacts): string {
  const file = path === '' ? (work === 'encrypt' ? 'FILE' : `FILE${SUFFIX}`) : quoted(path);
  const out = output === outputFor(work, path) ? [] : [`--out ${quoted(output)}`];
  return ['keystead file', work, file, `--key-id ${quoted(key)}`, ...bindingOf(context), ...out].join(' ');
}

export function commandFor({ action, key, algorithm, digest = false, context = {}, dataKeySpec = 'AES_256', input }: CommandFacts): string {
  const id = `--key-id ${quoted(key)}`;
  const file = (flag: string, name: string): string => `${flag} ${quoted(`fileb://${input ?? name}`)}`;
  const bound = bindingOf(context);
  const by = (flag: string): readonly string[] => (algorithm === undefined || algorithm === 'SYMMETRIC_DEFAULT' ? [] : [`${flag} ${algorithm}`]);
  const parts: Record<BytesAction, readonly string[]> = {
    encrypt: ['kms encrypt', id, file('--plaintext', 'plaintext'), ...bound, ...by('--encryption-algorithm'), '--output-file CiphertextBlob=ciphertext.bin'],
    decrypt: ['kms decrypt', id, file('--ciphertext-blob', 'ciphertext.bin'), ...bound, ...by('--encryption-algorithm'), '--output-file Plaintext=plaintext'],
    'data-key': ['kms generate-data-key', id, `--key-spec ${dataKeySpec}`, ...bound, '--output-file Plaintext=data-key --output-file CiphertextBlob=data-key.bin'],
    // A message too long to go whole is a file, which the vault digests itself.
    sign: digest ? ['file sign', quoted(input ?? 'message'), id, ...by('--signing-algorithm'), '--out signature.bin'] : ['kms sign', id, file('--message', 'message'), ...by('--signing-algorithm'), '--output-file Signature=signature.bin'],
    verify: digest ? ['file verify', quoted(input ?? 'message'), id, '--signature fileb://signature.bin', ...by('--signing-algorithm')] : ['kms verify', id, file('--message', 'message'), '--signature fileb://signature.bin', ...by('--signing-algorithm')],
    mac: ['kms generate-mac', id, file('--message', 'message'), ...by('--mac-algorithm'), '--output-file Mac=mac.bin'],
    'verify-mac': ['kms verify-mac', id, file('--message', 'message'), '--mac fileb://mac.bin', ...by('--mac-algorithm')],
    'shared-secret': ['kms derive-shared-secret', id, '--key-agreement-algorithm ECDH', file('--public-key', 'other-side.der'), '--output-file SharedSecret=shared-secret'],
    encapsulate: ['kms encapsulate', id, '--encapsulation-algorithm ML_KEM', '--output-file SharedSecret=shared-secret', '--output-file SharedSecretCiphertextBlob=encapsulated.bin'],
    decapsulate: ['kms decapsulate', id, '--encapsulation-algorithm ML_KEM', file('--shared-secret-ciphertext-blob', 'encapsulated.bin'), '--output-file SharedSecret=shared-secret'],
    'public-key': ['kms get-public-key', id, '--format pem'],
  };
  return `keystead ${parts[action].join(' ')}`;
}
