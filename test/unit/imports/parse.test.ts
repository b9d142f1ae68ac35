/**
 * Other programs' exports, written by their published formats (each reader names its source): what becomes of every value, and that what a
 * reader does not take is refused by name and line, without a word of what is in the file.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';

import { parseImport } from '../../../src/main/imports/parse.ts';
import { ImportFailure, type Parsed } from '../../../src/main/imports/parsed.ts';
import { oneTimeSeed } from '../../../src/main/secrets/totp.ts';

const sample = (name: string): Uint8Array => readFileSync(join(import.meta.dirname, '../../fixtures/imports', name));
const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const parse = (given: string | Uint8Array): Parsed => parseImport(typeof given === 'string' ? bytes(given) : given);
const shown = ({ entries }: Parsed): Record<string, Record<string, string>> =>
  Object.fromEntries(entries.map(({ path, fields }) => [path.join(' > '), Object.fromEntries(fields.map(({ name, value }) => [name, value]))]));
const refusal = (given: string | Uint8Array): ImportFailure => {
  try {
    parse(given);
  } catch (error) {
    if (error instanceof ImportFailure) return error;
    throw error;
  }
  throw new Error('it was taken');
};

describe('.env', () => {
  it('reads quotes, escapes, comments, export, and values over lines', () => {
    const parsed = parse(sample('app.env'));
    expect(parsed).toMatchObject({ format: 'dotenv', shape: 'fields', notes: [] });
    expect(parsed.entries[0]?.fields.map(({ name, value }) => [name, value])).toEqual([
      ['DATABASE_URL', 'postgres://app:p%40ss@db.example.com:5432/app'],
      ['API_KEY', 'sk_live_#not-a-comment'],
      ['GREETING', 'line one\nline "two" costs $5'],
      ['CERT', '-----BEGIN CERTIFICATE-----\nMIIB+zCCAWSgAwIBAgIJAK\n-----END CERTIFICATE-----'],
      ['EMPTY', ''],
      ['SPACED', 'padded value'],
      ['TICKS', `it's "both"`],
      ['HASH', 'abc#def'],
      ['API_KEY', 'second'],
    ]);
  });

  it('reads Windows line ends and a byte order mark', () => {
    expect(parse('\ufeffA=1\r\nB="2\r\n3"\r\n').entries[0]?.fields.map(({ value }) => value)).toEqual(['1', '2\n3']);
  });

  it('says that references stay as they are, and not of those that are escaped', () => {
    expect(parse('A=${B}/x').notes).toEqual(['references-unexpanded']);
    expect(parse(`A="\\\${B}"\nC='$D'`).notes).toEqual([]);
  });

  it.each([
    ['A=1\n\n# x\nhunter2 is no assignment', 4, 'neither'],
    ['A=1\nB="hunter2\nno end', 2, 'never closed'],
    [`A='one\ntwo' hunter2\n`, 2, 'behind a closing quote'],
    ['A=1\n=hunter2', 2, 'neither'],
  ])('names the line of %j', (text, line, why) => {
    const failure = refusal(text);
    expect(failure.line).toBe(line);
    expect(failure.why).toContain(why);
    expect(failure.why).not.toContain('hunter2');
  });
});

describe('JSON and YAML', () => {
  it('takes one object as fields, and keeps what is no text as JSON', () => {
    const parsed = parse('{"user":"app","port":5432,"tags":["a",{"b":null}]}');
    expect(parsed).toMatchObject({ format: 'json', shape: 'fields' });
    expect(parsed.entries[0]?.fields).toEqual([
      { name: 'user', kind: 'text', value: 'app' },
      { name: 'port', kind: 'json', value: '5432' },
      { name: 'tags', kind: 'json', value: '["a",{"b":null}]' },
    ]);
  });

  it('takes an object of objects as several secrets', () => {
    const parsed = parse(sample('services.json'));
    expect(parsed.shape).toBe('entries');
    expect(shown(parsed)).toEqual({ 'db > main': { username: 'app', password: 'x', port: '5432' }, cache: { password: 'y' } });
  });

  it('reads YAML, and keeps numbers that would be written otherwise as text', () => {
    const parsed = parse(sample('app.yaml'));
    expect(parsed).toMatchObject({ format: 'yaml', shape: 'fields' });
    expect(parsed.entries[0]?.fields).toEqual([
      { name: 'username', kind: 'text', value: 'app' },
      { name: 'password', kind: 'text', value: 'p: #w' },
      { name: 'port', kind: 'json', value: '5432' },
      { name: 'pin', kind: 'text', value: '0123' },
      { name: 'ratio', kind: 'text', value: '1.10' },
      { name: 'debug', kind: 'json', value: 'false' },
      { name: 'multi', kind: 'text', value: 'one\ntwo\n' },
      { name: 'hosts', kind: 'json', value: '["a","b"]' },
    ]);
  });

  it.each([
    ['{"a":"hunter2",\n"a":"x"}', 2, 'second time'],
    ['{"a":\n"\\ud800hunter2"}', 2, 'surrogate'],
    [`${'{"a":'.repeat(40)}1${'}'.repeat(40)}`, 1, 'deeper'],
    ['{"a":12345678901234567890}', 1, 'JSON'],
    ['{"__proto__":{"a":"hunter2"}}', 1, 'not allowed'],
    ['{"a":"b"} hunter2', 1, 'outside'],
    ['{"a":"hunter2"', 1, 'brackets'],
    ['[{"a":"hunter2"}]', undefined, 'list'],
    ['a: hunter2\na: x', 2, 'twice'],
    ['a: &x hunter2\nb: *x', 1, 'anchor'],
    ['a: !!js/function hunter2', 1, 'tag'],
    ['a: !secret hunter2', 1, 'tag'],
    ['a: "hunter2', 1, 'YAML'],
    ['a: b\n---\nc: hunter2', undefined, 'more than one'],
    ['? [a, b]\n: hunter2', undefined, ''],
    [`a: ${'['.repeat(5000)}`, 1, 'deeper'],
    [`a:\n${'- '.repeat(4000)}x`, 2, 'deeper'],
  ])('refuses %j', (text, line, why) => {
    const failure = refusal(text);
    expect(failure.why).toContain(why);
    if (line !== undefined) expect(failure.line).toBe(line);
    expect(failure.why).not.toContain('hunter2');
  });

  it('refuses a bomb of aliases without expanding it', () => {
    const bomb = ['a: &a [x, x, x, x, x, x, x, x, x]', ...'bcdefghi'.split('').map((name, at) => `${name}: &${name} [${Array.from({ length: 9 }, () => `*${'abcdefgh'.charAt(at)}`).join(', ')}]`)].join('\n');
    expect(refusal(bomb).why).toContain('anchor');
  });
});

describe('1Password', () => {
  it('reads what `op item get` puts out, one document behind the other', () => {
    const parsed = parse(sample('op-items.json'));
    expect(parsed).toMatchObject({ format: '1password-json', shape: 'entries', notes: ['attachments-left'] });
    expect(shown(parsed)).toEqual({
      'Private > GitHub': { username: 'octocat', password: 'correct horse "battery"', totp: 'otpauth://totp/GitHub:octocat?secret=JBSWY3DPEHPK3PXP&issuer=GitHub', 'Recovery/code': '11111-22222', url: 'https://github.com/login' },
      'Team > Büro-WLAN': { 'wireless network password': 'hunter2hunter2' },
    });
  });

  it('reads a list of the same items', () => {
    const [first = '', second = ''] = new TextDecoder().decode(sample('op-items.json')).split('\n}\n');
    expect(shown(parse(`[${first}\n},${second}\n}]`))).toEqual(shown(parse(sample('op-items.json'))));
  });

  it('says what to do with `op item list`, which has no values', () => {
    expect(refusal(sample('op-list.json')).why).toContain('op item get -');
  });

  it('reads the CSV of 1Password 8', () => {
    const parsed = parse(sample('1password.csv'));
    expect(parsed).toMatchObject({ format: '1password-csv', notes: ['empty-left'] });
    expect(shown(parsed)).toEqual({
      GitHub: { url: 'https://github.com', username: 'octocat', password: 'se"cret,1', totp: 'otpauth://totp/GitHub:octocat?secret=JBSWY3DPEHPK3PXP', notes: 'two\r\nlines' },
      Mail: { url: 'https://mail.example', username: 'me', password: 'pw2' },
    });
  });

  it('says what to export instead of .1pux', () => {
    expect(refusal(Uint8Array.of(0x50, 0x4b, 3, 4, 0, 0)).why).toContain('export CSV');
  });
});

describe('Bitwarden', () => {
  it('reads logins, notes, cards, keys and fields of one’s own', () => {
    const parsed = parse(sample('bitwarden.json'));
    expect(parsed.format).toBe('bitwarden-json');
    expect([...parsed.notes].sort()).toEqual(['deleted-left', 'history-left', 'passkeys-left', 'unusual-one-time-codes']);
    expect(shown(parsed)).toEqual({
      'Work > Servers > db01': { username: 'admin', password: 's3cret', totp: 'otpauth://totp/?secret=JBSWY3DPEHPK3PXP', url: 'https://db01.example', 'url-2': 'ssh://db01', port: '5432', pin: '9999', notes: 'root login' },
      Licence: { notes: 'AAAA-BBBB' },
      Visa: { cardholderName: 'A. Person', brand: 'Visa', number: '4111111111111111', expMonth: '1', expYear: '2030', code: '123' },
      Steam: { username: 'gamer', password: 'gg', 'one-time-code': 'steam://ABCDEFGH' },
      deploy: { privateKey: '-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNz\n-----END OPENSSH PRIVATE KEY-----\n', publicKey: 'ssh-ed25519 AAAA', keyFingerprint: 'SHA256:abc' },
    });
  });

  it('refuses an encrypted export and says which one to make', () => {
    expect(refusal(sample('bitwarden-encrypted.json')).why).toContain('encrypted Bitwarden export');
  });

  it('reads its CSV', () => {
    expect(shown(parse(sample('bitwarden.csv')))).toEqual({
      'Work > Servers > db01': { notes: 'root login', port: '5432', pin: '9999', url: 'https://db01.example', username: 'admin', password: 's3cret', totp: 'otpauth://totp/?secret=JBSWY3DPEHPK3PXP' },
      Licence: { notes: 'AAAA-BBBB' },
    });
  });
});

describe('KeePass', () => {
  it('reads the XML of 2.x with groups, entities, and three kinds of one-time codes', () => {
    const parsed = parse(sample('keepass.xml'));
    expect(parsed.format).toBe('keepass-xml');
    expect([...parsed.notes].sort()).toEqual(['attachments-left', 'deleted-left', 'history-left']);
    expect(shown(parsed)).toEqual({
      Router: { notes: 'a <note> & more\nsecond line', password: 'p"wAB ', url: 'https://192.168.1.1/', username: 'admin', totp: 'otpauth://totp/?secret=JBSWY3DPEHPK3PXP&algorithm=SHA256&digits=8' },
      'Web & Mail > Mail': { password: 'mailpw', totp: 'otpauth://totp/Mail:me?secret=JBSWY3DPEHPK3PXP&period=60' },
      'Web & Mail > Old plug-in': { totp: 'otpauth://totp/?secret=JBSWY3DPEHPK3PXP&digits=6&period=30' },
    });
  });

  it('reads the CSV of KeePass 1.x and of KeePassXC', () => {
    expect(shown(parse(sample('keepass1.csv')))).toEqual({ Router: { username: 'admin', password: 'p"w\\1', url: 'https://192.168.1.1/', notes: 'a note' } });
    expect(shown(parse(sample('keepassxc.csv')))).toEqual({ 'Root > Web > Mail': { username: 'me', password: 'mail"pw', url: 'https://mail.example', totp: 'otpauth://totp/Mail:me?secret=JBSWY3DPEHPK3PXP&period=30&digits=6' } });
  });

  const file = (inside: string): string => `<?xml version="1.0"?>\n<KeePassFile><Root><Group>${inside}</Group></Root></KeePassFile>`;
  it.each([
    ['<?xml version="1.0"?>\n<!DOCTYPE x [<!ENTITY a "hunter2">]><KeePassFile>&a;</KeePassFile>', 2, 'document type'],
    [file('<Entry><String><Key>Password</Key><Value>&xxe;hunter2</Value></String></Entry>'), undefined, 'entity'],
    [file('<Entry><String><Key>Password</Key><Value>&constructor;hunter2</Value></String></Entry>'), undefined, 'entity'],
    [file('<Entry><String><Key>Password</Key><Value>&#xD800;hunter2</Value></String></Entry>'), undefined, 'entity'],
    [file('<Entry><String><Key>Password</Key><Value Protected="True">aHVudGVyMg==</Value></String></Entry>'), undefined, 'still encrypted'],
    [file('<Entry>\nhunter2'), 3, 'no XML'],
    ['<html><body>hunter2</body></html>', undefined, 'no KeePass'],
    [file(`${'<Group>'.repeat(5000)}hunter2${'</Group>'.repeat(5000)}`), undefined, 'deeper'],
  ])('refuses %#', (text, line, why) => {
    const failure = refusal(text);
    expect(failure.why).toContain(why);
    if (line !== undefined) expect(failure.line).toBe(line);
    expect(failure.why).not.toContain('hunter2');
  });

  it('says what to export instead of a database', () => {
    expect(refusal(Uint8Array.of(0x03, 0xd9, 0xa2, 0x9a, 0x67, 0xfb, 0x4b, 0xb5)).why).toContain('export it as KeePass XML');
  });
});

it.each(['constructor', 'toString', 'valueOf', '__proto__', 'hasOwnProperty'])('takes a field called %s for what it is', (name) => {
  const xml = `<?xml version="1.0"?>\n<KeePassFile><Root><Group><Entry><String><Key>Title</Key><Value>a</Value></String><String><Key>${name}</Key><Value>x</Value></String></Entry></Group></Root></KeePassFile>`;
  expect(parse(xml).entries[0]?.fields).toMatchObject([{ name, value: 'x' }]);
  expect(parse(`Title,Password,OTPAuth,${name}\na,,,x\n`).entries[0]?.fields).toMatchObject([{ name: name.toLowerCase(), value: 'x' }]);
});

it('gives every seed of one-time codes in the form that GetOneTimeCode reads', () => {
  const seeds = ['op-items.json', '1password.csv', 'bitwarden.json', 'bitwarden.csv', 'keepass.xml', 'keepassxc.csv'].flatMap((name) => parse(sample(name)).entries.flatMap(({ fields }) => fields.filter((field) => field.name === 'totp').map(({ value }) => value)));
  expect(seeds).toHaveLength(8);
  const read = seeds.map((seed) => {
    const { key, ...rest } = oneTimeSeed(seed);
    return { key: key.borrow((plain) => Buffer.from(plain).toString('hex')), ...rest };
  });
  // `Hello!` and 0xdeadbeef: the example of the Key Uri Format.
  for (const { key } of read) expect(key).toBe('48656c6c6f21deadbeef');
  expect(new Set(read.map(({ digits, period, hash }) => `${hash}/${String(digits)}/${String(period)}`))).toEqual(new Set(['sha1/6/30', 'sha256/8/30', 'sha1/6/60']));
});

describe('what no reader lets through', () => {
  it.each([
    [bytes('A=1\nB=x\0hunter2'), 2, 'NUL'],
    [Uint8Array.of(0x41, 0x3d, 0x31, 0x0a, 0x42, 0x3d, 0xc3, 0x28), 2, 'not UTF-8'],
    [Uint8Array.of(0xff, 0xfe, 0x41, 0), undefined, 'UTF-16'],
    [bytes(''), undefined, 'nothing'],
    [bytes('\n# only a comment\n'), undefined, 'nothing'],
    [bytes('{}'), undefined, 'nothing'],
    [bytes('{"a":{}}'), undefined, 'nothing'],
    [bytes('{"a":"b"} "hunter2"'), 1, 'outside of objects'],
    [bytes('{"":"hunter2"}'), undefined, 'name is empty'],
    [bytes('{"a":"x\\u0000hunter2"}'), undefined, 'NUL'],
    [bytes('hunter2 hunter2'), 1, 'no `.env`'],
    [bytes('Title,Password,OTPAuth\nA,"hunter2,x'), 2, 'never closed'],
    [bytes('Title,Password,OTPAuth\nA,"hunter2"x,\n'), 2, 'behind a closing quote'],
    [bytes('Title,Password,OTPAuth\nA,hunter2,,\n'), 2, 'more values'],
    [bytes('Title,Password,OTPAuth,Title\nA,hunter2,,\n'), 1, 'column'],
    [new Uint8Array(16 * 1024 * 1024 + 1).fill(0x41), undefined, '16 MiB'],
    [bytes(`{${Array.from({ length: 20_001 }, (_, at) => `"k${String(at)}":{"a":"hunter2"}`).join(',')}}`), undefined, '20000 entries'],
  ])('%#', (given, line, why) => {
    const failure = refusal(given);
    expect(failure.why).toContain(why);
    expect(failure.line).toBe(line);
    expect(failure.why).not.toContain('hunter2');
  });
});
