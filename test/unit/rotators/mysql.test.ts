/** What MySQL and MariaDB are told: hashes, and statements made of the server's own. */
import { createPublicKey, verify } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { accountOf, grantFor, mayManageUsers, pluginOf, quoteAccount, quoteText } from '../../../src/main/rotators/mysql-accounts.ts';
import { ed25519Hash, ed25519Sign, nativeHash } from '../../../src/main/rotators/mysql-passwords.ts';

describe('hashes', () => {
  it('are those of the servers’ documentation', () => {
    // MySQL 5.7 Reference Manual, PASSWORD(): 'mypass'; MariaDB Knowledge Base, "Authentication Plugin - ed25519": 'secret'.
    expect(nativeHash('mypass')).toBe('*6C8989366EAF75BB670AD8EA7A7FC1176A95CEF4');
    expect(ed25519Hash('secret')).toBe('ZIgUREUg5PVgQ6LskhXmO+eZLS0nC8be6HPjYWR4YJY');
  });

  it('sign so that the public key verifies', () => {
    fc.assert(
      fc.property(fc.string({ minLength: 1 }), fc.uint8Array({ minLength: 32, maxLength: 32 }), (password, nonce) => {
        const key = createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x: Buffer.from(ed25519Hash(password), 'base64').toString('base64url') }, format: 'jwk' });
        expect(verify(null, nonce, key, ed25519Sign(password, nonce))).toBe(true);
      }),
      { numRuns: 20 },
    );
  });
});

const OTHER = { user: "o'k", host: '%' };

describe('statements', () => {
  it('quote every text', () => {
    expect([quoteText("a'b\\c"), quoteAccount({ user: 'x', host: '10.%' })]).toEqual(["'a\\'b\\\\c'", "'x'@'10.%'"]);
    // What is between the quotes ends there: an even number of backslashes before each unescaped quote.
    fc.assert(fc.property(fc.string({ unit: 'binary' }), (text) => /^'(?:[^'\\]|\\.)*'$/su.test(quoteText(text))));
    expect([accountOf('a@b@%'), accountOf('@%'), accountOf('a@'), accountOf(null), accountOf('a')]).toEqual([{ user: 'a@b', host: '%' }, undefined, undefined, undefined, undefined]);
  });

  it.each([
    ['GRANT USAGE ON *.* TO `app`@`%` IDENTIFIED BY PASSWORD \'*2B60\' REQUIRE SSL WITH GRANT OPTION', "GRANT USAGE ON *.* TO 'o\\'k'@'%' REQUIRE SSL WITH GRANT OPTION"],
    ["GRANT USAGE ON *.* TO `app`@`%` IDENTIFIED VIA unix_socket OR ed25519 USING 'x REQUIRE y'", "GRANT USAGE ON *.* TO 'o\\'k'@'%'"],
    ['GRANT SELECT (`TO`), INSERT ON `x`` TO ``y`.`t` TO `app`@`%` WITH MAX_QUERIES_PER_HOUR 5', "GRANT SELECT (`TO`), INSERT ON `x`` TO ``y`.`t` TO 'o\\'k'@'%' WITH MAX_QUERIES_PER_HOUR 5"],
    ['GRANT `r`,`s` TO `app`@`%` WITH ADMIN OPTION', "GRANT `r`,`s` TO 'o\\'k'@'%' WITH ADMIN OPTION"],
    ['SET DEFAULT ROLE `r` FOR `app`@`%`', "SET DEFAULT ROLE `r` FOR 'o\\'k'@'%'"],
    ['REVOKE INSERT ON `a`.* FROM `app`@`%`', "REVOKE INSERT ON `a`.* FROM 'o\\'k'@'%'"],
    ["GRANT PROXY ON ''@'%' TO 'root'@'localhost' WITH GRANT OPTION", "GRANT PROXY ON ''@'%' TO 'o\\'k'@'%' WITH GRANT OPTION"],
  ])('grant the same to another: %s', (line, grant) => {
    expect(grantFor(line, OTHER)).toBe(grant);
  });

  it.each(['', 'DROP USER `app`', 'GRANT', 'GRANT SELECT ON a.b TO app', 'GRANT SELECT ON a.b TO `app`@`%`; DROP TABLE x', 'GRANT SELECT ON a.b TO `app`@`%` AND MORE', "GRANT SELECT ON `a.b TO `app`@`%`", 'SET PASSWORD = 1'])('run nothing that is not understood: %s', (line) => {
    expect(grantFor(line, OTHER)).toBeUndefined();
  });

  it('take any bytes without an error', () => {
    const word = fc.constantFrom('GRANT', 'TO', 'ON', '`a`', "'b'", '@', '*', '.', 'IDENTIFIED', 'VIA', 'ed25519', 'OR', 'WITH', '"', '`', "'", '\\', ' ', '\u2028', '🔑');
    fc.assert(
      fc.property(fc.oneof(fc.string({ unit: 'binary' }), fc.array(word, { maxLength: 20 }).map((words) => words.join(' '))), (line) => {
        pluginOf(line);
        mayManageUsers([line]);
        // What comes out names the other account, at its one place.
        const grant = grantFor(line, OTHER);
        return grant === undefined || grant.includes("'o\\'k'@'%'");
      }),
      { numRuns: 500 },
    );
  });
});

describe('an account', () => {
  it.each([
    ["CREATE USER `app`@`%` IDENTIFIED BY PASSWORD '*2B60'", 'mysql_native_password'],
    ["CREATE USER `ed`@`%` IDENTIFIED VIA ed25519 USING '9Ia'", 'ed25519'],
    ["CREATE USER `m`@`localhost` IDENTIFIED VIA unix_socket OR mysql_native_password USING '*2B'", 'mysql_native_password'],
    ["CREATE USER `m`@`localhost` IDENTIFIED VIA ed25519 USING 'x' OR mysql_native_password USING '*2B'", undefined],
    ['CREATE USER `m`@`localhost` IDENTIFIED VIA unix_socket', undefined],
    ['CREATE USER `IDENTIFIED VIA ed25519`@`%` IDENTIFIED VIA pam', undefined],
    ['CREATE USER `open', undefined],
  ])('logs in by what stands outside of its name: %s', (line, plugin) => {
    expect(pluginOf(line)).toBe(plugin);
  });

  it('may manage users when it may make them and pass its rights on', () => {
    expect(mayManageUsers(['GRANT ALL PRIVILEGES ON *.* TO `root`@`%` WITH GRANT OPTION'])).toBe(true);
    expect(mayManageUsers(['GRANT SELECT, CREATE USER ON *.* TO `m`@`%`', 'GRANT ALL PRIVILEGES ON `shop`.* TO `m`@`%` WITH GRANT OPTION'])).toBe(true);
    for (const lines of [[], ['GRANT CREATE USER ON *.* TO `m`@`%`'], ['GRANT ALL PRIVILEGES ON `shop`.* TO `m`@`%` WITH GRANT OPTION'], ['GRANT `CREATE USER` TO `WITH GRANT OPTION`@`%`']]) expect(mayManageUsers(lines)).toBe(false);
  });
});
