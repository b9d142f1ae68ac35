/** The strict reader. The table follows the classes of JSONTestSuite (nst/JSONTestSuite): y must be read, n and i be refused or read as said. */
import { describe, expect, it, vi } from 'vitest';
import { VaultError } from '../../../src/shared/model/errors.ts';
import { SecretBytes } from '../../../src/shared/model/secret-bytes.ts';
import { decodeEnvelope, decodeJson, MAX_DEPTH } from '../../../src/shared/wire/json.ts';

const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text);
const latin1 = (text: string): Uint8Array => Uint8Array.from(text, (character) => character.charCodeAt(0));

function refusalOf(read: () => unknown): VaultError {
  try {
    read();
  } catch (error) {
    if (error instanceof VaultError) return error;
    throw error;
  }
  throw new Error('it was read');
}

/** A byte per character, so that invalid UTF-8 can be written down. */
const READ: readonly (readonly [name: string, text: string])[] = [
  ['y_array_arraysWithSpaces', '[[]   ]'],
  ['y_array_empty-string', '[""]'],
  ['y_array_empty', '[]'],
  ['y_array_ending_with_newline', '["a"]\n'],
  ['y_array_false', '[false]'],
  ['y_array_heterogeneous', '[null, 1, "1", {}]'],
  ['y_array_null', '[null]'],
  ['y_array_with_leading_space', ' [1]'],
  ['y_array_with_several_null', '[1,null,null,null,2]'],
  ['y_array_with_trailing_space', '[2] '],
  ['y_number', '[123e65]'.replace('123e65', '123e5')],
  ['y_number_0e+1', '[0e+1]'],
  ['y_number_0e1', '[0e1]'],
  ['y_number_after_space', '[ 4]'],
  ['y_number_double_close_to_zero', '[-0.000000000000000000000000000000000000000000000000000000000000000000000000000001]'],
  ['y_number_int_with_exp', '[20e1]'],
  ['y_number_minus_zero', '[-0]'],
  ['y_number_negative_int', '[-123]'],
  ['y_number_real_capital_e', '[1E12]'],
  ['y_number_real_capital_e_neg_exp', '[1E-2]'],
  ['y_number_real_exponent', '[123e3]'],
  ['y_number_real_fraction_exponent', '[123.456e8]'],
  ['y_number_simple_real', '[123.456789]'],
  ['y_object_basic', '{"asd":"sdf"}'],
  ['y_object_empty', '{}'],
  ['y_object_empty_key', '{"":0}'],
  ['y_object_escaped_null_in_key', '{"foo\\u0000bar": 42}'],
  ['y_object_extreme_numbers', '{ "min": -1.0e+5, "max": 1.0e+15 }'],
  ['y_object_string_unicode', '{"title":"\\u041f\\u043e\\u043b\\u0442\\u043e\\u0440\\u0430" }'],
  ['y_object_with_newlines', '{\n"a": "b"\n}'],
  ['y_string_1_2_3_bytes_UTF-8_sequences', '["\\u0060\\u012a\\u12AB"]'],
  ['y_string_accepted_surrogate_pair', '["\\uD801\\udc37"]'],
  ['y_string_accepted_surrogate_pairs', '["\\ud83d\\ude39\\ud83d\\udc8d"]'],
  ['y_string_allowed_escapes', '["\\"\\\\\\/\\b\\f\\n\\r\\t"]'],
  ['y_string_backslash_and_u_escaped_zero', '["\\\\u0000"]'],
  ['y_string_double_escape_a', '["\\\\a"]'],
  ['y_string_escaped_control_character', '["\\u0012"]'],
  ['y_string_last_surrogates_1_and_2', '["\\uDBFF\\uDFFF"]'],
  ['y_string_noncharacterInUTF-8_U+10FFFF', '["\xf4\x8f\xbf\xbf"]'],
  ['y_string_nonCharacterInUTF-8_U+FFFF', '["\xef\xbf\xbf"]'],
  ['y_string_bom_inside', '["\xef\xbb\xbfx"]'],
  ['y_string_null_escape', '["\\u0000"]'],
  ['y_string_pi', '["\xcf\x80"]'],
  ['y_string_u+2028_line_sep', '["\xe2\x80\xa8"]'],
  ['y_string_unescaped_char_delete', '["\x7f"]'],
  ['y_string_utf8', '["\xe2\x82\xac\xf0\x9d\x84\x9e"]'],
  ['y_structure_lonely_false', 'false'],
  ['y_structure_lonely_int', '42'],
  ['y_structure_lonely_negative_real', '-0.1'],
  ['y_structure_lonely_null', 'null'],
  ['y_structure_lonely_string', '"asd"'],
  ['y_structure_whitespace_array', ' \t\r\n[] '],
  // Free by the suite, agreed here:
  ['i_number_real_underflow', '[123e-10000000]'],
  ['i_structure_500_nested_arrays, but 32', '['.repeat(32) + ']'.repeat(32)],
];

