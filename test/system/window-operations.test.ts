/** What the window asks of the desktop, through the whole program: settings, copies that the page never sees, and who may ask. */
import { readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Result } from '../../src/main/kernel/request.ts';
import { declarationOf, NAMES } from '../../src/shared/api/index.ts';
import { copyableFields } from '../../src/shared/api/window.ts';
import { encodeJson } from '../../src/shared/wire/encode.ts';
import { makeVault, PASSWORD } from './support/make-vault.ts';
import { startLocal, type LocalProgram } from './support/program.ts';
import { remove, temporaryFolder } from './support/served-vault.ts';

const base64 = (text: string): string => Buffer.from(text).toString('base64');
type Json = Readonly<Record<string, unknown>>;

describe('the window', () => {
  let home: string;
  let folder: string;
  let local: LocalProgram;
  let clipboard: string | undefined;
  beforeEach(async () => {
    home = temporaryFolder();
    folder = join(home, 'vault');
    await makeVault(folder);
    clipboard = undefined;
    await start();
    await local.ok('vault:Unlock', { Password: base64(PASSWORD) });
  });
  afterEach(async () => {
    await local.close();
    remove(home);
  });
  const start = async (): Promise<void> => {
    local = await startLocal(folder);
    local.program.desk.attach({
      name: 'chromium',
      origin: 'https://vault.invalid',
      clipboard: {
        write(text) {
          clipboard = new TextDecoder().decode(text);
          return Promise.resolve();
        },
        clear() {
          const held = clipboard !== undefined;
          clipboard = undefined;
          return Promise.resolve(held);
        },
      },
    });
  };
  const call = (operation: string, input: Json = {}, frame = { isMainFrame: true, origin: 'https://vault.invalid', windowId: 1 }): Promise<Result> =>
    local.program.dispatch({ id: local.program.door.newRequestId(), door: 'ipc', evidence: { door: 'ipc', frame }, operation, input: encodeJson(input), signal: new AbortController().signal });
  const ok = async (operation: string, input?: Json): Promise<Json> => {
    const result = await call(operation, input);
    if (!result.ok) throw new Error(`${operation}: ${result.error.code} ${result.error.message}`);
    return result.output;
  };
  const codeOf = async (operation: string, input?: Json): Promise<string> => {
    const result = await call(operation, input);
    return result.ok ? 'ok' : result.error.code;
  };
  const encrypted = async (plaintext: Uint8Array | string): Promise<Json> => {
    const { KeyMetadata } = await local.ok('kms:CreateKey', {});
    const { KeyId } = KeyMetadata as { KeyId: string };
    const { CiphertextBlob } = await local.ok('kms:Encrypt', { KeyId, Plaintext: Buffer.from(plaintext).toString('base64') });
    return { Operation: 'kms:Decrypt', Input: { CiphertextBlob: Buffer.from(CiphertextBlob as Uint8Array).toString('base64') }, Field: 'Plaintext' };
  };

  it('keeps its settings past a lock and a new process, and shows them before the first unlock', async () => {
    expect(await ok('window:DescribeSettings')).toEqual({ Theme: 'system', ClipboardSeconds: 30, Notifications: true, SingleLetterKeys: true, Host: 'chromium', Copies: true, Picks: false, Notifies: false, Home: homedir() });
    expect(await ok('window:UpdateSettings', { Theme: 'dark', ClipboardSeconds: 60 })).toEqual({ Theme: 'dark', ClipboardSeconds: 60, Notifications: true, SingleLetterKeys: true });
    await ok('vault:Lock');
    expect(await ok('window:DescribeSettings')).toMatchObject({ Theme: 'dark', ClipboardSeconds: 60 });
    expect(await ok('window:UpdateSettings', { Theme: 'light' })).toMatchObject({ Theme: 'light', ClipboardSeconds: 60 });
    await local.close();
    await start();
    expect(await ok('window:DescribeSettings')).toMatchObject({ Theme: 'light', ClipboardSeconds: 60 });
    expect(readFileSync(`${folder}.config.json`, 'utf8')).toContain('"theme": "light"');
  });

  it('is the only one who is given any of it', async () => {
    for (const name of NAMES.filter((one) => one.startsWith('window:'))) {
      expect(declarationOf(name).doors).toEqual(['ipc']);
      expect(await local.call(name, {})).toMatchObject({ ok: false, error: { code: 'AccessDeniedException' } });
    }
  });

  it('copies an answer that it never sees, and both are on record', async () => {
    const asked = await encrypted('a p\u00e4ssword');
    const { ClearsAt, ...answer } = await ok('window:CopyOutput', asked);
    expect(answer).toEqual({ Encoding: 'text', Size: 11 });
    expect(ClearsAt).toBeGreaterThan(0);
    expect(clipboard).toBe('a pässword');
    const { Events } = await local.ok('trail:LookupEvents', { Limit: 10 });
    const names = (Events as { Operation: string; Door: string }[]).map((event) => `${event.Operation} ${event.Door}`);
    expect(names).toEqual(expect.arrayContaining(['window:CopyOutput ipc', 'kms:Decrypt ipc']));
    expect(JSON.stringify(Events)).not.toContain(base64('a pässword').slice(0, 8));
  });

  it.each([
    ['text in UTF-8', Buffer.from('é'), undefined, 'text', 'é'],
    ['bytes that are no text', Buffer.from([0xff, 0xfe, 0x00]), undefined, 'base64', '//4A'],
    ['text with a control character', Buffer.from('a\u0000b'), undefined, 'base64', 'YQBi'],
    ['text that is wanted in hex', Buffer.from('AZ'), 'hex', 'hex', '415a'],
    ['text that is wanted in base64', Buffer.from('AZ'), 'base64', 'base64', 'QVo='],
  ])('writes %s', async (_name, value, Encoding, encoding, text) => {
    expect(await ok('window:CopyValue', { Value: value.toString('base64'), ...(Encoding === undefined ? {} : { Encoding }) })).toMatchObject({ Encoding: encoding, Size: value.length });
    expect(clipboard).toBe(text);
  });

  it('does not write bytes as text that are none', async () => {
    expect(await codeOf('window:CopyValue', { Value: '//4=', Encoding: 'text' })).toBe('ValidationException');
    expect(clipboard).toBeUndefined();
  });

  it('copies nothing but a value of an answer that reads or uses', async () => {
    const asked = await encrypted('value');
    for (const [more, code] of [
      [{ Operation: 'kms:CreateKey', Input: {}, Field: 'KeyMetadata' }, 'ValidationException'],
      [{ Operation: 'vault:Create', Input: {}, Field: 'RecoveryCode' }, 'ValidationException'],
      [{ Operation: 'vault:AddSlot', Input: { Type: 'recovery' }, Field: 'RecoveryCode' }, 'ValidationException'],
      [{ Operation: 'window:CopyOutput', Input: {}, Field: 'Encoding' }, 'ValidationException'],
      [{ Operation: '__proto__', Input: {}, Field: 'toString' }, 'ValidationException'],
      [{ Field: 'KeyId' }, 'ValidationException'],
      [{ Field: 'constructor' }, 'ValidationException'],
      [{ Input: { CiphertextBlob: 'AAAA' } }, 'InvalidCiphertextException'],
      [{ Input: {} }, 'ValidationException'],
      [{ Input: { ...(asked['Input'] as Json), More: 1 } }, 'ValidationException'],
    ] as const) {
      expect([JSON.stringify(more), await codeOf('window:CopyOutput', { ...asked, ...more })]).toEqual([JSON.stringify(more), code]);
    }
    expect(clipboard).toBeUndefined();
    expect(NAMES.flatMap((name) => (copyableFields(declarationOf(name)).length > 0 ? [name] : []))).toEqual(expect.arrayContaining(['kms:Decrypt', 'kms:GenerateDataKey', 'kms:GenerateRandom']));
    for (const name of NAMES) if (copyableFields(declarationOf(name)).length > 0) expect(['read', 'use']).toContain(declarationOf(name).effect);
  });

  it('copies one member of a secret, or the whole, whichever of text and bytes it is', async () => {
    const { ARN } = await local.ok('secretsmanager:CreateSecret', { Name: 'orders', SecretString: base64('{"user":"ada","password":"p\u00e4ss \\"x\\"","port":5432}') });
    const copy = { Operation: 'secretsmanager:GetSecretValue', Input: { SecretId: ARN } };
    for (const [more, text] of [[{ Member: 'password' }, 'päss "x"'], [{ Member: 'port' }, '5432'], [{}, '{"user":"ada","password":"päss \\"x\\"","port":5432}'], [{ Field: 'SecretString', Member: 'user' }, 'ada']] as const) {
      await ok('window:CopyOutput', { ...copy, ...more });
      expect(clipboard).toBe(text);
    }
    clipboard = undefined;
    for (const more of [{ Member: 'toString' }, { Member: '__proto__' }, { Member: '' }, { Field: 'SecretBinary' }, { Field: 'ARN' }]) expect(await codeOf('window:CopyOutput', { ...copy, ...more })).toBe('ValidationException');
    await local.ok('secretsmanager:PutSecretValue', { SecretId: ARN, SecretBinary: '//4=' });
    expect(await codeOf('window:CopyOutput', { ...copy, Member: 'user' })).toBe('ValidationException');
    expect(clipboard).toBeUndefined();
    expect(await ok('window:CopyOutput', copy)).toMatchObject({ Encoding: 'base64', Size: 2 });
    expect(clipboard).toBe('//4=');
  });

  it('leaves nothing in the clipboard at lock, and at the end of the program', async () => {
    await ok('window:CopyValue', { Value: base64('one') });
    await local.ok('vault:Lock');
    await new Promise((done) => setTimeout(done, 20));
    expect(clipboard).toBeUndefined();
    expect(await codeOf('window:CopyValue', { Value: base64('two') })).toBe('VaultLockedException');
    await local.ok('vault:Unlock', { Password: base64(PASSWORD) });
    await ok('window:CopyValue', { Value: base64('three') });
    expect(await ok('window:ClearClipboard')).toEqual({ Cleared: true });
    expect(await ok('window:ClearClipboard')).toEqual({ Cleared: false });
    await ok('window:CopyValue', { Value: base64('four') });
    await local.close();
    expect(clipboard).toBeUndefined();
  });

  it('takes settings within their bounds only, and the name of a file that is one', async () => {
    for (const input of [{ Theme: 'DARK' }, { ClipboardSeconds: -1 }, { ClipboardSeconds: 601 }, { ClipboardSeconds: 1.5 }, { Notifications: 'yes' }, { theme: 'dark' }]) expect(await codeOf('window:UpdateSettings', input)).toBe('ValidationException');
    for (const SuggestedName of ['', '.', '..', '.bashrc', 'a/b', '/etc/passwd', 'a\\b', 'a\u0000b', 'a\nb', 'x'.repeat(121)]) expect(await codeOf('window:SaveFile', { SuggestedName, Content: '' })).toBe('ValidationException');
    expect(await codeOf('window:SaveFile', { SuggestedName: 'signature.bin', Content: '' })).toBe('UnsupportedOperationException');
    expect(await codeOf('window:PickFile')).toBe('UnsupportedOperationException');
  });
});
