/**
 * The way on from a broken trail: set aside whole, a new chain in its place. Every kind of damage that keeps the vault from starting or makes
 * it read-only, a kill between any two steps, and what a new chain must not be good for.
 */
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { hex } from '../../src/main/crypto/bytes.ts';
import { closedTrail, digestOfTrail, emptyDraft, linkAfter, putInPlace } from '../../src/main/trail/set-aside.ts';
import { base64, type Json } from './support/client.ts';
import { makeVault, memoryKeychain, PASSWORD, type MemoryKeychain } from './support/make-vault.ts';
import { codeOf, startLocal, type LocalProgram } from './support/program.ts';
import { remove, temporaryFolder } from './support/served-vault.ts';

const home = temporaryFolder();
afterAll(() => remove(home));

const proof = { Password: base64(PASSWORD) };
const begin = { ...proof, AcceptBreak: true };
const good = join(home, 'good');
const older = join(home, 'older');
let checkpoint = '';
let copies = 0;

beforeAll(async () => {
  await makeVault(good);
  const vault = await startLocal(good);
  await vault.ok('vault:Unlock', proof);
  const { KeyMetadata } = await vault.ok('kms:CreateKey', { KeySpec: 'HMAC_256' });
  cpSync(good, older, { recursive: true });
  for (let n = 0; n < 5; n += 1) await vault.ok('kms:GenerateMac', { KeyId: (KeyMetadata as Json)['KeyId'], MacAlgorithm: 'HMAC_SHA_256', Message: base64('m') });
  checkpoint = Buffer.from((await vault.ok('trail:ExportCheckpoint'))['Checkpoint'] as Uint8Array).toString('base64');
  await vault.ok('kms:CreateKey', { KeySpec: 'HMAC_256' });
  await vault.close();
});

function copyOf(damage: (folder: string) => void): string {
  copies += 1;
  const folder = join(home, `copy-${String(copies)}`);
  cpSync(good, folder, { recursive: true });
  damage(folder);
  return folder;
}
const segment = (folder: string): string => join(folder, 'trail/00000001.seg');
const keyFile = (folder: string): string => join(folder, 'trail/trail.key');
function flip(path: string, at: number): void {
  const bytes = readFileSync(path);
  bytes[at] = (bytes[at] ?? 0) ^ 1;
  writeFileSync(path, bytes);
}

const DAMAGES: Readonly<Record<string, readonly [state: 'trailBroken' | 'readOnly', damage: (folder: string) => void]>> = {
  'no key block': ['trailBroken', (folder) => { rmSync(keyFile(folder)); }],
  'a key block with one bit changed': ['trailBroken', (folder) => { flip(keyFile(folder), 120); }],
  'the segment cut in half': ['trailBroken', (folder) => { truncateSync(segment(folder), Math.floor(readFileSync(segment(folder)).length / 2)); }],
  'no segment': ['trailBroken', (folder) => { rmSync(segment(folder)); }],
  'no folder at all': ['trailBroken', (folder) => { rmSync(join(folder, 'trail'), { recursive: true }); }],
  'an early record changed': ['readOnly', (folder) => { flip(segment(folder), 216 + 60); }],
  'the trail put back to an older copy': ['readOnly', (folder) => {
    rmSync(join(folder, 'trail'), { recursive: true });
    cpSync(join(older, 'trail'), join(folder, 'trail'), { recursive: true });
  }],
};

/** Up to the new chain, whatever it takes to get there. */
async function startAnd(folder: string, keychain: MemoryKeychain = memoryKeychain()): Promise<LocalProgram> {
  const vault = await startLocal(folder, { keychain });
  if ((await vault.ok('vault:Status'))['State'] !== 'trailBroken') await vault.ok('vault:Unlock', proof);
  return vault;
}

async function expectWhole(vault: LocalProgram): Promise<Json> {
  const report = await vault.ok('trail:VerifyTrail');
  expect(report).toMatchObject({ Intact: true });
  return report;
}

