/**
 * Tokens in memory behind the protocol of module hosts: each in a module of its own, with AES keys only. What is encrypted stays as it is,
 * and a wrapped key is its id, so that nothing is computed; what is looked at is which objects are where, and which process was given what.
 */
import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CallFailed, type ModuleHost } from '../../src/main/backends/pkcs11/client.ts';
import { CKM } from '../../src/main/backends/pkcs11/cryptoki.ts';
import { stagingOf, type CallName } from '../../src/main/backends/pkcs11/protocol.ts';
import { Hardware, type Place } from '../../src/main/hardware/hardware.ts';
import type { ModuleRecord } from '../../src/main/hardware/kinds.ts';
import { instant } from '../../src/shared/model/ids.ts';

type Kind = 'key' | 'wrapper' | 'opener' | 'pair' | 'peer';
export interface FakeObject {
  readonly kind: Kind;
  extractable: boolean;
  readonly label?: string;
}

export interface FakeToken {
  readonly place: Place;
  /** By CKA_ID. */
  readonly objects: Map<string, FakeObject>;
  /** Facts of C_GetTokenInfo besides those of a token that is well. */
  facts: Readonly<Record<string, unknown>>;
}

/** A call, before it is done: a promise holds it up, one that rejects fails it. */
export type Before = (at: { readonly label: string; readonly call: CallName; readonly request: Readonly<Record<string, unknown>> }) => Promise<void> | undefined;

/** One call as a process got it. `parts`: byte strings that came along. */
export interface Seen {
  readonly process: number;
  readonly label: string;
  readonly call: CallName;
  readonly parts: number;
}

/** What a process that has died is like. */
export const DIED = 'died';

const OFFER = [CKM.AES_KEY_GEN, CKM.AES_GCM, CKM.AES_KEY_WRAP_PAD, CKM.RSA_PKCS_OAEP].map((type) => ({ type, flags: 0xffff_ffff, min: 0, max: 0 }));
const absent = (): CallFailed => new CallFailed({ what: 'absent' });

function perform(token: FakeToken, call: CallName, request: Readonly<Record<string, unknown>>, parts: readonly Uint8Array[]): { readonly reply: unknown; readonly parts?: readonly Uint8Array[] } {
  const { objects, place } = token;
  const id = request['id'] as string;
  const object = (): FakeObject => {
    const known = objects.get(id);
    if (!known) throw absent();
    return known;
  };
  const stated = (): Readonly<Record<string, boolean>> => ({ sensitive: true, extractable: object().extractable, trustedOnly: true });
  const acts: Partial<Record<CallName, () => { readonly reply: unknown; readonly parts?: readonly Uint8Array[] }>> = {
    load: () => ({ reply: { manufacturer: '', description: '', version: '1.0', cryptoki: '2.40' } }),
    tokens: () => ({ reply: { tokens: [{ slot: '00', serial: place.token.serial, label: place.token.label, initialized: true, pin: 'ok', officerPin: 'ok', ...token.facts }] } }),
    mechanisms: () => ({ reply: { mechanisms: OFFER } }),
    holds: () => ({ reply: { held: (request['ids'] as string[]).filter((one) => { const kind = objects.get(one)?.kind; return kind !== undefined && (kind !== 'peer' || request['halves'] === true); }) } }),
    keys: () => ({ reply: { keys: [...objects].flatMap(([one, { kind, extractable, label = '' }]) => (kind === 'key' ? [{ id: one, label, class: 'secret', uses: [], stated: { sensitive: true, extractable, trustedOnly: extractable } }] : [])) } }),
    transport: () => { objects.set(id, { kind: 'pair', extractable: false }); return { reply: { modulus: 'aa', exponent: '03' } }; },
    trust: () => {
      for (const { id: peer } of request['peers'] as { readonly id: string }[]) objects.set(peer, { kind: 'peer', extractable: false });
      if (typeof request['wrapper'] === 'string') objects.set(request['wrapper'], { kind: 'wrapper', extractable: true });
      return { reply: {} };
    },
    keepWrapper: () => ({ reply: { stated: stated(), trusted: true, lay: false } }),
    generate: () => { objects.set(id, { kind: 'key', extractable: request['cluster'] === true }); return { reply: { stated: stated() } }; },
    wrapTest: () => { object(); return { reply: { allowed: [], refused: [CKM.AES_KEY_WRAP_PAD], unknown: [] } }; },
    wrapOut: () => {
      if (!object().extractable) throw new CallFailed({ what: 'cryptoki', function: 'C_WrapKey', code: 0x6a, name: 'CKR_KEY_UNEXTRACTABLE' });
      return { reply: {}, parts: [Buffer.from(id)] };
    },
    unwrapIn: () => {
      const isKey = (request['what'] as { readonly kind: string }).kind === 'key';
      if (isKey && objects.has(id)) throw new CallFailed({ what: 'ambiguous' });
      objects.set(isKey ? stagingOf(id) : id, { kind: isKey ? 'key' : 'opener', extractable: isKey });
      return { reply: { stated: { sensitive: true, extractable: isKey, trustedOnly: true } } };
    },
    settle: () => {
      const staged = objects.get(stagingOf(id));
      if (!staged) throw absent();
      objects.delete(stagingOf(id));
      objects.set(id, staged);
      return { reply: {} };
    },
    seal: () => { object().extractable = false; return { reply: { stated: stated() } }; },
    discard: () => { for (const one of request['ids'] as string[]) for (const each of [one, stagingOf(one)]) objects.delete(each); return { reply: {} }; },
    destroy: () => { object(); objects.delete(id); return { reply: {} }; },
    encrypt: () => { object(); return { reply: {}, parts: [Buffer.from(parts[0] ?? [])] }; },
    decrypt: () => { object(); return { reply: {}, parts: [Buffer.from(parts[0] ?? [])] }; },
    initToken: () => ({ reply: { serial: place.token.serial, label: request['label'] } }),
  };
  return acts[call]?.() ?? { reply: {} };
}

