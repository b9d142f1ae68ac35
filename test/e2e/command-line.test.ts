/**
 * The whole story from the command line, with real processes: a vault, keys, a signature that openssl verifies, a kill, and
 * everything found again; then the ways in, the forgotten password, and a vault that needs the system's keychain.
 */
import { spawn, spawnSync, type ChildProcess, type SpawnSyncReturns } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { EXIT } from '../../src/shared/model/errors.ts';
import { argumentsOf } from '../system/support/processes.ts';

const CLI = resolve(import.meta.dirname, '../../dist/cli/keystead.mjs');
const PASSWORD = 'correct horse battery';

class Person {
  readonly home = mkdtempSync('/tmp/ke-');
  readonly env: Record<string, string>;

  constructor(more: Record<string, string> = {}) {
    mkdirSync(join(this.home, 'run'), { mode: 0o700 });
    this.env = { PATH: process.env['PATH'] ?? '/usr/bin:/bin', LANG: 'C.UTF-8', HOME: this.home, XDG_RUNTIME_DIR: join(this.home, 'run'), ...more };
  }

  run(args: readonly string[], input = ''): SpawnSyncReturns<string> {
    return spawnSync(process.execPath, [CLI, ...args], { env: this.env, input, encoding: 'utf8', cwd: this.home });
  }

  /** Standard output of a command that must succeed. */
  ok(args: readonly string[], input = ''): string {
    const { status, stdout, stderr } = this.run(args, input);
    expect({ args, status, stderr: status === 0 ? '' : stderr }).toEqual({ args, status: EXIT.ok, stderr: '' });
    return stdout;
  }

  json(args: readonly string[], input = ''): Record<string, unknown> {
    return JSON.parse(this.ok([...args, '--output', 'json'], input)) as Record<string, unknown>;
  }

  /** Exit code and the error's code of a command that must fail. */
  fails(args: readonly string[], input = ''): [number | null, string | undefined] {
    const { status, stderr } = this.run(args, input);
    return [status, /\((\w+)\)\s*$/m.exec(stderr)?.[1]];
  }

  file(name: string, content: string | Uint8Array): string {
    const path = join(this.home, name);
    writeFileSync(path, content);
    return path;
  }

  leave(): void {
    this.run(['stop']);
    // That was the last one used; others of this home end, too, whatever a test that failed has left.
    for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name)).map(Number)) if (argumentsOf(pid).includes(`--vault\0${this.home}/`)) process.kill(pid, 'SIGKILL');
    rmSync(this.home, { recursive: true, force: true });
  }
}

const keyIdOf = (output: Record<string, unknown>): string => (output['KeyMetadata'] as { KeyId: string }).KeyId;

