/** Passwords, recovery codes and PINs, asked for or read from standard input; never from an argument. */
import type { Flag } from './arguments.ts';
import { flagSwitch, flagText, type Run } from './command.ts';
import { readBytes } from './files.ts';
import { askSecret, onTerminal, sameBytes, secretLines } from './prompt.ts';
import { usage } from './world.ts';
import { MIN_PASSWORD } from '../shared/api/vault.ts';
import { SecretBytes } from '../shared/model/secret-bytes.ts';

export const PASSWORD_STDIN: Flag = { name: 'password-stdin', takes: 'switch', about: 'Read passwords from standard input, a line each, in the order in which they are asked' };
export const PASSWORD: Flag = { name: 'password', takes: 'secret', about: 'Never an argument', instead: 'type it when asked, or use --password-stdin' };

/** One secret to be had. `fresh`: a new password, typed twice and of a length. */
export interface Wanted {
  readonly question: string;
  readonly fresh?: true;
  readonly code?: true;
}

/** The secrets wanted, in order; the caller disposes of them. */
export async function secretsOf(run: Run, wanted: readonly Wanted[], needed = 'a password'): Promise<readonly SecretBytes[]> {
  const { world } = run;
  if (wanted.length === 0) return [];
  if (flagSwitch(run, 'password-stdin')) {
    const lines = await secretLines(world, wanted.length, wanted.map(({ question }) => question.toLowerCase()).join(', then '));
    wanted.forEach((one, at) => { if (one.fresh) judge(lines[at]); });
    return lines;
  }
  if (!onTerminal(world)) throw usage(`${needed} is needed and there is no terminal to ask on; pipe it in and give --password-stdin`);
  const secrets: SecretBytes[] = [];
  try {
    for (const one of wanted) secrets.push(one.fresh ? await askNew(run, one.question) : await askSecret(world, `${one.question}: `, { mask: one.code === true }));
    return secrets;
  } catch (error) {
    for (const secret of secrets) secret[Symbol.dispose]();
    throw error;
  }
}

function judge(password: SecretBytes | undefined): void {
  if (password !== undefined && password.length < MIN_PASSWORD) throw usage(`a new password must have at least ${String(MIN_PASSWORD)} bytes; several words are easy to keep and hard to guess`);
}

async function askNew(run: Run, question: string): Promise<SecretBytes> {
  const { world } = run;
  for (let attempt = 1; ; attempt++) {
    const first = await askSecret(world, `${question}: `);
    if (first.length < MIN_PASSWORD) {
      first[Symbol.dispose]();
      await world.stderr.write(`It must have at least ${String(MIN_PASSWORD)} bytes; several words are easy to keep and hard to guess.\n`);
    } else {
      using second = await askSecret(world, 'The same again: ');
      if (sameBytes(first, second)) return first;
      first[Symbol.dispose]();
      await world.stderr.write('They differ.\n');
    }
    if (attempt === 3) throw usage('no new password was given');
  }
}

/** Which factor proves that it is the owner: the password, or what a flag says. */
export const PROOF_FLAGS: readonly Flag[] = [
  PASSWORD,
  PASSWORD_STDIN,
  { name: 'recovery-code', takes: 'switch', about: 'Use the recovery code and not the password' },
  { name: 'recovery-code-file', takes: 'value', placeholder: 'PATH', about: 'Use the recovery code in this file' },
];
/** Of a vault with a slot that a key in a token opens. */
export const TOKEN_FLAGS: readonly Flag[] = [
  { name: 'token', takes: 'switch', about: 'Use the key in a token; its PIN is asked for' },
  { name: 'token-slot-id', takes: 'value', placeholder: 'ID', about: 'With --token: which slot, when several tokens open the vault' },
  { name: 'module-sha256', takes: 'value', placeholder: 'HEX', about: 'With --token: the module\'s file is this one; needed where others than root could have put it there' },
  { name: 'last-try', takes: 'switch', about: 'Try even where one more wrong PIN locks the token' },
];
export const KEYCHAIN_FLAG: Flag = { name: 'keychain', takes: 'switch', about: 'Use the keychain of this system alone, for a vault that has such a slot' };

export type Proof = { readonly kind: 'Password' | 'RecoveryCode' | 'TokenPin'; readonly wanted: Wanted } | { readonly kind: 'file'; readonly path: string } | { readonly kind: 'Keychain' };

/** `recoveryCodeFile`: whether that flag names a factor here. */
export function proofOf(run: Run, question = 'Password', { recoveryCodeFile = true } = {}): Proof {
  const file = recoveryCodeFile ? flagText(run, 'recovery-code-file') : undefined;
  const given = [flagSwitch(run, 'recovery-code'), file === undefined ? undefined : true, flagSwitch(run, 'keychain'), flagSwitch(run, 'token')].filter((one) => one === true);
  if (given.length > 1) throw usage('give one of --recovery-code, --recovery-code-file, --keychain and --token');
  if (file !== undefined) return { kind: 'file', path: file };
  if (flagSwitch(run, 'keychain')) return { kind: 'Keychain' };
  if (flagSwitch(run, 'recovery-code')) return { kind: 'RecoveryCode', wanted: { question: 'Recovery code', code: true } };
  if (flagSwitch(run, 'token')) return { kind: 'TokenPin', wanted: { question: 'PIN of the token' } };
  for (const name of ['token-slot-id', 'module-sha256']) if (flagText(run, name) !== undefined) throw usage(`--${name} goes with --token`);
  return { kind: 'Password', wanted: { question } };
}

/** The proof as input fields, with whatever else is wanted after it. The caller disposes of all of it. */
export async function prove(run: Run, proof: Proof, more: readonly Wanted[] = []): Promise<{ readonly fields: Record<string, unknown>; readonly rest: readonly SecretBytes[] }> {
  if (proof.kind === 'Keychain') return { fields: { Keychain: true }, rest: await secretsOf(run, more) };
  if (proof.kind === 'file') {
    const rest = await secretsOf(run, more);
    return { fields: { RecoveryCode: await codeFrom(run, proof.path) }, rest };
  }
  const [first, ...rest] = await secretsOf(run, [proof.wanted, ...more], NEEDED[proof.kind]);
  return { fields: { [proof.kind]: first, ...(proof.kind === 'TokenPin' ? besidePin(run) : {}) }, rest };
}

const NEEDED = { Password: 'the password', RecoveryCode: 'the recovery code', TokenPin: 'the PIN' } as const;
const besidePin = (run: Run): Record<string, unknown> => ({ TokenSlotId: flagText(run, 'token-slot-id'), ModuleSha256: flagText(run, 'module-sha256'), LastTry: flagSwitch(run, 'last-try') === true ? true : undefined });

/** The first line of a file that holds the code, without white space around it. */
async function codeFrom(run: Run, path: string): Promise<SecretBytes> {
  const bytes = await readBytes(run.world, 'recovery-code-file', path);
  const isSpace = (byte: number): boolean => byte === 0x20 || byte === 0x09 || byte === 0x0d || byte === 0x0a;
  const start = bytes.findIndex((byte) => !isSpace(byte));
  const after = bytes.subarray(Math.max(start, 0)).findIndex((byte) => byte === 0x0a || byte === 0x0d);
  const end = after < 0 ? bytes.length : Math.max(start, 0) + after;
  const code = SecretBytes.copy(start < 0 ? bytes.subarray(0, 0) : bytes.subarray(start, end));
  bytes.fill(0);
  if (code.length > 0) return code;
  throw usage(`--recovery-code-file: \`${path}\` holds no recovery code`);
}