const REFUSED: readonly (readonly [name: string, text: string])[] = [
  ['n_array_1_true_without_comma', '[1 true]'],
  ['n_array_colon_instead_of_comma', '["": 1]'],
  ['n_array_comma_after_close', '[""],'],
  ['n_array_comma_and_number', '[,1]'],
  ['n_array_double_comma', '[1,,2]'],
  ['n_array_extra_close', '["x"]]'],
  ['n_array_extra_comma', '["",]'],
  ['n_array_incomplete', '["x"'],
  ['n_array_invalid_utf8', '[\xff]'],
  ['n_array_just_minus', '[-]'],
  ['n_array_missing_value', '[   , ""]'],
  ['n_array_newlines_unclosed', '["a",\n4\n,1,'],
  ['n_array_star_inside', '[*]'],
  ['n_array_unclosed_with_object_inside', '[{}'],
  ['n_incomplete_false', '[fals]'],
  ['n_incomplete_null', '[nul]'],
  ['n_incomplete_true', '[tru]'],
  ['n_multidigit_number_then_00', '123\x00'],
  ['n_number_++', '[++1234]'],
  ['n_number_+1', '[+1]'],
  ['n_number_-01', '[-01]'],
  ['n_number_-2.', '[-2.]'],
  ['n_number_-NaN', '[-NaN]'],
  ['n_number_.2e-3', '[.2e-3]'],
  ['n_number_0.3e+', '[0.3e+]'],
  ['n_number_0_capital_E', '[0E]'],
  ['n_number_1_000', '[1 000.0]'],
  ['n_number_2.e3', '[2.e3]'],
  ['n_number_expression', '[1+2]'],
  ['n_number_hex_1_digit', '[0x1]'],
  ['n_number_Inf', '[Inf]'],
  ['n_number_NaN', '[NaN]'],
  ['n_number_neg_int_starting_with_zero', '[-012]'],
  ['n_number_U+FF11_fullwidth_digit_one', '[\xef\xbc\x91]'],
  ['n_number_with_alpha', '[1.2a-3]'],
  ['n_number_with_leading_zero', '[012]'],
  ['n_object_bad_value', '["x", truth]'],
  ['n_object_bracket_key', '{[: "x"}'],
  ['n_object_comma_instead_of_colon', '{"x", null}'],
  ['n_object_double_colon', '{"x"::"b"}'],
  ['n_object_emoji', '{\xf0\x9f\x87\xa8\xf0\x9f\x87\xad}'],
  ['n_object_garbage_at_end', '{"a":"a" 123}'],
  ['n_object_key_with_single_quotes', "{key: 'value'}"],
  ['n_object_missing_value', '{"a":'],
  ['n_object_non_string_key', '{1:1}'],
  ['n_object_trailing_comma', '{"id":0,}'],
  ['n_object_trailing_comment', '{"a":"b"}/**/'],
  ['n_object_two_commas_in_a_row', '{"a":"b",,"c":"d"}'],
  ['n_object_unquoted_key', '{a: "b"}'],
  ['n_object_with_trailing_garbage', '{"a":"b"}#'],
  ['n_single_space', ' '],
  ['n_string_1_surrogate_then_escape_u', '["\\uD800\\u"]'],
  ['n_string_1_surrogate_then_escape_u1x', '["\\uD800\\u1x"]'],
  ['n_string_accentuated_char_no_quotes', '[\xc3\xa9]'],
  ['n_string_backslash_00', '["\\\x00"]'],
  ['n_string_escape_x', '["\\x00"]'],
  ['n_string_escaped_backslash_bad', '["\\\\\\"]'],
  ['n_string_escaped_ctrl_char_tab', '["\\\t"]'],
  ['n_string_escaped_emoji', '["\\\xf0\x9f\x8c\x80"]'],
  ['n_string_incomplete_escape', '["\\"]'],
  ['n_string_incomplete_escaped_character', '["\\u00A"]'],
  ['n_string_incomplete_surrogate', '["\\uD834\\uDd"]'],
  ['n_string_invalid-utf-8-in-escape', '["\\u\xe5"]'],
  ['n_string_invalid_backslash_esc', '["\\a"]'],
  ['n_string_leading_uescaped_thinspace', '[\\u0020"asd"]'],
  ['n_string_no_quotes_with_bad_escape', '[\\n]'],
  ['n_string_single_doublequote', '"'],
  ['n_string_single_quote', "['single quote']"],
  ['n_string_start_escape_unclosed', '["\\'],
  ['n_string_unescaped_ctrl_char', '["a\x00a"]'],
  ['n_string_unescaped_newline', '["new\nline"]'],
  ['n_string_unescaped_newline after an escape', '["\\n\n"]'],
  ['n_string_unescaped_tab', '["\t"]'],
  ['n_string_with_trailing_garbage', '""x'],
  ['n_structure_100000_opening_arrays', '['.repeat(100_000)],
  ['n_structure_angle_bracket_null', '[<null>]'],
  ['n_structure_array_with_unclosed_string', '["asd]'],
  ['n_structure_capitalized_True', '[True]'],
  ['n_structure_close_unopened_array', '1]'],
  ['n_structure_comma_instead_of_closing_brace', '{"x": true,'],
  ['n_structure_double_array', '[][]'],
  ['n_structure_end_array', ']'],
  ['n_structure_incomplete_UTF8_BOM', '\xef\xbb{}'],
  ['n_structure_lone-invalid-utf-8', '\xe5'],
  ['n_structure_no_data', ''],
  ['n_structure_null-byte-outside-string', '[\x00]'],
  ['n_structure_object_with_comment', '{"a":/*comment*/"b"}'],
  ['n_structure_open_array_object', '[{"":'.repeat(50_000)],
  ['n_structure_open_open', '["\\{["\\{["\\{["\\{'],
  ['n_structure_trailing_#', '{"a":"b"}#{}'],
  ['n_structure_U+2060_word_joined', '[\xe2\x81\xa0]'],
  ['n_structure_whitespace_formfeed', '[\x0c]'],
  ['n_structure_whitespace_nbsp', '[\xc2\xa0]'],
  // Free by the suite, refused here:
  ['i_number_double_huge_neg_exp, as an overflow', '[1e400]'],
  ['i_number_huge_exp', '[0.4e00669999999999999999999999999999999999999999999999999999999999999999]'],
  ['i_number_neg_int_huge_exp', '[-1e+9999]'],
  ['i_number_too_big_pos_int', '[100000000000000000000]'],
  ['i_number_too_big_neg_int', '[-123123123123123123123123123123]'],
  ['i_number_int_2^53', '[9007199254740992]'],
  ['i_number_real_that_is_a_large_integer', '[1.5e300]'],
  ['i_object_key_lone_2nd_surrogate', '{"\\uDFAA":0}'],
  ['i_string_1st_surrogate_but_2nd_missing', '["\\uDADA"]'],
  ['i_string_1st_valid_surrogate_2nd_invalid', '["\\uD888\\u1234"]'],
  ['i_string_incomplete_surrogate_and_escape_valid', '["\\uD800\\n"]'],
  ['i_string_inverted_surrogates_U+1D11E', '["\\uDd1e\\uD834"]'],
  ['i_string_two_first_surrogates', '["\\ud800\\ud800"]'],
  ['i_string_two_second_surrogates', '["\\udc00\\udc00"]'],
  ['i_string_invalid_lonely_surrogate', '["\\ud800"]'],
  ['i_string_UTF-8_invalid_sequence', '["\xe6\x97\xa5\xd1\x88\xfa"]'],
  ['i_string_UTF8_surrogate_U+D800', '["\xed\xa0\x80"]'],
  ['i_string_invalid_utf-8', '["\xff"]'],
  ['i_string_iso_latin_1', '["\xe9"]'],
  ['i_string_lone_utf8_continuation_byte', '["\x81"]'],
  ['i_string_not_in_unicode_range', '["\xf4\xbf\xbf\xbf"]'],
  ['i_string_overlong_sequence_2_bytes', '["\xc0\xaf"]'],
  ['i_string_overlong_sequence_6_bytes', '["\xfc\x83\xbf\xbf\xbf\xbf"]'],
  ['i_string_truncated-utf-8', '["\xe0\xff"]'],
  ['i_string_utf-8 that an escape completes', '["\xc3\\u00a9"]'],
  ['i_string_UTF-16LE_with_BOM', '\xff\xfe[\x00]\x00'],
  ['i_structure_UTF-8_BOM_empty_object', '\xef\xbb\xbf{}'],
  ['i_structure_33_nested_arrays', '['.repeat(33) + ']'.repeat(33)],
  // Free by the RFC, refused here:
  ['y_object_duplicated_key', '{"a":"b","a":"c"}'],
  ['y_object_duplicated_key, one of them escaped', '{"a":"b","\\u0061":"c"}'],
  ['duplicate in a nested object', '[{"x":{"a":1,"a":1}}]'],
  ['__proto__', '{"__proto__":{"admin":true}}'],
  ['__proto__, escaped', '{"\\u005f_proto__":{}}'],
  ['__proto__, nested', '{"a":[{"__proto__":1}]}'],
  ['constructor', '{"constructor":{}}'],
  ['prototype', '{"prototype":{}}'],
];