describe('from nothing to a signature, and through a kill', () => {
  const person = new Person();
  afterAll(() => {
    person.leave();
  });
  let ciphertext = '';

  it('says what to do while there is no vault', () => {
    expect(person.fails(['kms', 'list-keys'])[0]).toBe(EXIT.notFound);
    expect(person.fails(['init', '--password-stdin'], PASSWORD)[0]).toBe(EXIT.usage);
    expect(existsSync(join(person.home, '.local/share/keystead/vaults/default'))).toBe(false);
  });

  it('makes a vault, private in every file, with the recovery code in a new private file', () => {
    const code = join(person.home, 'code');
    person.ok(['init', '--password-stdin', '--recovery-code-file', code], PASSWORD);
    expect(readFileSync(code, 'latin1')).toMatch(/^(?:[0-9A-HJKMNP-TV-Z]{4}-){6}[0-9A-HJKMNP-TV-Z]{4}\n$/);
    expect(statSync(code).mode & 0o777).toBe(0o600);
    const folder = join(person.home, '.local/share/keystead/vaults/default');
    expect(statSync(folder).mode & 0o777).toBe(0o700);
    for (const name of ['header', 'vault.db', 'lock.db', 'trail/trail.key', 'trail/00000001.seg']) expect([name, statSync(join(folder, name)).mode & 0o077]).toEqual([name, 0]);
    expect(person.fails(['init', '--password-stdin', '--no-recovery-code'], PASSWORD)).toEqual([EXIT.conflict, 'VaultExistsException']);
  });

  it('signs a file that openssl verifies', () => {
    const id = keyIdOf(person.json(['kms', 'create-key', '--key-spec', 'ECC_NIST_P256', '--key-usage', 'SIGN_VERIFY']));
    person.ok(['kms', 'create-alias', '--alias-name', 'alias/release', '--target-key-id', id]);
    const path = person.file('release.tar', randomBytes(3_000_000));
    person.ok(['file', 'sign', path, '--key-id', 'alias/release', '--out', `${path}.sig`]);
    const pem = person.file('public.pem', person.ok(['kms', 'get-public-key', '--key-id', 'alias/release', '--format', 'pem']));
    expect(spawnSync('openssl', ['dgst', '-sha256', '-verify', pem, '-signature', `${path}.sig`, path], { encoding: 'utf8' }).stdout).toBe('Verified OK\n');
    person.ok(['file', 'verify', path, '--key-id', 'alias/release', '--signature', `fileb://${path}.sig`]);
    writeFileSync(path, 'something else');
    expect(person.fails(['file', 'verify', path, '--key-id', 'alias/release', '--signature', `fileb://${path}.sig`])).toEqual([EXIT.tampered, 'KMSInvalidSignatureException']);
  });

  it('encrypts and decrypts as the AWS CLI does, with bytes in files and base64 on the line', () => {
    const id = keyIdOf(person.json(['kms', 'create-key']));
    const note = person.file('note', 'höllo\n');
    ciphertext = person.json(['kms', 'encrypt', '--key-id', id, '--plaintext', `fileb://${note}`, '--encryption-context', 'app=notes'])['CiphertextBlob'] as string;
    const opened = person.json(['kms', 'decrypt', '--ciphertext-blob', ciphertext, '--encryption-context', 'app=notes']);
    expect(Buffer.from(opened['Plaintext'] as string, 'base64').toString()).toBe('höllo\n');
    const input = person.file('input.json', JSON.stringify({ CiphertextBlob: ciphertext, EncryptionContext: { app: 'notes' } }));
    expect(person.json(['kms', 'decrypt', '--cli-input-json', `file://${input}`])['Plaintext']).toBe(opened['Plaintext']);
    expect(person.fails(['kms', 'decrypt', '--ciphertext-blob', ciphertext])).toEqual([EXIT.tampered, 'InvalidCiphertextException']);
    expect(person.fails(['kms', 'encrypt', '--key-id', id, '--plaintext', 'c2VjcmV0'])[0]).toBe(EXIT.usage);
    const out = join(person.home, 'opened');
    person.ok(['kms', 'decrypt', '--ciphertext-blob', ciphertext, '--encryption-context', 'app=notes', '--output-file', out]);
    expect([readFileSync(out, 'utf8'), statSync(out).mode & 0o777]).toEqual(['höllo\n', 0o600]);
  });

  it('finds everything again after kill -9', () => {
    const { ProcessId } = person.json(['status']);
    process.kill(ProcessId as number, 'SIGKILL');
    expect(person.fails(['kms', 'list-keys'])[0]).toBe(EXIT.notRunning);
    expect(person.fails(['unlock', '--password-stdin'], 'something wrong')).toEqual([EXIT.wrongPassword, 'IncorrectPasswordException']);
    person.ok(['unlock', '--password-stdin'], PASSWORD);
    expect((person.json(['kms', 'list-keys'])['Keys'] as unknown[]).length).toBe(2);
    expect(person.json(['kms', 'list-aliases'])['Aliases']).toMatchObject([{ AliasName: 'alias/release' }]);
    expect(person.json(['kms', 'decrypt', '--ciphertext-blob', ciphertext, '--encryption-context', 'app=notes'])['Plaintext']).toBe(Buffer.from('höllo\n').toString('base64'));
    expect(person.json(['trail', 'verify'])).toMatchObject({ Intact: true, Unfinished: [] });
  });

  it('locks, and does nothing more until it is unlocked', () => {
    person.ok(['lock']);
    expect(person.json(['status'])['State']).toBe('locked');
    expect(person.fails(['kms', 'list-keys'])).toEqual([EXIT.locked, 'VaultLockedException']);
    person.ok(['unlock', '--password-stdin'], PASSWORD);
  });

  it('delays wrong passwords more and more, and says for how long', () => {
    person.ok(['lock']);
    for (let i = 0; i < 2; i++) expect(person.fails(['unlock', '--password-stdin'], 'wrong wrong')[1]).toBe('IncorrectPasswordException');
    person.run(['unlock', '--password-stdin'], 'wrong wrong');
    const { stderr, status } = person.run(['unlock', '--password-stdin'], PASSWORD);
    // Either it waited for the owner, or it says how long; it never opens for a wrong one.
    if (status !== 0) expect(stderr).toMatch(/\d+ s/);
    for (let i = 0; i < 20 && person.json(['status'])['State'] !== 'unlocked'; i++) {
      spawnSync('sleep', ['1']);
      person.run(['unlock', '--password-stdin'], PASSWORD);
    }
    expect(person.json(['status'])['State']).toBe('unlocked');
  });

  it('changes the password; a forgotten one is replaced through the recovery code, which is then spent', () => {
    person.ok(['password', 'change', '--password-stdin'], `${PASSWORD}\nnew password here\n`);
    person.ok(['lock']);
    expect(person.fails(['unlock', '--password-stdin'], PASSWORD)[1]).toBe('IncorrectPasswordException');
    const old = readFileSync(join(person.home, 'code'), 'latin1').trim();
    person.ok(['unlock', '--recovery-code', '--password-stdin'], old);
    expect(person.json(['status'])['RecoveryCodeUsed']).toBe(true);
    expect(person.fails(['kms', 'create-key'])).toEqual([EXIT.denied, 'AccessDeniedException']);
    const fresh = join(person.home, 'code-2');
    person.ok(['password', 'change', '--recovery-code', '--password-stdin', '--recovery-code-file', fresh], `${old}\nthird password here\n`);
    person.ok(['kms', 'create-key']);
    person.ok(['lock']);
    expect(person.fails(['unlock', '--recovery-code', '--password-stdin'], old)[1]).toBe('IncorrectRecoveryCodeException');
    person.ok(['unlock', '--password-stdin'], 'third password here');
  });

  it('shows no secret in arguments, log or environment', () => {
    const log = readFileSync(join(person.home, '.local/state/keystead/diagnostic.log'), 'utf8');
    for (const needle of [PASSWORD, 'third password', 'höllo', 'alias/release']) expect(log).not.toContain(needle);
    const { ProcessId } = person.json(['status']);
    const command = readFileSync(`/proc/${String(ProcessId)}/cmdline`, 'utf8');
    expect(command).not.toContain('password');
  });

  it('anchors the trail outside and stops', () => {
    const checkpoint = join(person.home, 'checkpoint.json');
    person.ok(['trail', 'checkpoint', '--out', checkpoint]);
    expect(person.json(['trail', 'verify-checkpoint', '--checkpoint', `fileb://${checkpoint}`])).toMatchObject({ Relation: 'contained', SignatureValid: true });
    person.ok(['stop']);
    expect(person.fails(['kms', 'list-keys'])[0]).toBe(EXIT.notRunning);
  });
});

