/** The built process that connects outward, driven as the vault drives it. */
import { resolve } from 'node:path';
import { createEgress } from '../../../src/main/egress/client.ts';
import type { Egress, EgressAnswer, EgressOrder, EgressSession, Role } from '../../../src/main/egress/port.ts';
import { killTree } from '../../../src/main/platform/descendants.ts';
import { createProcessHost } from '../../../src/main/platform/process.ts';
import { SecretBytes } from '../../../src/shared/model/secret-bytes.ts';
import { recordingLog } from '../../fakes/recording-log.ts';

const ENTRY = resolve(import.meta.dirname, '../../../dist/main/egress.mjs');
export const log = recordingLog();
export const host = createProcessHost({ entries: { sealer: '', keychain: '', cipher: '', pkcs11: '', importer: '', egress: ENTRY }, log });
export const newEgress = (): Egress => createEgress({
  host,
  killTree,
  after: (ms, fire) => {
    const timer = setTimeout(fire, ms);
    return () => clearTimeout(timer);
  },
});
export const egress = newEgress();

export type Json = Readonly<Record<string, unknown>>;
export const secret = (value: Json | string): SecretBytes => SecretBytes.copy(Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)));

let session: EgressSession | undefined;
/** One order after the other in one process; it is started anew after it was cut off. */
export async function run(order: EgressOrder, given: Readonly<Partial<Record<Role, Json | string>>> = {}, signal = new AbortController().signal): Promise<EgressAnswer> {
  session ??= egress.open();
  return session.run(order, Object.fromEntries(Object.entries(given).map(([role, value]) => [role, secret(value)])), { signal });
}
export const closeEgress = async (): Promise<void> => session?.close();

/** A failure in short: its code, and where. */
export const shortly = (answer: EgressAnswer): string => (answer.ok ? `ok ${answer.notes.join(' ')}`.trim() : `${answer.failure.code} at ${answer.failure.place}${answer.failure.uncertain ? ', uncertain' : ''}`);