describe('decodeJson', () => {
  it.each(READ)('reads %s', (_name, text) => {
    expect(decodeJson(latin1(text))).toStrictEqual(JSON.parse(new TextDecoder('utf-8', { ignoreBOM: true }).decode(latin1(text))));
  });

  it.each(REFUSED)('refuses %s', (_name, text) => {
    const refusal = refusalOf(() => decodeJson(latin1(text)));
    expect(refusal.code).toBe('SerializationException');
    expect(refusal.message).toMatch(/^malformed json at byte \d+: [a-z0-9^ -]+$/);
  });

  it('names the offset and never what is there', () => {
    expect(refusalOf(() => decodeJson(utf8('{"Password":"hunter2",}'))).message).toBe('malformed json at byte 22: a key is expected');
    expect(refusalOf(() => decodeJson(utf8('{"a":1,"a":2}'))).message).toBe('malformed json at byte 7: a key for the second time');
  });

  it('takes 32 levels, objects and arrays together', () => {
    const nested = (levels: number): Uint8Array => utf8('{"a":['.repeat(levels / 2) + ']}'.repeat(levels / 2));
    expect(() => decodeJson(nested(MAX_DEPTH))).not.toThrow();
    expect(refusalOf(() => decodeJson(nested(MAX_DEPTH + 2))).message).toContain('nested deeper than 32');
  });

  it('takes integers up to 2^53 - 1, both ways', () => {
    expect(decodeJson(utf8('[9007199254740991,-9007199254740991]'))).toEqual([9007199254740991, -9007199254740991]);
  });

  it('keeps names that objects inherit as plain fields', () => {
    const value = decodeJson(utf8('{"toString":1,"hasOwnProperty":2,"valueOf":3}')) as Record<string, unknown>;
    expect(Object.entries(value)).toEqual([['toString', 1], ['hasOwnProperty', 2], ['valueOf', 3]]);
    expect(Object.getPrototypeOf(value)).toBe(Object.prototype);
  });

  it('reads a view without looking outside of it', () => {
    const whole = utf8('xx{"a":1}yy');
    expect(decodeJson(whole.subarray(2, 9))).toEqual({ a: 1 });
    expect(refusalOf(() => decodeJson(whole.subarray(2, 8))).message).toContain('at byte 6');
    expect(refusalOf(() => decodeJson(utf8('"abc"').subarray(0, 4))).message).toContain('without an end');
  });

  it.each(['a', '\\n', 'é', '\\u00e9', '\\ud83d\\ude39'])('reads strings of 0 to 70 times %s', (piece) => {
    for (let length = 0; length <= 70; length++) {
      const text = JSON.stringify([JSON.parse(`"${piece.repeat(length)}"`) as string]);
      expect(decodeJson(utf8(`["${piece.repeat(length)}"]`))).toEqual(JSON.parse(text));
    }
  });

  it('stays linear in a megabyte of escapes, of quotes and of keys', () => {
    const started = performance.now();
    decodeJson(utf8(`"${'\\n'.repeat(500_000)}"`));
    refusalOf(() => decodeJson(utf8(`["${'\\"'.repeat(500_000)}`)));
    decodeJson(utf8(`{${Array.from({ length: 60_000 }, (_, index) => `"key${String(index)}":0`).join(',')}}`));
    expect(performance.now() - started).toBeLessThan(5000);
  });
});