describe('places', () => {
  const person = new Person();
  afterAll(() => {
    for (const folder of ['Tresor ünïcode 🔑', 'second']) person.run(['--vault', join(person.home, folder), 'stop']);
    person.leave();
  });

  it('keeps a vault in a folder with any name, and several at once', () => {
    for (const folder of ['Tresor ünïcode 🔑', 'second']) {
      person.ok(['--vault', join(person.home, folder), 'init', '--password-stdin', '--no-recovery-code'], PASSWORD);
      expect(person.json(['--vault', join(person.home, folder), 'status'])['State']).toBe('unlocked');
    }
    // The last one used is meant when none is named.
    expect(person.json(['status'])['Folder']).toBe(join(person.home, 'second'));
  });

  it('refuses a run-time folder that others can reach, and one whose path is too long for a socket', () => {
    const open = join(person.home, 'open');
    mkdirSync(join(open, 'keystead'), { recursive: true });
    chmodSync(join(open, 'keystead'), 0o777);
    const inOpen = spawnSync(process.execPath, [CLI, 'status'], { env: { ...person.env, XDG_RUNTIME_DIR: open }, encoding: 'utf8' });
    expect(inOpen.status).not.toBe(EXIT.ok);
    const long = spawnSync(process.execPath, [CLI, 'status'], { env: { ...person.env, XDG_RUNTIME_DIR: join(person.home, 'x'.repeat(100)) }, encoding: 'utf8' });
    expect(long.status).toBe(EXIT.usage);
    expect(long.stderr).toContain('XDG_RUNTIME_DIR');
  });
});

