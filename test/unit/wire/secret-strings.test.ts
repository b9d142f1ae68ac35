/** A secret never becomes a JavaScript string on its way through the wire: looked for in the whole heap, with a positive control. */
import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { build } from 'rolldown';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { SecretBytes } from '../../../src/shared/model/secret-bytes.ts';
import { encodeJson } from '../../../src/shared/wire/encode.ts';
import { frameOf } from '../../../src/shared/wire/frame.ts';
import { decodeEnvelope, decodeJson } from '../../../src/shared/wire/json.ts';

const folder = mkdtempSync(join(tmpdir(), 'kw-'));
const child = join(folder, 'child.mjs');

beforeAll(async () => {
  await build({ input: join(import.meta.dirname, 'secret-strings.child.ts'), platform: 'node', output: { file: child, format: 'esm' }, logLevel: 'silent' });
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Every run of 20 characters, so that a part of the secret is found too. */
const partsOf = (text: string): string[] => Array.from({ length: Math.floor(text.length / 20) }, (_, index) => text.slice(index * 20, index * 20 + 20));

/** How many parts of the secret, as text and as base64, are strings in the heap of a process that read it. */
function found(mode: 'secrets' | 'strings', breakIt: boolean): { plain: number; base64: number; control: number } {
  // Text, so that the bytes themselves would be found if anything made a string of them.
  const secret = randomBytes(120).toString('hex');
  const base64 = Buffer.from(secret).toString('base64');
  const control = randomBytes(20).toString('hex');
  const written = breakIt ? `${base64.slice(0, -1)}!` : base64;
  const frames = join(folder, 'frames');
  writeFileSync(frames, frameOf(Buffer.from(`{"id":1,"op":"kms:Encrypt","input":{"KeyId":"${control}","Plaintext":"${written}"}}`)));
  const snapshot = join(folder, 'heap');
  execFileSync(process.execPath, [child, mode, frames, snapshot], { env: {}, stdio: ['ignore', 'pipe', 'inherit'] });
  const heap = readFileSync(snapshot, 'latin1');
  const count = (needles: readonly string[]): number => needles.filter((needle) => heap.includes(needle)).length;
  return { plain: count(partsOf(secret)), base64: count(partsOf(base64)), control: count([control]) };
}

describe('a secret field', () => {
  it('is in no string of the heap, read and written back', { timeout: 60_000 }, () => {
    expect(found('secrets', false)).toEqual({ plain: 0, base64: 0, control: 1 });
  });

  it('is in no string of the heap when it is refused', { timeout: 60_000 }, () => {
    const { plain, base64 } = found('secrets', true);
    expect({ plain, base64 }).toEqual({ plain: 0, base64: 0 });
  });

  it('is found there when it is read as an ordinary field', { timeout: 60_000 }, () => {
    expect(found('strings', false).base64).toBe(16);
  });

  it('is never given to a function that makes strings', () => {
    const secret = Buffer.from('x'.repeat(300)).toString('base64');
    const frame = Buffer.from(`{"id":1,"op":"x","input":{"KeyId":"${'k'.repeat(40)}","Plaintext":"${secret}"}}`);
    const decode = vi.spyOn(TextDecoder.prototype, 'decode');
    const fromCharCode = vi.spyOn(String, 'fromCharCode');
    try {
      const read = (fields: ReadonlySet<string>): { decoded: string; characters: number } => {
        decode.mockClear();
        fromCharCode.mockClear();
        const input = decodeJson(decodeEnvelope(frame)['input'] as Uint8Array, { secretFields: fields }) as { Plaintext: unknown };
        if (input.Plaintext instanceof SecretBytes) encodeJson(input);
        return { decoded: decode.mock.results.map(({ value }) => String(value)).join('\n'), characters: fromCharCode.mock.calls.length };
      };
      const quiet = read(new Set(['Plaintext']));
      expect(quiet.decoded).toContain('k'.repeat(40));
      expect(quiet.decoded).not.toContain(secret.slice(0, 8));
      // The names of fields and the operation, and nothing of 400 characters.
      expect(quiet.characters).toBeLessThan(60);
      expect(read(new Set()).decoded).toContain(secret);
    } finally {
      vi.restoreAllMocks();
    }
  });
});
