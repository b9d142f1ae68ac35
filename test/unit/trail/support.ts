/** What the tests of the trail share: key pairs, a way to check files as the sealer would. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { x25519PublicKey } from '../../../src/main/crypto/x25519.ts';
import { systemRandom } from '../../../src/main/platform/random.ts';
import type { ReplyOf, RequestOf, Sealer, SealerMethod, TrailBreak } from '../../../src/main/seal/protocol.ts';
import type { Session } from '../../../src/main/sealer/session.ts';
import { trailCalls } from '../../../src/main/sealer/trail-calls.ts';
import { type Trail, type TrailOptions, createTrail, openTrail } from '../../../src/main/trail/log.ts';
import type { Position } from '../../../src/main/trail/port.ts';
import { type OpenedRecord, createReader } from '../../../src/main/trail/reader.ts';
import { fixedRandom } from '../../fakes/fixed-random.ts';

export const vaultId = fixedRandom('vault').bytes(16);
export const privateKey = fixedRandom('trail key').bytes(32);
export const publicKey = x25519PublicKey(privateKey);
export const otherPrivateKey = fixedRandom('another trail key').bytes(32);
export const otherPublicKey = x25519PublicKey(otherPrivateKey);

export function privateKeyFor(wanted: Uint8Array): Uint8Array | undefined {
  if (Buffer.compare(wanted, publicKey) === 0) return privateKey;
  return Buffer.compare(wanted, otherPublicKey) === 0 ? otherPrivateKey : undefined;
}

export const text = (value: string): Uint8Array => new TextEncoder().encode(value);
export const untext = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);

/** A folder of its own, removed by `[Symbol.dispose]`. */
export function temporaryFolder(under = tmpdir()): { readonly path: string } & Disposable {
  const path = mkdtempSync(join(under, 'keystead-trail-'));
  return { path, [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true }) };
}

export const optionsFor = (folder: string, more: Partial<TrailOptions> = {}): TrailOptions => ({ folder, vaultId, trailPublicKey: publicKey, random: systemRandom, ...more });
export const create = (folder: string, more: Partial<TrailOptions> = {}): Promise<Trail> => createTrail(optionsFor(folder, more));
export const reopen = (folder: string, more: Partial<TrailOptions> = {}): Promise<Trail> => openTrail(optionsFor(folder, more));

export interface Checked {
  readonly records: readonly OpenedRecord[];
  readonly bodies: readonly string[];
  readonly checked: number;
  readonly last: Position;
  readonly broken: TrailBreak | undefined;
}

export interface CheckOptions {
  readonly piece?: number;
  readonly from?: Position;
  readonly anchors?: readonly Position[];
  readonly state?: Position;
  /** Numbers of the segments given; 1, 2, … unless given. */
  readonly numbers?: readonly number[];
  readonly vaultId?: Uint8Array;
}

/** Everything through the reader, in pieces. */
export function check(segments: readonly Uint8Array[], keyBlock: Uint8Array, options: CheckOptions = {}): Checked {
  const reader = createReader({ vaultId, privateKeyFor, ...options });
  const records: OpenedRecord[] = [];
  const piece = options.piece ?? 1 << 20;
  segments.forEach((segment, i) => {
    const number = options.numbers?.[i] ?? i + 1;
    for (let at = 0; at === 0 || at < segment.byteLength; at += piece) {
      records.push(...reader.feed(number, segment.subarray(at, at + piece), at + piece >= segment.byteLength, true));
    }
  });
  reader.finish(keyBlock, options.state);
  const result = { records, bodies: records.map(({ body }) => untext(body)), checked: reader.records, last: reader.last, broken: reader.broken };
  reader.close();
  return result;
}

/** The files of a closed or quiet trail through the reader. */
export function checkFiles(folder: string, log: Pick<Trail, 'segments'>, options: CheckOptions = {}): Checked {
  return check(log.segments().map(({ path }) => readFileSync(path)), readFileSync(join(folder, 'trail', 'trail.key')), options);
}

/** The sealer's three calls for the trail, in this process, with the key pairs above. */
export function trailSealer(): Sealer {
  const session: Session = {
    random: systemRandom,
    get unsealed() {
      const absent = (): never => {
        throw new Error('not for the trail');
      };
      return { vaultId, openMaterial: absent, sealMaterial: absent, sealToken: absent, openToken: absent, locatorKey: vaultId, trailPrivateKey: privateKeyFor, trailPublicKeys: [publicKey, otherPublicKey], checkpointSeed: privateKey, checkpointSeeds: [privateKey] };
    },
  };
  const table: Partial<Record<SealerMethod, (session: Session, request: never) => unknown>> = trailCalls;
  return {
    call: async <M extends SealerMethod>(method: M, request: RequestOf<M>): Promise<ReplyOf<M>> => {
      const handler = table[method];
      if (!handler) throw new Error(`not for the trail: ${method}`);
      return (await handler(session, structuredClone(request) as never)) as ReplyOf<M>;
    },
    stop: () => Promise.resolve(),
    gone: new Promise(() => undefined),
  };
}