describe('secret fields', () => {
  const secretFields: ReadonlySet<string> = new Set(['Plaintext', 'Password']);
  const read = (text: string): Record<string, unknown> => decodeJson(utf8(text), { secretFields }) as Record<string, unknown>;
  const bytesOf = (value: unknown): number[] => (value as SecretBytes).borrow((bytes) => [...bytes]);

  it('become SecretBytes, for every length to 100', () => {
    for (let length = 0; length <= 100; length++) {
      const bytes = Buffer.from(Array.from({ length }, (_, index) => (index * 37 + length) & 255));
      const value = read(`{"KeyId":"k","Plaintext" : "${bytes.toString('base64')}" }`);
      expect(value['Plaintext']).toBeInstanceOf(SecretBytes);
      expect(bytesOf(value['Plaintext'])).toEqual([...bytes]);
      expect(value['KeyId']).toBe('k');
    }
  });

  it('are found under an escaped name, and only at the top level', () => {
    const value = read('{"Pl\\u0061intext":"AQID","Nested":{"Plaintext":"text"},"Other":"AQID"}');
    expect(bytesOf(value['Plaintext'])).toEqual([1, 2, 3]);
    expect(value['Nested']).toEqual({ Plaintext: 'text' });
    expect(value['Other']).toBe('AQID');
  });

  it.each([
    ['no padding', '"AQI"'],
    ['too much padding', '"AQ=="='],
    ['padding alone', '"===="'],
    ['padding in the middle', '"AQ==AQID"'],
    ['three paddings', '"A==="'],
    ['trailing bits after one byte', '"AR=="'],
    ['trailing bits after two bytes', '"AQJ="'],
    ['the URL alphabet', '"-_-_"'],
    ['a space', '"AQ D"'],
    ['a newline', '"AQID\n"'],
    ['an escape', '"AQI\\/"'],
    ['an escaped quote', '"AQI\\"AQID"'],
    ['not ASCII', '"AQI\u00e9"'],
    ['no string', '12'],
    ['null', 'null'],
    ['an object', '{"a":1}'],
    ['no end', '"AQID'],
  ])('refuse %s', (_name, text) => {
    const refusal = refusalOf(() => read(`{"Plaintext":${text}}`));
    expect(refusal.code).toBe('SerializationException');
    expect(refusal.message).not.toContain('AQ');
  });

  it('are wiped when a later part of the document is refused', () => {
    const allocate = vi.spyOn(SecretBytes, 'allocate');
    try {
      for (const rest of [',}', ',"Plaintext":"AQID"}', ',"Password":"A"}', '', '} x', ',"__proto__":1}']) refusalOf(() => read(`{"Plaintext":"AQID"${rest}`));
      const secrets = allocate.mock.results.map((result) => result.value as SecretBytes);
      expect(secrets.length).toBeGreaterThanOrEqual(6);
      expect(secrets.every((secret) => secret.disposed)).toBe(true);
    } finally {
      allocate.mockRestore();
    }
  });
});

