/**
 * GetRandomPassword: AWS's options and alphabets. Source: AWS Secrets Manager API Reference, GetRandomPassword. Pure, but for the
 * random bytes that it is given.
 */
import { VaultError } from '../../shared/model/errors.ts';
import { SecretBytes } from '../../shared/model/secret-bytes.ts';
import type { Random } from '../platform/ports.ts';

export interface PasswordOptions {
  /** 1 to 4,096. */
  readonly length: number;
  readonly excludeCharacters: string;
  readonly excludeNumbers: boolean;
  readonly excludePunctuation: boolean;
  readonly excludeUppercase: boolean;
  readonly excludeLowercase: boolean;
  readonly includeSpace: boolean;
  readonly requireEachIncludedType: boolean;
}

const LOWER = 'abcdefghijklmnopqrstuvwxyz';
const UPPER = LOWER.toUpperCase();
const DIGITS = '0123456789';
const PUNCTUATION = '!"#$%&\'()*+,-./:;<=>?@[\\]^_`{|}~';

/** A byte below `size`, each with the same chance. */
export function draw(random: Random, size: number): number {
  const limit = 256 - (256 % size);
  for (;;) {
    const [byte = 255] = random.bytes(1);
    if (byte < limit) return byte % size;
  }
}

/**
 * ASCII; the caller's to dispose of. Every password that fits the options is as likely as any other: one that lacks a type is drawn
 * anew as a whole. InvalidParameterException when nothing is left to draw from, or it is too short for one of each type.
 */
export function randomPassword(random: Random, options: PasswordOptions): SecretBytes {
  const left = (characters: string, excluded: boolean): string => (excluded ? '' : Array.from(characters).filter((one) => !options.excludeCharacters.includes(one)).join(''));
  const types = [
    left(LOWER, options.excludeLowercase),
    left(UPPER, options.excludeUppercase),
    left(DIGITS, options.excludeNumbers),
    left(PUNCTUATION, options.excludePunctuation),
  ].filter((one) => one !== '');
  const alphabet = types.join('') + left(' ', !options.includeSpace);
  if (alphabet === '') throw new VaultError('InvalidParameterException', 'no characters are left to make a password of; exclude fewer');
  const required = options.requireEachIncludedType ? types : [];
  if (options.length < required.length) throw new VaultError('InvalidParameterException', `\`PasswordLength\` must be at least ${String(required.length)} to hold one of each type`);
  const codes = Uint8Array.from(alphabet, (one) => one.charCodeAt(0));
  const tests = required.map((type) => new Set(Array.from(type, (one) => one.charCodeAt(0))));
  const password = SecretBytes.allocate(options.length);
  password.borrow((bytes) => {
    do {
      for (let at = 0; at < bytes.length; at++) bytes[at] = codes[draw(random, codes.length)] ?? 0;
    } while (!tests.every((type) => bytes.some((byte) => type.has(byte))));
  });
  return password;
}
