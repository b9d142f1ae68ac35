/** Secrets that are text, on a wire where they are strings of JSON, and secrets in the objects of a list. */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { disposeSecrets, SecretBytes } from '../../../src/shared/model/secret-bytes.ts';
import { encodeJson } from '../../../src/shared/wire/encode.ts';
import { decodeJson } from '../../../src/shared/wire/json.ts';
import { isUtf8 } from '../../../src/shared/wire/utf8.ts';

const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text);
const secretTexts = new Set(['SecretString', 'SecretValues.SecretString']);
const text = fc.string({ unit: 'binary' }).filter((one) => one.isWellFormed());
const textOf = (secret: SecretBytes): string => secret.borrow((bytes) => new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes));

it('reads what JSON.stringify writes, at the top and in a list, without a string', () => {
  fc.assert(
    fc.property(text, text, (a, b) => {
      const document = { SecretString: a, Other: b, SecretValues: [{ SecretString: b }, { Deep: { SecretString: a } }] };
      const read = decodeJson(utf8(JSON.stringify(document)), { secretTexts }) as { SecretString: SecretBytes; Other: string; SecretValues: [{ SecretString: SecretBytes }, unknown] };
      const [first, second] = read.SecretValues;
      expect([textOf(read.SecretString), read.Other, textOf(first.SecretString), second]).toEqual([a, b, b, { Deep: { SecretString: a } }]);
      disposeSecrets(read);
      expect([read.SecretString.disposed, first.SecretString.disposed]).toEqual([true, true]);
    }),
  );
});

it('writes what JSON.parse reads, and base64 where the field is not declared text', () => {
  fc.assert(
    fc.property(text, (a) => {
      const secret = SecretBytes.take(utf8(a));
      const written = encodeJson({ SecretString: secret, SecretValues: [{ SecretString: secret, SecretBinary: secret }] }, { secretTexts });
      expect(JSON.parse(new TextDecoder().decode(written))).toEqual({ SecretString: a, SecretValues: [{ SecretString: a, SecretBinary: Buffer.from(a).toString('base64') }] });
    }),
  );
});

it('agrees with the strict decoder about what is UTF-8', () => {
  const strict = (bytes: Uint8Array): boolean => {
    try {
      new TextDecoder('utf-8', { fatal: true }).decode(bytes);
      return true;
    } catch {
      return false;
    }
  };
  fc.assert(fc.property(fc.uint8Array({ maxLength: 8 }), (bytes) => isUtf8(bytes) === strict(bytes)), { numRuns: 20_000 });
  const edges = [0x00, 0x7f, 0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xbf, 0xc0, 0xc1, 0xc2, 0xdf, 0xe0, 0xed, 0xef, 0xf0, 0xf4, 0xf5, 0xff];
  fc.assert(fc.property(fc.array(fc.constantFrom(...edges), { maxLength: 6 }), (bytes) => isUtf8(Uint8Array.from(bytes)) === strict(Uint8Array.from(bytes))), { numRuns: 50_000 });
});

it.each([['a value that is no string', '{"SecretString":1}'], ['a control character', '{"SecretString":"a\u0001"}'], ['a string without an end', '{"SecretString":"a'], ['a lone surrogate', '{"SecretString":"\\ud800"}']])('refuses %s and keeps no secret', (_name, json) => {
  expect(() => decodeJson(utf8(json), { secretTexts })).toThrow(/malformed json/);
});

it('refuses to write a text that is none', () => {
  expect(() => encodeJson({ SecretString: SecretBytes.take(Uint8Array.of(0xff)) }, { secretTexts })).toThrow(/not utf-8/);
});
