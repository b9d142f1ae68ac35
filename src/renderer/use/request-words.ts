/** A certificate request as it is written down: names sorted by what they are, what it will say, and the same on the command line. Pure. */
import type { Input } from '../../shared/api/index.ts';
import { algorithmOf, offered, type Algorithm, type KeySpec } from '../../shared/model/algorithms.ts';
import { quoted } from './command.ts';

export type RequestInput = Omit<Input<'file:GenerateCertificateRequest'>, 'KeyId' | 'SigningAlgorithm'>;
type Subject = Omit<RequestInput, 'DnsNames' | 'IpAddresses' | 'Emails'>;
export type SubjectPart = keyof Subject;

/** In the order in which people fill it in. RFC 5280 appendix A.1: characters at the most. */
export const PARTS: readonly (readonly [part: SubjectPart, label: string, short: string, most: number])[] = [
  ['CommonName', 'Common name', 'CN', 64],
  ['Organization', 'Organization', 'O', 64],
  ['OrganizationalUnit', 'Unit', 'OU', 64],
  ['Locality', 'City', 'L', 128],
  ['State', 'State or province', 'ST', 128],
  ['Country', 'Country', 'C', 2],
];

const isAddress = (text: string): boolean => text.includes(':') || /^\d{1,3}(?:\.\d{1,3}){3}$/.test(text);

/** One a line, or with commas or spaces between them. What each is shows by its form; whether it is one the vault says. */
export function namesIn(text: string): Pick<RequestInput, 'DnsNames' | 'IpAddresses' | 'Emails'> {
  const all = [...new Set(text.split(/[\s,;]+/).filter((name) => name !== ''))];
  const Emails = all.filter((name) => name.includes('@'));
  const IpAddresses = all.filter((name) => !name.includes('@') && isAddress(name));
  return { DnsNames: all.filter((name) => !Emails.includes(name) && !IpAddresses.includes(name)), IpAddresses, Emails };
}

/** What it will say, a line each; empty where it says nothing yet. */
export function saying(input: RequestInput): readonly (readonly [what: string, value: string])[] {
  const subject = PARTS.flatMap(([part, , short]) => (input[part] === undefined ? [] : [`${short}=${input[part]}`]));
  const lines: readonly (readonly [string, readonly string[]])[] = [['Subject', subject.length === 0 ? [] : [subject.join(', ')]], ['Host names', input.DnsNames], ['IP addresses', input.IpAddresses], ['E-mail addresses', input.Emails]];
  return lines.flatMap(([what, values]) => (values.length === 0 ? [] : [[what, values.join(', ')] as const]));
}

/** As `access/certificate-request.ts` has it. */
const SCHEMES: ReadonlySet<string> = new Set(['pkcs1', 'pss', 'ecdsa', 'ed25519']);
/** Algorithms that sign requests, the one that authorities take most readily first. */
export function requestAlgorithms(spec: KeySpec): readonly Algorithm[] {
  const all = offered(spec, 'SIGN_VERIFY').filter((name) => SCHEMES.has(algorithmOf(name).scheme));
  return [...all.filter((name) => algorithmOf(name).scheme !== 'pss'), ...all.filter((name) => algorithmOf(name).scheme === 'pss')];
}

const flagOf = (name: string): string => `--${name.replace(/([a-z])([A-Z])/g, '$1-$2').toLowerCase()}`;
export function requestCommand(key: string, input: RequestInput, algorithm: Algorithm | undefined): string {
  const given = PARTS.flatMap(([part]) => (input[part] === undefined ? [] : [`${flagOf(part)} ${quoted(input[part])}`]));
  const names = (['DnsNames', 'IpAddresses', 'Emails'] as const).flatMap((field) => input[field].map((name) => `${flagOf(field)} ${quoted(name)}`));
  return ['keystead certificate request', `--key-id ${quoted(key)}`, ...given, ...names, ...(algorithm === undefined ? [] : [`--signing-algorithm ${algorithm}`]), '--out request.csr'].join(' ');
}