describe('with the keychain of the system', () => {
  const started: ChildProcess[] = [];
  let person: Person;

  beforeAll(async () => {
    const before = new Person();
    const bus = spawn('dbus-daemon', ['--session', '--nofork', '--print-address=1'], { stdio: ['ignore', 'pipe', 'ignore'], env: before.env });
    started.push(bus);
    const address = await new Promise<string>((done) => bus.stdout.once('data', (chunk: Buffer) => { done(chunk.toString().trim()); }));
    before.env['DBUS_SESSION_BUS_ADDRESS'] = address;
    const daemon = spawn('gnome-keyring-daemon', ['--foreground', '--components=secrets', '--unlock'], { stdio: ['pipe', 'ignore', 'ignore'], env: before.env });
    started.push(daemon);
    daemon.stdin.end('throwaway');
    for (let i = 0; i < 100; i++) {
      const { stdout } = spawnSync('dbus-send', [`--bus=${address}`, '--print-reply', '--dest=org.freedesktop.DBus', '/', 'org.freedesktop.DBus.ListNames'], { encoding: 'utf8' });
      if (stdout.includes('org.freedesktop.secrets')) break;
      await new Promise((done) => setTimeout(done, 50));
    }
    person = before;
  });
  afterAll(() => {
    person.leave();
    for (const child of started.reverse()) child.kill('SIGKILL');
  });

  it('mixes the password with a secret of this device, by default where there is a keychain', () => {
    person.ok(['init', '--password-stdin', '--recovery-code-file', join(person.home, 'code')], PASSWORD);
    const slots = person.json(['slot', 'list'])['Slots'] as { Type: string; Factors: string[] }[];
    expect(slots.find(({ Type }) => Type === 'password')?.Factors).toEqual(['password', 'device']);
    person.ok(['lock']);
    person.ok(['unlock', '--password-stdin'], PASSWORD);
    person.ok(['stop']);
  });

  it('does not open with the password where the keychain is absent, and says what does', () => {
    const { DBUS_SESSION_BUS_ADDRESS: _, ...elsewhere } = person.env;
    const unlock = spawnSync(process.execPath, [CLI, 'unlock', '--password-stdin'], { env: elsewhere, input: PASSWORD, encoding: 'utf8' });
    expect(unlock.stderr).toContain('KeychainUnavailableException');
    const recovery = spawnSync(process.execPath, [CLI, 'unlock', '--recovery-code', '--password-stdin'], { env: elsewhere, input: readFileSync(join(person.home, 'code'), 'latin1'), encoding: 'utf8' });
    expect([recovery.status, recovery.stderr]).toEqual([EXIT.ok, expect.any(String)]);
    spawnSync(process.execPath, [CLI, 'stop'], { env: elsewhere });
  });

  it('notices a vault folder that was put back whole, by the counter in the keychain', () => {
    const folder = join(person.home, '.local/share/keystead/vaults/default');
    const copy = join(person.home, 'copy');
    person.ok(['unlock', '--password-stdin'], PASSWORD);
    person.ok(['slot', 'add', '--type', 'recovery', '--password-stdin', '--recovery-code-file', join(person.home, 'code-2')], PASSWORD);
    person.ok(['stop']);
    expect(spawnSync('cp', ['-a', folder, copy]).status).toBe(0);
    person.ok(['unlock', '--password-stdin'], PASSWORD);
    person.ok(['kms', 'create-key']);
    person.ok(['stop']);
    rmSync(folder, { recursive: true });
    expect(spawnSync('cp', ['-a', copy, folder]).status).toBe(0);
    person.run(['unlock', '--password-stdin'], PASSWORD);
    const status = person.json(['status']);
    expect([status['State'], status['Problem']]).toEqual(['readOnly', expect.stringContaining('put back')]);
    expect(person.fails(['kms', 'create-key'])).toEqual([EXIT.tampered, 'VaultReadOnlyException']);
    person.ok(['kms', 'list-keys']);
    person.ok(['stop']);
  });

  it('opens by the keychain alone only for one who accepts the price', () => {
    const folder = join(person.home, 'alone');
    expect(person.fails(['--vault', folder, 'init', '--keychain-only', '--no-recovery-code'])[0]).toBe(EXIT.usage);
    person.ok(['--vault', folder, 'init', '--keychain-only', '--accept-keychain-only', '--no-recovery-code']);
    person.ok(['--vault', folder, 'lock']);
    person.ok(['--vault', folder, 'unlock', '--keychain']);
    person.ok(['--vault', folder, 'stop']);
  });
});