/** Ends with `remove`, which removes the modules' files. */
export function fakeTokens(labels: readonly string[]) {
  const folder = mkdtempSync(join(tmpdir(), 'keystead-tokens-'));
  const seen: Seen[] = [];
  let before: Before = () => undefined;
  const tokens = new Map(
    labels.map((label, at): [string, FakeToken] => {
      const path = join(folder, label);
      writeFileSync(path, label);
      const module: ModuleRecord = { path, sha256: createHash('sha256').update(label).digest('hex'), added: instant(0) };
      return [label, { place: { module, token: { serial: String(at), label } }, objects: new Map(), facts: {} }];
    }),
  );
  let processes = 0;
  const alive = new Set<number>();
  const startHost = (path: string): ModuleHost => {
    const process = (processes += 1);
    const label = path.slice(folder.length + 1);
    const token = tokens.get(label);
    if (!token) throw new Error(`no module ${path}`);
    let leave: () => void = () => undefined;
    const gone = new Promise<void>((resolve) => { leave = () => { alive.delete(process); resolve(); }; });
    alive.add(process);
    const host = {
      gone,
      isGone: false,
      async call(call: CallName, request: Readonly<Record<string, unknown>>, parts: readonly Uint8Array[] = []) {
        if (host.isGone) throw new CallFailed({ what: 'internal' });
        seen.push({ process, label, call, parts: parts.length });
        try {
          await before({ label, call, request });
        } catch (error) {
          if (error !== DIED) throw error;
          host.isGone = true;
          leave();
          throw new CallFailed({ what: 'internal' });
        }
        return { parts: [], ...perform(token, call, request, parts) };
      },
      async stop() {
        host.isGone = true;
        leave();
      },
    };
    return host as unknown as ModuleHost;
  };
  return {
    hardware: new Hardware({ startHost, uid: process.geteuid?.() ?? 0, now: () => instant(0), changed: () => undefined }),
    /** Throws for one that there is not. */
    token(label: string): FakeToken {
      const known = tokens.get(label);
      if (!known) throw new Error(`no token ${label}`);
      return known;
    },
    seen,
    /** Processes that run. */
    alive: (): readonly number[] => [...alive],
    before(act: Before): void { before = act; },
    remove(): void { rmSync(folder, { recursive: true }); },
  };
}
export type FakeTokens = ReturnType<typeof fakeTokens>;