describe('decodeEnvelope', () => {
  it('leaves the input as a view of its bytes', () => {
    const bytes = utf8(' {"id":7, "op":"kms:Encrypt", "input": {"a":"}\\"]", "b":[{}]} , "x":null}');
    const envelope = decodeEnvelope(bytes);
    const input = envelope['input'] as Uint8Array;
    expect(input.buffer).toBe(bytes.buffer);
    expect(new TextDecoder().decode(input)).toBe('{"a":"}\\"]", "b":[{}]}');
    expect(envelope['id']).toBe(7);
  });

  it('does not read the input', () => {
    expect(new TextDecoder().decode(decodeEnvelope(utf8('{"input":{nonsense, "a" "a"}}'))['input'] as Uint8Array)).toBe('{nonsense, "a" "a"}');
  });

  it('takes an input of 32 levels, whatever surrounds it', () => {
    const nested = (levels: number): Uint8Array => utf8(`{"input":{"a":${'['.repeat(levels - 1)}${']'.repeat(levels - 1)}}}`);
    expect(decodeJson(decodeEnvelope(nested(32))['input'] as Uint8Array)).toBeDefined();
    expect(refusalOf(() => decodeEnvelope(nested(33))).message).toContain('nested deeper');
  });

  it.each(['[]', '1', '"x"', 'null', '{"input":[]}', '{"input":"x"}', '{"input":{]}', '{"input":{"a":[}]}', '{"input":{"a', '{"input":{"a\\', '{"input":{}', '{"input":{}}}', '{"input":{},"input":{}}'])(
    'refuses %s',
    (text) => {
      expect(refusalOf(() => decodeEnvelope(utf8(text))).code).toBe('SerializationException');
    },
  );
});
