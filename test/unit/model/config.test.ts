import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { changeConfig, isConfig, readConfig, withVault } from '../../../src/shared/model/config.ts';

const USUAL = { vaults: [], window: { theme: 'system', clipboardSeconds: 30, notifications: true, singleLetterKeys: true } };

describe('config.json', () => {
  it.each([undefined, '', '{', '[]', 'null', '7', '"x"', '{"vaults":7,"last":[],"window":"dark"}', '{"window":{"theme":"DARK","clipboardSeconds":"30","notifications":1}}'])('is as usual where it says %j', (text) => {
    expect(readConfig(text)).toEqual(USUAL);
  });

  it('is read field by field: one that is wrong takes no other with it', () => {
    const text = '{"vaults":[1,"/a",null],"last":"/a","window":{"theme":"dark","clipboardSeconds":-1,"notifications":false}}';
    expect(readConfig(text)).toEqual({ vaults: ['/a'], last: '/a', window: { theme: 'dark', clipboardSeconds: 30, notifications: false, singleLetterKeys: true } });
  });

  it.each([0, 1, 600])('takes %d seconds', (clipboardSeconds) => {
    expect(readConfig(JSON.stringify({ window: { clipboardSeconds } })).window.clipboardSeconds).toBe(clipboardSeconds);
  });
  it.each([-1, 0.5, 601, 1e300, Number.MAX_SAFE_INTEGER])('does not take %d seconds', (clipboardSeconds) => {
    expect(readConfig(JSON.stringify({ window: { clipboardSeconds } })).window.clipboardSeconds).toBe(30);
  });

  it('keeps what it does not know, inside and out', () => {
    const text = '{"later":{"a":[1]},"window":{"zoom":2,"theme":"light"},"vaults":["/a"],"last":"/a"}';
    expect(JSON.parse(changeConfig(text, { window: { theme: 'dark' } }))).toEqual({ later: { a: [1] }, window: { zoom: 2, theme: 'dark' }, vaults: ['/a'], last: '/a' });
    expect(JSON.parse(changeConfig(text, withVault(readConfig(text), '/b')))).toEqual({ later: { a: [1] }, window: { zoom: 2, theme: 'light' }, vaults: ['/a', '/b'], last: '/b' });
  });

  it('knows a vault once, and forgets the last one', () => {
    const text = changeConfig(undefined, withVault(readConfig('{"vaults":["/a","/b"]}'), '/a'));
    expect(readConfig(text)).toEqual({ ...USUAL, vaults: ['/a', '/b'], last: '/a' });
    expect(readConfig(changeConfig(text, { vaults: ['/b'], last: undefined }))).toEqual({ ...USUAL, vaults: ['/b'] });
  });

  it('a prototype in the text is a field like another', () => {
    const text = '{"__proto__":{"window":{"theme":"dark"}},"window":{"__proto__":{"theme":"dark"}}}';
    expect(readConfig(text)).toEqual(USUAL);
    expect(changeConfig(text, { last: '/a' })).toContain('__proto__');
    expect(({} as Record<string, unknown>)['window']).toBeUndefined();
  });

  it('whatever the text is: reads, and what is changed is read back', () => {
    const json = fc.oneof(fc.string(), fc.json(), fc.record({ vaults: fc.anything(), last: fc.anything(), window: fc.anything() }, { requiredKeys: [] }).map((value) => JSON.stringify(value)));
    fc.assert(
      fc.property(json, fc.constantFrom('system' as const, 'dark' as const, 'light' as const), fc.integer({ min: 0, max: 600 }), (text, theme, clipboardSeconds) => {
        const before = readConfig(text);
        const changed = changeConfig(text, { window: { theme, clipboardSeconds } });
        expect(isConfig(changed)).toBe(true);
        expect(readConfig(changed)).toEqual({ ...before, window: { ...before.window, theme, clipboardSeconds } });
      }),
      { numRuns: 2000 },
    );
  });
});