describe.each(Object.entries(DAMAGES))('%s', (_what, [state, damage]) => {
  it('is said; the old files are kept to the last byte, and the new chain holds', { timeout: 60_000 }, async () => {
    const folder = copyOf(damage);
    const evidence = hex(await digestOfTrail(folder));
    const vault = await startAnd(folder);
    expect(await vault.ok('vault:Status')).toMatchObject({ State: state });

    const seen = await vault.ok('trail:StartNewChain', { ...proof, DryRun: true });
    expect(seen).toMatchObject({ State: state, Broken: { Index: expect.any(Number) as number } });
    expect(seen['SetAside']).toBeUndefined();
    expect(readdirSync(folder).filter((name) => /aside|new-chain/.test(name))).toEqual([]);

    const done = await vault.ok('trail:StartNewChain', begin);
    expect(done).toMatchObject({ State: 'unlocked' });
    if (state === 'trailBroken') expect(hex(await digestOfTrail(folder))).not.toBe(evidence);
    const aside = done['SetAside'] as string | undefined;
    expect(aside === undefined).toBe(!existsSync(join(folder, 'trail-set-aside-00000001')));
    expect(existsSync(join(folder, 'new-chain'))).toBe(false);

    const report = await expectWhole(vault);
    expect(report['FirstIndex']).toBe(done['FirstIndex']);
    expect(report['FirstIndex']).toBeGreaterThan(1_000_000);
    const { Events } = await vault.ok('trail:LookupEvents', { Limit: 500 });
    const first = (Events as Json[]).find(({ Index }) => Index === done['FirstIndex']);
    expect(first).toMatchObject({ Kind: 'note', Operation: 'trail:StartNewChain' });
    if (state === 'trailBroken') expect((first?.['Input'] as Json)['setAside']).toBe(evidence);
    // Of the chain before: neither contained nor contradicted.
    expect(await vault.ok('trail:VerifyCheckpoint', { Checkpoint: checkpoint })).toMatchObject({ Relation: 'setAside', SignatureValid: true });
    expect(await codeOf(vault.ok('trail:StartNewChain', begin))).toBe('TrailIntactException');
    const { KeyMetadata } = await vault.ok('kms:CreateKey', { KeySpec: 'HMAC_256' });
    await vault.close();

    const again = await startLocal(folder, { keychain: memoryKeychain() });
    expect(await again.ok('vault:Unlock', proof)).toMatchObject({ State: 'unlocked' });
    await expectWhole(again);
    expect(await again.ok('kms:DescribeKey', { KeyId: (KeyMetadata as Json)['KeyId'] })).toBeDefined();
    await again.close();
    remove(folder);
  });
});

describe('a trail that cannot be gone on with', () => {
  it('lets nothing be done but looking, exporting and starting anew', async () => {
    const folder = copyOf(DAMAGES['no key block']?.[1] ?? (() => undefined));
    const vault = await startLocal(folder);
    expect(await codeOf(vault.ok('vault:Unlock', proof))).toBe('TrailBrokenException');
    expect(await codeOf(vault.ok('kms:ListKeys'))).toBe('TrailBrokenException');
    expect(await codeOf(vault.ok('vault:Create', proof))).toBe('VaultExistsException');
    expect(await codeOf(vault.ok('vault:Lock'))).toBe('ok');
    const out = join(home, 'evidence-locked');
    expect(await vault.ok('trail:ExportEvidence', { Folder: out })).toMatchObject({ Files: 1 });
    expect(readdirSync(join(out, 'trail'))).toEqual(['00000001.seg']);
    expect(await codeOf(vault.ok('trail:ExportEvidence', { Folder: out }))).toBe('FileExistsException');
    await vault.close();
    remove(folder);
  });

  it('is not set aside without a factor of the owner, nor without saying so', async () => {
    const folder = copyOf(DAMAGES['no key block']?.[1] ?? (() => undefined));
    const vault = await startLocal(folder);
    expect(await codeOf(vault.ok('trail:StartNewChain', { Password: base64('not the password'), AcceptBreak: true }))).toBe('IncorrectPasswordException');
    expect(await codeOf(vault.ok('trail:StartNewChain', proof))).toBe('ValidationException');
    expect(await codeOf(vault.ok('trail:StartNewChain', { AcceptBreak: true }))).toBe('ValidationException');
    expect(existsSync(join(folder, 'trail-set-aside-00000001'))).toBe(false);
    await vault.close();
    remove(folder);
  });
});

