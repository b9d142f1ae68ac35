import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { closest, GLOBAL_FLAGS, listOf, parseFlags, splitCommand, switchOf, textOf, type Flag } from '../../../src/cli/arguments.ts';
import type { Field } from '../../../src/shared/api/describe.ts';
import { parseBase64, parseInteger, parseMap, parseNumber, parseStructure } from '../../../src/cli/shorthand.ts';
import { CliError } from '../../../src/cli/world.ts';

const FLAGS: readonly Flag[] = [
  { name: 'key-id', takes: 'value', about: '' },
  { name: 'limit', takes: 'value', about: '' },
  { name: 'out', takes: 'value', repeat: true, about: '' },
  { name: 'multi-region', takes: 'negatable', about: '' },
  { name: 'force', takes: 'switch', about: '' },
  { name: 'password', takes: 'secret', about: '', instead: 'type it when asked' },
];

const failure = (work: () => unknown): string => {
  try {
    work();
  } catch (error) {
    if (error instanceof CliError) return error.message;
    throw error;
  }
  return 'no failure';
};

describe('parseFlags', () => {
  it('reads values after a space or an equals sign', () => {
    expect(textOf(parseFlags(['--key-id', 'a'], FLAGS), 'key-id')).toBe('a');
    expect(textOf(parseFlags(['--key-id=--x=y'], FLAGS), 'key-id')).toBe('--x=y');
    expect(textOf(parseFlags(['--key-id='], FLAGS), 'key-id')).toBe('');
    expect(textOf(parseFlags(['--key-id', '-'], FLAGS), 'key-id')).toBe('-');
    expect(textOf(parseFlags(['--key-id', '-5'], FLAGS), 'key-id')).toBe('-5');
  });

  it('reads switches, both ways where both are meant', () => {
    const values = parseFlags(['--no-multi-region', '--force'], FLAGS);
    expect([switchOf(values, 'multi-region'), switchOf(values, 'force'), switchOf(values, 'help')]).toEqual([false, true, undefined]);
  });

  it('collects what may be repeated', () => {
    expect(listOf(parseFlags(['--out', 'a', '--out=b'], FLAGS), 'out')).toEqual(['a', 'b']);
  });

  it('fills positionals in order, and takes anything after two hyphens as one', () => {
    const values = parseFlags(['a', '--limit', '1', '--', '--b'], FLAGS, ['key-id', 'out']);
    expect([textOf(values, 'key-id'), textOf(values, 'out')]).toEqual(['a', '--b']);
  });

  it.each([
    [['--key-id'], /needs a value/],
    [['--key-id', '--force'], /needs a value/],
    [['--key-id', 'a', '--key-id', 'b'], /given twice/],
    [['--force=yes'], /takes no value/],
    [['--no-force'], /no flag --no-force/],
    [['--keyid', 'x'], /is it --key-id/],
    [['-k', 'x'], /two hyphens/],
    [['x'], /a word too many/],
    [['--password', 'hunter2'], /seen by other programs/],
    [['--password=hunter2'], /seen by other programs/],
  ])('refuses %j', (tokens, expected) => {
    const message = failure(() => parseFlags(tokens, FLAGS));
    expect(message).toMatch(expected);
    expect(message).not.toContain('hunter2');
  });

  it('gives every value back as it was written, in any order of the flags', () => {
    const value = fc.string({ unit: 'binary' }).filter((text) => !text.includes('\0'));
    fc.assert(
      fc.property(fc.record({ 'key-id': value, limit: value, out: value }), fc.shuffledSubarray(['key-id', 'limit', 'out'], { minLength: 1 }), fc.boolean(), (texts, names, spaced) => {
        const tokens = names.flatMap((name) => {
          const text = texts[name as keyof typeof texts];
          return spaced && !text.startsWith('--') ? [`--${name}`, text] : [`--${name}=${text}`];
        });
        const values = parseFlags(tokens, FLAGS);
        for (const name of names) expect(textOf(values, name)).toBe(texts[name as keyof typeof texts]);
      }),
    );
  });

  it('fails on hostile arguments with a usage error only', () => {
    const token = fc.oneof(fc.string(), fc.constantFrom('--', '-', '--key-id', '--no-multi-region', '--force', '--=', '--no-', '--password=x', '-h'));
    fc.assert(
      fc.property(fc.array(token, { maxLength: 8 }), (tokens) => {
        expect(failure(() => parseFlags(tokens, [...FLAGS, ...GLOBAL_FLAGS], ['key-id']))).toEqual(expect.any(String));
      }),
      { numRuns: 2000 },
    );
  });
});

