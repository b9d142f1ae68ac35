/** Lines of Redis's access control list (Redis, "ACL"), read and written. Pure. */
import { createHash } from 'node:crypto';

/** What the list keeps of a password: SHA-256, hex, unsalted. */
export const passwordHash = (password: string): string => createHash('sha256').update(password).digest('hex');

/** Names with a space or a bracket cannot be told from rules in a line of `ACL LIST`. */
export const isPlainName = (name: string): boolean => /^[^\s()\u0000-\u001f]+$/u.test(name);

const PASSWORD = /^(?:#[0-9a-f]{64}|nopass|resetpass)$/;

/** The rules of a user from `ACL LIST`, without its passwords. Undefined when it has no line, or one that is not understood. */
export function rulesOf(lines: readonly unknown[], username: string): readonly string[] | undefined {
  const line = lines.find((one): one is string => typeof one === 'string' && one.startsWith(`user ${username} `));
  if (line === undefined) return undefined;
  const rules = line.split(' ').slice(2).filter((rule) => rule !== '' && !PASSWORD.test(rule));
  return rules.every((rule) => !/[>#<!]/.test(rule.charAt(0))) ? rules : undefined;
}

/** The passwords of a user from `ACL GETUSER`: a flat list of names and values (RESP2). */
export function passwordsOf(reply: unknown): { readonly hashes: readonly string[]; readonly open: boolean } | undefined {
  if (!Array.isArray(reply)) return undefined;
  const list = reply as readonly unknown[];
  const after = (name: string): readonly unknown[] => {
    const value = list[list.findIndex((one, i) => i % 2 === 0 && one === name) + 1];
    return Array.isArray(value) ? (value as readonly unknown[]) : [];
  };
  return { hashes: after('passwords').filter((one): one is string => typeof one === 'string'), open: after('flags').includes('nopass') };
}
