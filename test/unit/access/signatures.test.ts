/** Signature Version 4 from the head of a request to the client who made it: what is accepted, and that nothing else is. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readAuthorization, readTime } from '../../../src/main/doors/aws/authorization.ts';
import type { Header } from '../../../src/main/crypto/canonical.ts';
import { signedOf } from '../../../src/main/doors/aws/exchange.ts';
import { judgeHead } from '../../../src/main/doors/aws/head.ts';
import type { Signer } from '../../../src/main/access/signatures.ts';
import { Wrongs } from '../../../src/main/access/wrongs.ts';
import { Replays } from '../../../src/main/access/replays.ts';
import { VaultError } from '../../../src/shared/model/errors.ts';
import { fixedRandom } from '../../fakes/fixed-random.ts';
import { signedHeaders } from '../../fakes/aws-signer.ts';
import { changed, KINDS, reworded, type Kind, type Sent } from '../../fakes/mutations.ts';
import { FOUND, oneClient } from '../../fakes/one-client.ts';

const NOW = Date.UTC(2026, 10, 25, 12, 0, 0);
const HOST = '127.0.0.1:5998';
const HOSTS = new Set([HOST]);
const KEYS = { accessKeyId: 'AKIAIOSFODNN7EXAMPLE', secretAccessKey: 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY' };
const BODY = '{"KeyId":"alias/x"}';
const GIVEN = { host: HOST, target: 'TrentService.DescribeKey', body: BODY, now: NOW, ...KEYS };

function bench(options: { readonly locked?: boolean } = {}) {
  const client = oneClient({ now: NOW, ...KEYS, ...options });
  const take = async ({ method, url, headers, body }: Sent): Promise<Signer | string> => {
    try {
      const head = { method, url, headers };
      const found = await client.signatures.check(signedOf(judgeHead(head, HOSTS), head, Buffer.from(body)));
      return found instanceof VaultError ? found.code : found;
    } catch (error) {
      return error instanceof VaultError ? error.code : 'crash';
    }
  };
  const ask = (headers: readonly Header[], body = BODY): Promise<Signer | string> => take({ method: 'POST', url: '/', headers, body });
  return { ...client, take, ask };
}

const madeUp = (n: number): string => `xx-${String.fromCharCode(97 + (n % 26), 97 + Math.floor(n / 26))}-1`;
const ACCEPTED = FOUND;

describe('a signed request', () => {
  it('is its client’s, and its day’s key is asked for once', async () => {
    const { ask, clock, derived, signatures } = bench();
    expect(await ask(signedHeaders(GIVEN))).toEqual(ACCEPTED);
    clock.advance(1000);
    expect(await ask(signedHeaders({ ...GIVEN, now: clock.now() }))).toEqual(ACCEPTED);
    expect([derived(), signatures.lastUsed(KEYS.accessKeyId), signatures.nameOf(KEYS.accessKeyId)]).toEqual([1, NOW + 1000, 'app']);
    signatures.forget();
    expect([signatures.lastUsed(KEYS.accessKeyId), signatures.nameOf(KEYS.accessKeyId)]).toEqual([undefined, undefined]);
  });

  it('is nobody’s by another key, in the same words as an unknown key', async () => {
    const { ask } = bench();
    expect(await ask(signedHeaders({ ...GIVEN, secretAccessKey: 'another' }))).toBe('UnrecognizedClientException');
    expect(await ask(signedHeaders({ ...GIVEN, accessKeyId: 'AKIAAAAAAAAAAAAAAAAA' }))).toBe('UnrecognizedClientException');
  });

  it('is for its own service and day, in any region, and lives five minutes either way', async () => {
    const { ask } = bench();
    // Each region is a name space: the signature says which one is meant.
    expect(await ask(signedHeaders({ ...GIVEN, region: 'eu-west-1' }))).toEqual(ACCEPTED);
    expect(await ask(signedHeaders({ ...GIVEN, region: 'nowhere' }))).toBe('InvalidSignatureException');
    expect(await ask(signedHeaders({ ...GIVEN, service: 'dynamodb' }))).toBe('InvalidSignatureException');
    expect(await ask(signedHeaders({ ...GIVEN, service: 'secretsmanager' }))).toBe('InvalidSignatureException');
    for (const minutes of [-5, 5]) expect(await ask(signedHeaders({ ...GIVEN, now: NOW + minutes * 60_000 }))).toEqual(ACCEPTED);
    for (const seconds of [-301, 301, -86_400, 86_400 * 365]) expect(await ask(signedHeaders({ ...GIVEN, now: NOW + seconds * 1000 }))).toBe('InvalidSignatureException');
  });

  it('may be repeated while its second is fresh, as boto3 needs it, and not later', async () => {
    const { ask, clock } = bench();
    const headers = signedHeaders(GIVEN);
    expect(await ask(headers)).toEqual(ACCEPTED);
    clock.advance(1400);
    expect(await ask(headers)).toEqual(ACCEPTED);
    clock.advance(100);
    expect(await ask(headers)).toBe('ThrottlingException');
    clock.advance(4 * 60_000);
    expect(await ask(headers)).toBe('ThrottlingException');
    clock.advance(60_000);
    expect(await ask(headers)).toBe('InvalidSignatureException');
  });

  it('keeps its key whatever is signed wrongly meanwhile, for as many regions as one can think of', async () => {
    const { ask, clock, derived } = bench();
    expect(await ask(signedHeaders(GIVEN))).toEqual(ACCEPTED);
    for (let n = 0; n < 300; n += 1) expect(await ask(signedHeaders({ ...GIVEN, region: madeUp(n), secretAccessKey: 'another' }))).toBe('UnrecognizedClientException');
    const before = derived();
    clock.advance(1000);
    expect(await ask(signedHeaders({ ...GIVEN, now: clock.now() }))).toEqual(ACCEPTED);
    expect(derived()).toBe(before);
    // Rightly signed for many regions they do push each other out, and are asked for anew.
    for (let n = 0; n < 257; n += 1) expect(await ask(signedHeaders({ ...GIVEN, now: clock.now(), region: madeUp(n) }))).toEqual(ACCEPTED);
    expect(derived()).toBe(before + 257);
    clock.advance(1000);
    expect(await ask(signedHeaders({ ...GIVEN, now: clock.now() }))).toEqual(ACCEPTED);
    expect(derived()).toBe(before + 258);
  });

  it('is refused the slower the more wrong ones there were, known access key or not, and holds up no right one', async () => {
    for (const accessKeyId of [KEYS.accessKeyId, 'AKIAAAAAAAAAAAAAAAAA']) {
      const { ask, paused, clock } = bench();
      const wrong = (): Promise<Signer | string> => ask(signedHeaders({ ...GIVEN, now: clock.now(), accessKeyId, secretAccessKey: 'another' }));
      for (let n = 0; n < 10; n += 1) await wrong();
      expect(paused).toEqual([]);
      for (let n = 0; n < 7; n += 1) expect(await wrong()).toBe('UnrecognizedClientException');
      expect(paused).toEqual([1000, 2000, 3000, 4000, 5000, 5000, 5000]);
      expect(await ask(signedHeaders({ ...GIVEN, now: clock.now() }))).toEqual(ACCEPTED);
      expect(paused).toHaveLength(7);
      clock.advance(20_000);
      await wrong();
      expect(paused).toHaveLength(7);
    }
  });

  it('is by the secret that its client has now, and not by an earlier one', async () => {
    const { ask, remake, clock } = bench();
    expect(await ask(signedHeaders(GIVEN))).toEqual(ACCEPTED);
    remake('another');
    clock.advance(3000);
    expect(await ask(signedHeaders({ ...GIVEN, now: clock.now() }))).toBe('UnrecognizedClientException');
    expect(await ask(signedHeaders({ ...GIVEN, now: clock.now(), secretAccessKey: 'another' }))).toEqual(ACCEPTED);
  });

  it('is known again after a lock in between', async () => {
    const { ask, clock, signatures } = bench();
    const headers = signedHeaders(GIVEN);
    expect(await ask(headers)).toEqual(ACCEPTED);
    clock.advance(10_000);
    signatures.forget();
    expect(await ask(headers)).toBe('ThrottlingException');
  });

  it('is not looked at while the vault is locked', async () => {
    expect(await bench({ locked: true }).ask(signedHeaders(GIVEN))).toBe('VaultLockedException');
  });

  it('covers host, date, target, content type and every x-amz- header, and its payload', async () => {
    const { ask } = bench();
    const headers = signedHeaders(GIVEN);
    const without = (name: string): Header[] => headers.map(([header, value]) => [header, header === 'authorization' ? value.replace(`${name};`, '').replace(`;${name}`, '') : value]);
    for (const name of ['host', 'content-type', 'x-amz-date', 'x-amz-target', 'x-amz-content-sha256']) expect([name, await ask(without(name))]).toEqual([name, 'IncompleteSignatureException']);
    expect(await ask([...headers, ['x-amz-grant', 'all']])).toBe('IncompleteSignatureException');
    expect(await ask([...headers, ['x-amz-security-token', 'x']])).toBe('UnrecognizedClientException');
    expect(await ask(headers.filter(([name]) => name !== 'authorization'))).toBe('MissingAuthenticationTokenException');
    expect(await ask(headers, BODY.replace('x', 'y'))).toBe('InvalidSignatureException');
    for (const value of ['UNSIGNED-PAYLOAD', 'STREAMING-AWS4-HMAC-SHA256-PAYLOAD', '']) {
      expect(await ask(signedHeaders({ ...GIVEN, extra: [['x-amz-content-sha256', value]] }))).toBe('IncompleteSignatureException');
    }
  });

  it('is refused in 20,000 changed forms, whatever part of it is changed', async () => {
    const { take } = bench();
    const original: Sent = { method: 'POST', url: '/', headers: signedHeaders(GIVEN), body: BODY };
    const tried = new Map<Kind, number>();
    await fc.assert(
      fc.asyncProperty(changed(original), async ([kind, sent]) => {
        if (!sent) return;
        tried.set(kind, (tried.get(kind) ?? 0) + 1);
        const answer = await take(sent);
        expect([kind, typeof answer === 'string' && answer !== 'crash' ? 'refused' : answer]).toEqual([kind, 'refused']);
      }),
      { numRuns: 22_000 },
    );
    const all = [...tried.values()];
    expect(all.reduce((sum, one) => sum + one, 0)).toBeGreaterThan(20_000);
    // No kind is there in name only.
    expect(KINDS.filter((kind) => (tried.get(kind) ?? 0) < 400)).toEqual([]);
    // The positive control: unchanged it is good, and in other words that say the same.
    expect(await take(original)).toEqual(ACCEPTED);
    await fc.assert(
      fc.asyncProperty(reworded(original), async (sent) => {
        expect(await take(sent)).toEqual(ACCEPTED);
      }),
      { numRuns: 500 },
    );
  });
});

describe('the reader of the header', () => {
  it('takes any text and throws for none', () => {
    fc.assert(fc.property(fc.string(), (text) => {
      readAuthorization(text);
      readTime(text);
    }));
  });

  it('takes dates that there are', () => {
    expect(readTime('20260228T235959Z')).toBe(Date.UTC(2026, 1, 28, 23, 59, 59));
    for (const text of ['20260229T000000Z', '20261301T000000Z', '20260101T240000Z', '20260101T000060Z', '2026-01-01T00:00:00Z', '20260101T000000', '']) expect([text, readTime(text)]).toEqual([text, undefined]);
  });
});

describe('the memory of wrong signatures', () => {
  it('is bounded, and forgets those that have waited long enough', () => {
    const wrongs = new Wrongs();
    for (let n = 0; n < 5000; n += 1) wrongs.wait(`AKIA${String(n)}`, 0);
    expect(wrongs.size).toBeLessThanOrEqual(1025);
    expect(wrongs.wait('AKIANEW', 0)).toBeGreaterThan(0);
    expect(wrongs.wait('AKIANEW', 60_000)).toBe(0);
    expect(wrongs.size).toBe(1);
  });
});

describe('the memory of signatures', () => {
  it('forgets those that nobody would accept any more', () => {
    const replays = new Replays();
    const signature = (n: number): Uint8Array => fixedRandom(String(n)).bytes(32);
    for (let n = 0; n < 100; n += 1) expect(replays.see(signature(n), NOW + 1000 * n, NOW + 1000 * n)).toBe('fresh');
    expect(replays.size).toBe(100);
    expect(replays.see(signature(1000), NOW + 3_600_000, NOW + 3_600_000)).toBe('fresh');
    expect(replays.size).toBe(1);
  });
});
