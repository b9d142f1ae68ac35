/** Certificates on a token in words: names that were made to mislead, dates, and which key one goes with. */
import { expect, it } from 'vitest';
import { certificateName, fileName, goesWith, spanOf } from '../../../src/renderer/hardware/certificate-words.ts';

const one = { Id: '01', Label: 'label', State: 'readable' } as const;

it('is called by its last common name, and by no name within another', () => {
  const nameOf = (Subject?: string): string => certificateName(Subject === undefined ? one : { ...one, Subject });
  expect(nameOf('C=DE, O=Acme, CN=build.acme.example')).toBe('build.acme.example');
  expect(nameOf('CN=outer, OU=x, CN=inner')).toBe('inner');
  expect(nameOf('O=evil\\, CN=bank')).toBe('O=evil\\, CN=bank');
  expect(nameOf('O=evil\\\\, CN=real')).toBe('real');
  expect(nameOf('')).toBe('label');
  expect(nameOf()).toBe('label');
  expect(certificateName({ ...one, Label: '' })).toBe('No name');
});

it('is saved under a name that a file can have', () => {
  for (const [name, file] of [['../../etc/passwd', 'etc-passwd.pem'], ['.hidden', 'hidden.pem'], ['*.acme.example', 'acme.example.pem'], ['käse', 'k-se.pem'], ['☃', 'certificate.pem']] as const) expect(fileName({ ...one, Subject: `CN=${name}` })).toBe(file);
  expect(fileName({ ...one, Subject: `CN=${'a'.repeat(300)}` })).toHaveLength(84);
});

it('says when it ends, when that is soon, and that it has', () => {
  const at = Date.UTC(2026, 5, 15, 12);
  const days = (from: number, until: number) => spanOf({ ...one, NotBefore: at / 1000 + from * 86_400, NotAfter: at / 1000 + until * 86_400 }, at);
  expect(days(-1, 31)?.[1]).toBe('plain');
  expect(days(-1, 29)?.[1]).toBe('warn');
  expect(days(-9, -1)).toEqual([expect.stringMatching(/^Expired /), 'danger']);
  expect(days(1, 31)).toEqual([expect.stringMatching(/^Not valid before /), 'warn']);
  expect(spanOf(one, at)).toBeUndefined();
});

it('is said to certify a key where the public keys were compared, and nowhere else', () => {
  expect(goesWith({ ...one, Of: { Id: '01', Match: 'publicKey' } }, 'build')).toEqual([expect.stringMatching(/^Certifies build/), true]);
  expect(goesWith({ ...one, Of: { Id: '01', Match: 'id' } }, 'build')[0]).not.toMatch(/certifies/i);
  expect(goesWith({ ...one, Of: { Id: '01', Match: 'otherKey' } }, 'build')).toEqual(['Has the id of build, and certifies another key', false]);
  expect(goesWith(one, undefined)).toEqual(['Goes with no key on this token', true]);
});
