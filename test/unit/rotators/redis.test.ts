/** Redis's protocol, read from hostile bytes, and lines of its access control list. */
import { PassThrough } from 'node:stream';
import type { Socket } from 'node:net';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isPlainName, passwordHash, passwordsOf, rulesOf } from '../../../src/main/rotators/redis-rules.ts';
import { RespError, createResp, encodeCommand, parseReply, type Reply } from '../../../src/main/rotators/resp.ts';

/** As a server writes it. */
const write = (reply: Reply): string =>
  reply === null ? '$-1\r\n'
  : typeof reply === 'number' ? `:${String(reply)}\r\n`
  : typeof reply === 'string' ? `$${String(Buffer.byteLength(reply))}\r\n${reply}\r\n`
  : 'error' in reply ? `-${reply.error} secret words\r\n`
  : `*${String(reply.length)}\r\n${reply.map(write).join('')}`;
const replies: fc.Arbitrary<Reply> = fc.letrec<{ reply: Reply }>((tie) => ({
  reply: fc.oneof({ maxDepth: 4 }, fc.constant(null), fc.integer(), fc.string({ unit: 'grapheme' }), fc.constantFrom('WRONGPASS', 'ERR').map((error) => ({ error })), fc.array(tie('reply'), { maxLength: 4 })),
})).reply;

describe('a reply', () => {
  it('is read as it was written, wherever it is cut, and never before it is whole', () => {
    fc.assert(
      fc.property(replies, (reply) => {
        const bytes = Buffer.from(write(reply));
        expect(parseReply(bytes)).toEqual({ reply, end: bytes.length });
        for (let length = 0; length < bytes.length; length += 1) expect(parseReply(bytes.subarray(0, length))).toBeUndefined();
      }),
    );
    expect(parseReply(Buffer.from('+OK\r\n'))?.reply).toBe('OK');
  });

  it('of any other bytes is refused or awaited, and an error’s text is left behind', () => {
    const pieces = fc.array(fc.constantFrom('*', '$', ':', '-', '+', '\r\n', '1', '-1', '999999999999', 'ERR x', '\0', 'é'), { maxLength: 12 }).map((parts) => Buffer.from(parts.join('')));
    fc.assert(
      fc.property(fc.oneof(pieces, fc.uint8Array({ maxLength: 60 }).map((bytes) => Buffer.from(bytes))), (bytes) => {
        try {
          parseReply(bytes);
        } catch (error) {
          expect(error).toBeInstanceOf(RespError);
        }
      }),
      { numRuns: 1000 },
    );
    for (const bytes of ['%1\r\n', '$-2\r\n', '*1e3\r\n', '$2000000\r\n', '*200000\r\n', '$1\r\nabc', '*1\r\n'.repeat(20)]) expect(() => parseReply(Buffer.from(bytes))).toThrow(RespError);
    expect(parseReply(Buffer.from('-hunter2 is wrong\r\n'))?.reply).toEqual({ error: 'ERR' });
  });

  it('that nobody asked for, or with more behind it, ends the connection', async () => {
    const stream = new PassThrough();
    const resp = createResp(stream as unknown as Socket);
    stream.removeAllListeners('drain');
    const asked = resp.send(['PING']);
    // What was written comes back as an answer: an array of a bulk string.
    expect(await asked).toEqual(['PING']);
    stream.write('+OK\r\n');
    await new Promise((later) => setImmediate(later));
    await expect(resp.send(['PING'])).rejects.toThrow(RespError);
    expect(encodeCommand(['A', 'é']).toString()).toBe('*2\r\n$1\r\nA\r\n$2\r\né\r\n');
  });
});

describe('the access control list', () => {
  const hash = passwordHash('foobared');
  it('has of a password its SHA-256', () => {
    // Redis documentation, "ACL": the example with `foobared`.
    expect(hash).toBe('1b58ee375b42e41f0e48ef2ff27d10a5b1f6924a9acdcdba7cae868e7adce6bf');
  });

  it('gives a user’s rules without its passwords', () => {
    const lines = [`user app_x on nopass ~* +@all`, `user app on sanitize-payload #${hash} resetchannels ~a:* %R~b:* -@all +get (~c +set)`, 5];
    expect(rulesOf(lines, 'app')).toEqual(['on', 'sanitize-payload', 'resetchannels', '~a:*', '%R~b:*', '-@all', '+get', '(~c', '+set)']);
    expect([rulesOf(lines, 'other'), rulesOf(['user app on >hunter2 ~*'], 'app'), rulesOf([], 'app')]).toEqual([undefined, undefined, undefined]);
    expect([isPlainName('app.1'), isPlainName('a b'), isPlainName('a\n'), isPlainName('(a'), isPlainName('')]).toEqual([true, false, false, false, false]);
  });

  it('says which passwords a user has, or that it needs none', () => {
    expect(passwordsOf(['flags', ['on'], 'passwords', [hash], 'commands', '-@all'])).toEqual({ hashes: [hash], open: false });
    expect(passwordsOf(['flags', ['on', 'nopass'], 'passwords', []])).toEqual({ hashes: [], open: true });
    expect([passwordsOf(null), passwordsOf('OK'), passwordsOf([])]).toEqual([undefined, undefined, { hashes: [], open: false }]);
  });
});