describe('splitCommand', () => {
  const known = (words: readonly string[]): boolean => ['kms', 'kms encrypt', 'lock'].includes(words.join(' '));
  it('takes global flags before the command, and the longest command', () => {
    expect(splitCommand(['--vault', 'kms', '--debug', 'kms', 'encrypt', '--key-id', 'kms'], known)).toEqual({ words: ['kms', 'encrypt'], rest: ['--vault', 'kms', '--debug', '--key-id', 'kms'] });
    expect(splitCommand(['lock', 'lock'], known)).toEqual({ words: ['lock'], rest: ['lock'] });
    expect(splitCommand(['nothing'], known)).toEqual({ words: [], rest: ['nothing'] });
  });
});

describe('parseMap', () => {
  it.each([
    ['a=b', { a: 'b' }],
    ['a=b,c=d=e', { a: 'b', c: 'd=e' }],
    ['a=', { a: '' }],
    ['a="x,y",b=\'p,q\'', { a: 'x,y', b: 'p,q' }],
    ['a="say \\"hi\\"\\\\"', { a: 'say "hi"\\' }],
    ['{"a":"b=c,d"}', { a: 'b=c,d' }],
  ])('reads %s', (text, expected) => {
    expect(parseMap('encryption-context', text)).toEqual(expected);
  });

  it.each(['', 'a', '=b', 'a=b,', 'a=b,c', 'a=b,a=c', 'a="b', 'a="b"c', '{"a":1}', '{"a":', '[1]', '__proto__=x', '{"constructor":"x"}'])('refuses %j', (text) => {
    expect(failure(() => parseMap('encryption-context', text))).toMatch(/^--encryption-context/);
  });

  it('reads back what it was made of', () => {
    const key = fc.stringMatching(/^[A-Za-z0-9:/_.-]{1,12}$/);
    const quote = (text: string): string => `"${text.replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"`;
    fc.assert(
      fc.property(fc.dictionary(key, fc.string(), { minKeys: 1, noNullPrototype: true }), (pairs) => {
        const forbidden = ['__proto__', 'constructor', 'prototype'];
        fc.pre(!Object.keys(pairs).some((name) => forbidden.includes(name)));
        const text = Object.entries(pairs).map(([name, value]) => `${name}=${quote(value)}`).join(',');
        expect(parseMap('x', text)).toEqual(pairs);
        expect(parseMap('x', JSON.stringify(pairs))).toEqual(pairs);
      }),
    );
  });
});

describe('parseStructure', () => {
  const member = (name: string, kind: Field['kind']): Field => ({ name, flag: name, kind, required: false, about: '' });
  const members = [member('Key', 'string'), member('Values', 'list'), member('Days', 'integer'), member('On', 'boolean')];

  it.each([
    ['Key=a', { Key: 'a' }],
    ['Key=a,Days=30,On=true', { Key: 'a', Days: 30, On: true }],
    ['Key="a,b",Other=c=d', { Key: 'a,b', Other: 'c=d' }],
    ['Key=name,Values=a,b,c', { Key: 'name', Values: ['a', 'b', 'c'] }],
    ['Values=a,Key=name', { Values: ['a'], Key: 'name' }],
    ['Values=[a,b],Key=name', { Values: ['a', 'b'], Key: 'name' }],
  ])('reads %s', (text, expected) => {
    expect(parseStructure('filters', text, members)).toEqual(expected);
  });

  it.each(['', 'a', '=b', 'Key=a,', 'Key=a,b', 'Key=a,Key=b', 'Key="a', 'Days=x', '__proto__=x', 'constructor=x'])('refuses %j', (text) => {
    expect(failure(() => parseStructure('filters', text, members))).toMatch(/^--filters/);
  });
});

describe('numbers and base64', () => {
  it('takes whole decimal numbers only', () => {
    expect([parseInteger('n', '0'), parseInteger('n', '-7'), parseInteger('n', '9007199254740991')]).toEqual([0, -7, Number.MAX_SAFE_INTEGER]);
    for (const text of ['', '01', '1e3', '0x1', '1.0', ' 1', '9007199254740992', 'NaN']) expect(failure(() => parseInteger('n', text))).toMatch(/whole number/);
    expect(parseNumber('n', '1.5')).toBe(1.5);
    expect(failure(() => parseNumber('n', 'Infinity'))).toMatch(/number/);
  });

  it('says how to give raw bytes in place of base64', () => {
    expect(parseBase64('signature', ' AQI=\n')).toEqual(Uint8Array.of(1, 2));
    expect(failure(() => parseBase64('signature', 'AQI'))).toMatch(/fileb:\/\//);
  });
});

it('suggests what is near', () => {
  expect([closest('kms encrpt', ['kms encrypt', 'kms decrypt']), closest('zebra', ['lock'])]).toEqual(['kms encrypt', undefined]);
});