describe('what a new chain is not good for', () => {
  it('a whole trail stays', async () => {
    const folder = copyOf(() => undefined);
    const vault = await startAnd(folder);
    expect(await codeOf(vault.ok('trail:StartNewChain', begin))).toBe('TrailIntactException');
    await expectWhole(vault);
    await vault.close();
    remove(folder);
  });

  it('hiding a database that was put back, as far as the trail can still be read', async () => {
    const folder = copyOf((path) => {
      for (const name of readdirSync(path)) if (name.startsWith('vault.db')) rmSync(join(path, name));
      for (const name of readdirSync(older)) if (name.startsWith('vault.db')) cpSync(join(older, name), join(path, name));
      // Broken at its end only: what came before says how far the database had come.
      flip(keyFile(path), 120);
    });
    const vault = await startAnd(folder);
    expect(await codeOf(vault.ok('trail:StartNewChain', begin))).toBe('VaultTamperedException');
    expect(existsSync(join(folder, 'trail-set-aside-00000001'))).toBe(false);
    await vault.close();
    remove(folder);
  });

  it('segments taken from the beginning of the new chain are missed', async () => {
    const folder = copyOf(DAMAGES['no key block']?.[1] ?? (() => undefined));
    const vault = await startAnd(folder);
    await vault.ok('trail:StartNewChain', begin);
    await vault.close();
    flip(segment(folder), 216 + 60);
    const again = await startAnd(folder);
    expect(await again.ok('trail:VerifyTrail')).toMatchObject({ Intact: false });
    await again.close();
    remove(folder);
  });
});

describe('a kill between two steps', () => {
  it.each([
    ['the draft was made', (): number => 0],
    ['the old chain was moved', (): number => 1],
    ['the new chain was moved', (): number => 2],
  ] as const)('after %s: nothing is lost, and it can be done again', { timeout: 60_000 }, async (_what, moves) => {
    const folder = copyOf(DAMAGES['a key block with one bit changed']?.[1] ?? (() => undefined));
    const evidence = readFileSync(segment(folder));
    // What the operation does on the disk up to there; the state in the database does not follow any more.
    const draft = await emptyDraft(folder);
    mkdirSync(join(draft, 'trail'));
    cpSync(join(older, 'trail'), join(draft, 'trail'), { recursive: true });
    let left = moves();
    await putInPlace(folder, (from, to) => {
      if (left === 0) return Promise.reject(new Error('killed'));
      left -= 1;
      renameSync(String(from), String(to));
      return Promise.resolve();
    }).catch(() => undefined);

    const vault = await startAnd(folder);
    expect(await vault.ok('trail:StartNewChain', begin)).toMatchObject({ State: 'unlocked' });
    await expectWhole(vault);
    await vault.close();
    const kept = readdirSync(folder).filter((name) => name.startsWith('trail-set-aside-')).map((name) => readFileSync(join(folder, name, '00000001.seg')));
    expect(kept.some((bytes) => bytes.equals(evidence))).toBe(true);
    remove(folder);
  });
});

describe('the evidence', () => {
  it('holds every segment, no key, readable records while unlocked, and hashes that fit', async () => {
    const folder = copyOf(DAMAGES['no key block']?.[1] ?? (() => undefined));
    const vault = await startAnd(folder);
    await vault.ok('trail:StartNewChain', begin);
    const out = join(home, 'evidence');
    const answer = await vault.ok('trail:ExportEvidence', { Folder: out });
    expect(answer).toMatchObject({ Files: 2 });
    expect(answer['Records']).toBeGreaterThan(1);
    expect(readdirSync(out).sort()).toEqual(['SHA256SUMS', 'records.jsonl', 'report.json', 'trail', 'trail-set-aside-00000001']);
    for (const chain of ['trail', 'trail-set-aside-00000001']) expect(readdirSync(join(out, chain))).toEqual(['00000001.seg']);
    const lines = readFileSync(join(out, 'records.jsonl'), 'utf8').trimEnd().split('\n');
    expect(lines).toHaveLength(answer['Records'] as number);
    for (const line of lines) expect(JSON.parse(line)).toMatchObject({ Operation: expect.any(String) as string });
    const { spawnSync } = await import('node:child_process');
    expect(spawnSync('sha256sum', ['-c', '--strict', 'SHA256SUMS'], { cwd: out }).status).toBe(0);
    await vault.close();
    remove(folder);
  });
});

describe('the link', () => {
  it('commits to what was set aside and leaves room for what is not known of it', async () => {
    const id = '00'.repeat(16);
    const one = linkAfter(10, id, new Uint8Array(32));
    expect(one.index).toBe(1_000_010);
    expect(hex(one.hash)).not.toBe(hex(linkAfter(10, id, new Uint8Array(32).fill(1)).hash));
    expect(hex(one.hash)).not.toBe(hex(linkAfter(11, id, new Uint8Array(32)).hash));
    expect((await closedTrail(join(home, 'nothing here'))).segments()).toEqual([]);
  });
});
