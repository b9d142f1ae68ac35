/** `keystead serve --ephemeral`, as a test suite would use it: from the command line, with the real SDK. */
import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import * as sdk from '@aws-sdk/client-kms';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { codeOf, sdkClient } from './support/aws.ts';
import { remove, temporaryFolder } from './support/served-vault.ts';

const CLI = resolve(import.meta.dirname, '../../dist/cli/keystead.mjs');
const ARGS = ['serve', '--ephemeral', '--account', '123456789012', '--access-key', 'AKIDTEST:s3cr3t/with+signs=', '--port', '0'];
let home = '';
let child: ChildProcess;
let endpoint = '';
const environment = (): NodeJS.ProcessEnv => ({ PATH: process.env['PATH'], HOME: home, XDG_RUNTIME_DIR: home, XDG_STATE_HOME: join(home, 'state') });
const folders = (): string[] => readdirSync(home).filter((name) => name.startsWith('keystead-ephemeral-'));

beforeAll(async () => {
  home = temporaryFolder();
  child = spawn(process.execPath, [CLI, ...ARGS], { env: environment(), stdio: ['ignore', 'pipe', 'inherit'] });
  endpoint = await new Promise((found, failed) => {
    child.once('exit', (code) => failed(new Error(`ended with ${String(code)}`)));
    child.stdout?.on('data', (chunk: Buffer) => {
      const [url] = /http:\/\/127\.0\.0\.1:\d+/.exec(chunk.toString()) ?? [];
      if (url !== undefined) found(url);
    });
  });
});
afterAll(() => {
  child.kill('SIGKILL');
  remove(home);
});

const client = (config: sdk.KMSClientConfig = {}): sdk.KMSClient => sdkClient({ endpoint, region: 'us-east-1', accessKeyId: 'AKIDTEST', secretAccessKey: 's3cr3t/with+signs=' }, config);
const reset = (headers: Record<string, string> = {}, method = 'POST'): Promise<Response> => fetch(`${endpoint}/_keystead/reset`, { method, headers });

describe('a throwaway vault for test suites', () => {
  it('has an administrator with the given access key, in the given account', async () => {
    const kms = client();
    const { KeyMetadata } = await kms.send(new sdk.CreateKeyCommand({}));
    expect(KeyMetadata?.Arn).toMatch(/^arn:aws:kms:us-east-1:123456789012:key\//);
    const { CiphertextBlob } = await kms.send(new sdk.EncryptCommand({ KeyId: KeyMetadata?.KeyId, Plaintext: Buffer.from('x') }));
    await kms.send(new sdk.DisableKeyCommand({ KeyId: KeyMetadata?.KeyId }));
    expect(await codeOf(kms.send(new sdk.DecryptCommand({ CiphertextBlob })))).toBe('DisabledException');
    expect(await codeOf(sdkClient({ endpoint, region: 'us-east-1', accessKeyId: 'AKIDTEST', secretAccessKey: 'wrong' }, { maxAttempts: 1 }).send(new sdk.ListKeysCommand({})))).toBe('UnrecognizedClientException');
    kms.destroy();
  });

  it('begins anew when it is asked to, also under load, and for no page of a browser', async () => {
    const kms = client();
    await kms.send(new sdk.CreateKeyCommand({}));
    for (const headers of [{ Origin: 'https://evil.example' }, { 'Sec-Fetch-Site': 'cross-site' }]) expect((await reset(headers)).status).toBe(403);
    expect((await reset({}, 'PUT')).status).toBe(405);
    expect((await kms.send(new sdk.ListKeysCommand({}))).Keys?.length).toBeGreaterThan(0);
    const load = Array.from({ length: 40 }, () => codeOf(kms.send(new sdk.CreateKeyCommand({}))));
    const resets = await Promise.all([reset(), reset(), reset()]);
    expect(resets.map(({ status }) => status)).toEqual([200, 200, 200]);
    await Promise.all(load);
    expect((await reset()).status).toBe(200);
    expect((await kms.send(new sdk.ListKeysCommand({}))).Keys).toEqual([]);
    expect(folders()).toHaveLength(1);
    kms.destroy();
  });

  it('leaves nothing behind', async () => {
    expect(folders()).toHaveLength(1);
    child.kill('SIGTERM');
    await new Promise((ended) => child.once('exit', ended));
    const gone = Date.now() + 10_000;
    while (folders().length > 0 && Date.now() < gone) await new Promise((next) => setTimeout(next, 50));
    expect(folders()).toEqual([]);
    expect(await codeOf(fetch(endpoint))).toBe('TypeError');
  });

  it('says what is wrong with its arguments', () => {
    const run = (...args: string[]) => spawnSync(process.execPath, [CLI, 'serve', ...args], { env: environment(), encoding: 'utf8', timeout: 60_000 });
    for (const args of [['--ephemeral', '--account', '12'], ['--ephemeral', '--access-key', 'no-colon'], ['--ephemeral', '--port', '70000'], ['--ephemeral', '--region', 'nowhere'], ['--port', '5']]) {
      const { status, stderr } = run(...args);
      expect([args.join(' '), status, /\((?:ValidationException|UsageError)\)/.test(stderr)]).toEqual([args.join(' '), 2, true]);
    }
    expect(folders()).toEqual([]);
  });
});
