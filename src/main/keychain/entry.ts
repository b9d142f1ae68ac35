/**
 * The keychain helper: a process that makes one call to the system's keychain through keytar, answers, and is killed.
 *
 * Defends against: libsecret that crashes or hangs on a locked or absent keyring, and copies of the secret as strings,
 * which die with this process. Does not defend against another program of the same user, whom a desktop keychain lets
 * read what it likes.
 *
 * keytar answers null both for "there is none" and for "locked". The sentinel tells them apart: an entry of a known
 * value that can be read, or written and read back, only while the keyring is open.
 */
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import type * as keytarModule from 'keytar';

import { childPort } from '../platform/child-port.ts';
import { harden } from '../platform/harden.ts';
import { decodeRequest, encodeReply, type KeychainReply, type KeychainRequest, type Outcome } from '../platform/keychain-format.ts';

type Keytar = typeof keytarModule;

/** Not a name that a caller can give. */
const SENTINEL = '#sentinel';
const SENTINEL_VALUE = 'keystead-sentinel-1';
const NOTHING = new Uint8Array(new ArrayBuffer(0));

harden();
const port = childPort();
port.onFrame((frame) => {
  void answer(frame).then((reply) => port.send(encodeReply(reply)));
});
void port.closed.then(() => process.exit(0));

async function answer(frame: Uint8Array): Promise<KeychainReply> {
  const request = decodeRequest(frame);
  if (request === undefined) return { outcome: 'failed', value: NOTHING };
  if (!hasBus()) return { outcome: 'no-bus', value: NOTHING };
  const keytar = load();
  if (typeof keytar === 'string') return { outcome: keytar, value: NOTHING };
  try {
    return await run(keytar, request);
  } catch (error) {
    const message = error instanceof Error ? error.message : '';
    return { outcome: /locked/i.test(message) ? 'locked' : 'failed', value: NOTHING };
  } finally {
    frame.fill(0);
  }
}

async function run(keytar: Keytar, { operation, service, name, value }: KeychainRequest): Promise<KeychainReply> {
  const only = (outcome: Outcome): KeychainReply => ({ outcome, value: NOTHING });
  if (operation === 'get') {
    const stored = await keytar.getPassword(service, name);
    if (stored === null) return only((await isOpen(keytar, service)) ? 'absent' : 'locked');
    const bytes = decode(stored);
    return bytes === undefined ? only('failed') : { outcome: 'ok', value: bytes };
  }
  if (!(await isOpen(keytar, service))) return only('locked');
  if (operation === 'set') {
    const text = Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString('base64');
    await keytar.setPassword(service, name, text);
    // What cannot be read back would lock its owner out later.
    return only((await keytar.getPassword(service, name)) === text ? 'ok' : 'failed');
  }
  if (operation === 'remove') {
    await keytar.deletePassword(service, name);
    return only((await keytar.getPassword(service, name)) === null ? 'ok' : 'failed');
  }
  return only('ok');
}

async function isOpen(keytar: Keytar, service: string): Promise<boolean> {
  if ((await keytar.getPassword(service, SENTINEL)) === SENTINEL_VALUE) return true;
  await keytar.setPassword(service, SENTINEL, SENTINEL_VALUE);
  return (await keytar.getPassword(service, SENTINEL)) === SENTINEL_VALUE;
}

/** Strict base64; undefined for anything else, since it was not written by this program. */
function decode(text: string): Uint8Array<ArrayBuffer> | undefined {
  const decoded = Buffer.from(text, 'base64');
  const same = decoded.toString('base64') === text;
  const bytes = new Uint8Array(new ArrayBuffer(decoded.length));
  bytes.set(decoded);
  decoded.fill(0);
  return same ? bytes : undefined;
}

function load(): Keytar | Outcome {
  try {
    return createRequire(import.meta.url)('keytar') as Keytar;
  } catch (error) {
    const missing = error instanceof Error && /libsecret|cannot open shared object/i.test(error.message);
    return missing ? 'no-library' : 'no-module';
  }
}

/** Without a bus libsecret would try to start one. */
function hasBus(): boolean {
  if (process.platform !== 'linux') return true;
  if (process.env['DBUS_SESSION_BUS_ADDRESS']) return true;
  const runtime = process.env['XDG_RUNTIME_DIR'];
  return runtime !== undefined && existsSync(join(runtime, 'bus'));
}
