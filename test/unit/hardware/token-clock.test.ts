/** A token's own clock as CK_TOKEN_INFO has it (PKCS #11 v3.0 section 3.2): YYYYMMDDhhmmss and two reserved characters. */
import { describe, expect, it } from 'vitest';
import { judgeClock } from '../../../src/main/hardware/token-clock.ts';

const NOW = Date.UTC(2026, 11, 1, 9, 30);

describe('a token’s clock', () => {
  it.each([['2026120109300000'], ['20261201093000'], ['2026120109330000'], ['2026120109270000']])('is right within five minutes: %s', (said) => {
    expect(judgeClock(said, NOW).state).toBe('right');
  });
  it.each([['2026120109350100'], ['2026120109245900'], ['1970010100000000'], ['9999123123595900']])('is off beyond them: %s', (said) => {
    expect(judgeClock(said, NOW)).toEqual({ state: 'off', at: expect.any(Number) as number });
  });
  it.each([[''], ['0000000000000000'], ['2026023100000000'], ['2026130100000000'], ['2026120124000000'], ['2026120109600000'], ['202612010930'], ['no time'], ['\ufffd\ufffd'], ['20261201093000Z0']])('says no time: `%s`', (said) => {
    expect(judgeClock(said, NOW)).toEqual({ state: 'unreadable' });
  });
});
