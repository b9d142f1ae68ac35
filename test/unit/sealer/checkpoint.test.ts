import { createHash, createPublicKey, verify } from 'node:crypto';
import { expect, test } from 'vitest';
import { utf8 } from '../../../src/main/crypto/bytes.ts';
import { CHECKPOINT_TYPE, preAuthEncoding } from '../../../src/main/trail/dsse.ts';
import { keyCalls } from '../../../src/main/sealer/key-calls.ts';
import { codeOf, fakeSession } from './fake-session.ts';

interface Envelope {
  readonly payloadType: string;
  readonly payload: string;
  readonly signatures: readonly { readonly keyid: string; readonly sig: string }[];
}

test('the pre-authentication encoding is DSSE\'s own example (protocol.md)', () => {
  expect(Buffer.from(preAuthEncoding('http://example.com/HelloWorld', utf8('hello world'))).toString()).toBe('DSSEv1 29 http://example.com/HelloWorld 11 hello world');
  expect(Buffer.from(preAuthEncoding('é', utf8(''))).toString()).toBe('DSSEv1 2 é 0 ');
});

test('an envelope verifies with node:crypto alone', async () => {
  const session = fakeSession();
  const payload = utf8('{"index":7,"hash":"é"}');
  const reply = await keyCalls.signCheckpoint(session, { payload });
  const envelope = JSON.parse(Buffer.from(reply.envelope).toString()) as Envelope;
  expect(Object.keys(envelope)).toEqual(['payloadType', 'payload', 'signatures']);
  expect(envelope.payloadType).toBe('application/vnd.keystead.checkpoint+json');
  expect(Buffer.from(envelope.payload, 'base64').equals(payload)).toBe(true);
  const [signature] = envelope.signatures;
  expect(signature!.keyid).toBe(createHash('sha256').update(reply.publicKey).digest('hex'));
  const key = createPublicKey({ key: Buffer.from(reply.publicKey), format: 'der', type: 'spki' });
  const signed = Buffer.concat([Buffer.from(`DSSEv1 ${CHECKPOINT_TYPE.length} ${CHECKPOINT_TYPE} ${payload.length} `), payload]);
  expect(verify(null, signed, key, Buffer.from(signature!.sig, 'base64'))).toBe(true);
  // Nothing else that the vault could be brought to sign is a checkpoint.
  expect(verify(null, payload, key, Buffer.from(signature!.sig, 'base64'))).toBe(false);
});

test('the seed of RFC 8032 test 1 gives its public key, and stays as it was', async () => {
  const session = fakeSession();
  const { publicKey } = await keyCalls.signCheckpoint(session, { payload: utf8('{}') });
  expect(Buffer.from(publicKey).toString('hex')).toBe('302a300506032b6570032100d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a');
  expect(Buffer.from(session.unsealed.checkpointSeed).toString('hex')).toMatch(/^9d61b19d/);
});

test('an empty or oversize payload is refused; the key can be had without signing', async () => {
  const session = fakeSession();
  expect(await codeOf(() => keyCalls.signCheckpoint(session, { payload: new Uint8Array(65_537) }))).toBe('ValidationException');
  expect(await codeOf(() => keyCalls.signCheckpoint(session, { payload: new Uint8Array() }))).toBe('ValidationException');
  expect((await keyCalls.checkpointKeys(session, {})).publicKeys.map(({ length }) => length)).toEqual([44]);
});
