/** A secret's value as fields, and back: nothing is lost, and what is no object of JSON stays text. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { searchWords } from '../../../src/renderer/secrets/data.ts';
import { compareFields, fieldOf, fieldsToValue, namesIn, pastedFields, sameBytes } from '../../../src/renderer/secrets/fields.ts';
import { SecretBytes } from '../../../src/shared/model/secret-bytes.ts';

const secret = (text: string): SecretBytes => SecretBytes.take(new TextEncoder().encode(text));
const read = (value: SecretBytes | undefined): string | undefined => value?.borrow((bytes) => new TextDecoder().decode(bytes));

const FORBIDDEN = new Set(['__proto__', 'constructor', 'prototype']);
const name = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 12 }).filter((text) => !FORBIDDEN.has(text));
const object = fc.dictionary(name, fc.oneof(fc.string({ unit: 'grapheme' }), fc.integer(), fc.boolean(), fc.constant(null), fc.array(fc.integer())), { minKeys: 1, maxKeys: 8, noNullPrototype: true });

describe('fields', () => {
  it('are those of the object, each with its own text', () => {
    fc.assert(
      fc.property(object, (members) => {
        const value = secret(JSON.stringify(members));
        expect(namesIn(value)).toEqual(Object.keys(members));
        for (const [one, member] of Object.entries(members)) expect(read(fieldOf(value, one))).toBe(typeof member === 'string' ? member : JSON.stringify(member));
        expect(fieldOf(value, 'never there')).toBeUndefined();
      }),
    );
  });

  it('keep what is not typed, whatever it is', () => {
    fc.assert(
      fc.property(object, name, fc.string({ unit: 'grapheme' }), (members, added, text) => {
        const typed = [...Object.keys(members).filter((one) => one !== added).map((one) => ({ name: one, text: undefined })), { name: added, text }];
        const value = read(fieldsToValue(typed, secret(JSON.stringify(members))));
        const { [added]: old, ...rest } = members;
        const parsed = JSON.parse(value ?? '') as Record<string, unknown>;
        for (const [one, member] of Object.entries(rest)) expect(parsed[one]).toEqual(member);
        if (old === undefined || typeof old === 'string') expect(parsed[added]).toBe(text);
      }),
    );
  });

  it('stay numbers where they were and are typed as such', () => {
    expect(read(fieldsToValue([{ name: 'port', text: '5433' }, { name: 'pin', text: '0042' }], secret('{"port":5432,"pin":"0041"}')))).toBe('{"port":5433,"pin":"0042"}');
    expect(read(fieldsToValue([{ name: 'port', text: 'a b' }], secret('{"port":5432}')))).toBe('{"port":"a b"}');
  });

  it('come out of what was pasted as they went in', () => {
    const text = '{"engine":"postgres","port":5432,"tls":true,"pin":"0041","hosts":["a"],"none":null}';
    expect(read(fieldsToValue((pastedFields(text) ?? []).map(([name, one, json]) => ({ name, text: one, json }))))).toBe(text);
    expect(read(fieldsToValue([{ name: 'port', text: 'a b', json: true }]))).toBe('{"port":"a b"}');
  });

  it.each(['', 'plain', '[]', '["a"]', '"text"', '{}', '{"a":1', '{"a":1,"a":2}', '{"a":1} x', '{"__proto__":{"x":1}}', '\u0000', '{"n":12345678901234567890}', '{"a":"\\ud800"}'])('are none in %j', (text) => {
    expect(namesIn(secret(text))).toBeUndefined();
    expect(fieldOf(secret(text), 'a')).toBeUndefined();
  });
});

describe('pasting', () => {
  it('takes JSON and lines of names and values', () => {
    expect(pastedFields(' {"user":"a","pass":"b"}\n')).toEqual([['user', 'a', false], ['pass', 'b', false]]);
    expect(pastedFields('{"user":"a","port":1,"list":["a"],"none":null,"pin":"1"}')).toEqual([['user', 'a', false], ['port', '1', true], ['list', '["a"]', true], ['none', 'null', true], ['pin', '1', false]]);
    for (const number of ['1.10', '1e3', '0.12345678901234567890', '-0']) expect([number, pastedFields(`{"a":{"b":[${number}]}}`), pastedFields(`{"a":"${number} \\" ${number}"}`)?.length]).toEqual([number, undefined, 1]);
    for (const number of ['0', '-1', '1.5', '9007199254740991']) expect(pastedFields(`{"a":${number}}`)).toEqual([['a', number, true]]);
    expect(pastedFields('# comment\nexport USER=ada\n\nPASSWORD="a b"\r\nURL=https://x/?a=b\nEMPTY=')).toEqual([['USER', 'ada', false], ['PASSWORD', 'a b', false], ['URL', 'https://x/?a=b', false], ['EMPTY', '', false]]);
  });
  it.each(['username', '', 'a b=c d', 'just some text\nof two lines', 'A=1\nno'])('leaves %j as it is', (text) => {
    expect(pastedFields(text)).toBeUndefined();
  });
});

describe('comparing', () => {
  it('says of each field what became of it', () => {
    expect(compareFields(secret('{"a":1,"b":"x","c":"y"}'), secret('{"d":0,"a":1,"b":"z"}'))).toEqual([['d', 'added'], ['a', 'same'], ['b', 'changed'], ['c', 'removed']]);
    expect(compareFields(secret('text'), secret('{"a":1}'))).toBeUndefined();
    expect([sameBytes(secret('a'), secret('a')), sameBytes(secret('a'), secret('ab')), sameBytes(secret('a'), secret('b'))]).toEqual([true, false, false]);
  });
});

it('searches with what AWS’s filter takes', () => {
  expect([searchWords(' prod/db  pässword! '), searchWords('<>'), searchWords('!x')]).toEqual(['prod/db p ssword', '', 'x']);
  fc.assert(fc.property(fc.string({ unit: 'binary', maxLength: 600 }), (text) => /^[a-zA-Z0-9 :_@/+=.-]{0,500}$/.test(searchWords(text))));
});
