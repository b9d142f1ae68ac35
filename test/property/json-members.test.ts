/** Members read and replaced in the bytes of JSON, against JSON.parse; hostile bytes end in nothing. */
import fc from 'fast-check';
import { expect, it } from 'vitest';

import { isJsonObject, textMember, withMember } from '../../src/main/secrets/json-members.ts';
import { SecretBytes } from '../../src/shared/model/secret-bytes.ts';

const RUNS = Number(process.env['KEYSTEAD_PROPERTY_RUNS'] ?? 500);
const secret = (text: string): SecretBytes => SecretBytes.copy(new TextEncoder().encode(text));
const text = (value: SecretBytes | undefined): string | undefined => value?.borrow((bytes) => new TextDecoder('utf-8', { fatal: true }).decode(bytes));

const names = fc.oneof(fc.constantFrom('password', 'username', 'a"b', 'ä', '{', '\\'), fc.string());
const objects = fc.dictionary(names, fc.oneof(fc.string({ unit: 'grapheme' }), fc.jsonValue({ maxDepth: 4 })), { maxKeys: 8 });
const spaced = fc.tuple(objects, fc.constantFrom(undefined, 1, '\t', ' \n')).map(([object, indent]) => ({ object, indent, json: JSON.stringify(object, null, indent) }));

it('replaces one member and leaves every other byte as it is', () => {
  fc.assert(
    fc.property(spaced, names, fc.string({ unit: 'grapheme' }), ({ object, indent, json }, name, value) => {
      const changed = text(withMember(secret(json), name, secret(value)));
      if (!Object.hasOwn(object, name)) {
        expect(changed).toBeUndefined();
        return;
      }
      const expected = { ...object };
      Object.defineProperty(expected, name, { value, enumerable: true });
      expect(JSON.parse(changed ?? '')).toEqual(JSON.parse(JSON.stringify(expected)));
      // Control characters have two ways to be written.
      if (!/\p{Cc}/u.test(value)) expect(changed).toBe(JSON.stringify(expected, null, indent));
    }),
    { numRuns: RUNS },
  );
});

it('reads members that are text', () => {
  fc.assert(
    fc.property(spaced, names, ({ object, json }, name) => {
      const value: unknown = Object.hasOwn(object, name) ? object[name] : undefined;
      expect(textMember(secret(json), name)).toBe(typeof value === 'string' ? value : undefined);
      expect(isJsonObject(secret(json))).toBe(true);
    }),
    { numRuns: RUNS },
  );
});

it('takes no member that is there twice, nothing that is no object, and never throws', () => {
  for (const json of ['{"password":"a","password":"b"}', '{"password":"a","pass\\u0077ord":"b"}', '[{"password":"a"}]', '"password"', '', '{', '{"password"', '{"password":', '{"password":"', '{"password":}', '['.repeat(60), `{"password":${'['.repeat(60)}${']'.repeat(60)}}`]) {
    expect([json, text(withMember(secret(json), 'password', secret('x'))), textMember(secret(json), 'password')]).toEqual([json, undefined, undefined]);
  }
  fc.assert(
    fc.property(fc.oneof(fc.uint8Array({ maxLength: 60 }), spaced.chain(({ json }) => fc.nat(json.length).map((at) => new TextEncoder().encode(json.slice(0, at))))), (bytes) => {
      withMember(SecretBytes.copy(bytes), 'password', secret('x'));
      textMember(SecretBytes.copy(bytes), 'password');
      isJsonObject(SecretBytes.copy(bytes));
    }),
    { numRuns: RUNS },
  );
});
