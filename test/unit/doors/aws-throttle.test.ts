/** The real SDK at a door that has too much to do: what it is answered, and that it asks again by itself. */
import { KMS, KMSServiceException } from '@aws-sdk/client-kms';
import { afterEach, expect, it } from 'vitest';
import { openAwsDoor, type AwsDoor } from '../../../src/main/doors/aws/server.ts';
import { systemClock } from '../../../src/main/platform/clock.ts';
import { signedHeaders } from '../../fakes/aws-signer.ts';
import { oneClient } from '../../fakes/one-client.ts';
import { rawAnswer, requestText } from '../../fakes/raw-http.ts';
import { VaultError } from '../../../src/shared/model/errors.ts';
import { eventually, fakePort, heldDispatch, me } from './kit.ts';

const KEYS = { accessKeyId: 'AKIAIOSFODNN7EXAMPLE', secretAccessKey: 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY' };
let door: AwsDoor | undefined;
const clients: KMS[] = [];
afterEach(async () => {
  for (const client of clients.splice(0)) client.destroy();
  await door?.close(100);
});

function client(maxAttempts: number): KMS {
  const kms = new KMS({ endpoint: `http://127.0.0.1:${String(door?.port)}`, region: 'us-east-1', credentials: KEYS, maxAttempts });
  clients.push(kms);
  return kms;
}

it('is told so as AWS tells it, and is served once there is room', async () => {
  const { dispatch, waiting } = heldDispatch();
  const port = fakePort(dispatch);
  door = await openAwsDoor({ port: 0, door: port, clock: systemClock, uid: me, limits: { inFlight: 1 } });
  const held = client(1).listKeys({});
  await eventually(() => waiting.length === 1);

  // One that does not ask again sees what it was answered.
  const error = await client(1).listKeys({}).then(() => undefined, (caught: unknown) => caught);
  expect(error).toBeInstanceOf(KMSServiceException);
  const { name, message, $metadata, $fault, $response } = error as KMSServiceException;
  expect([name, message, $metadata.httpStatusCode, $fault]).toEqual(['ThrottlingException', 'too many requests at once; try again in a moment', 400, 'client']);
  expect($metadata.requestId).toMatch(/^request-\d+$/);
  expect($response?.headers).toMatchObject({ 'x-amzn-errortype': 'ThrottlingException', 'content-type': 'application/x-amz-json-1.1' });
  const host = `127.0.0.1:${String(door.port)}`;
  const raw = await rawAnswer(door.port, requestText(signedHeaders({ host, target: 'TrentService.ListKeys', body: '{}', now: Date.now(), ...KEYS }), '{}'));
  expect([raw.status, raw.type]).toEqual([400, 'ThrottlingException']);
  expect(port.refusals.map(({ reason }) => reason)).toEqual(['in-flight', 'in-flight']);

  // One that does is served in the end: the first is answered once the other has been turned away.
  const before = port.refusals.length;
  const patient = client(10).listKeys({});
  await eventually(() => port.refusals.length > before);
  waiting[0]?.answer();
  await held;
  await eventually(() => waiting.length === 2);
  waiting[1]?.answer();
  const { $metadata: served } = await patient;
  expect(served.attempts).toBeGreaterThan(1);
  expect(served.httpStatusCode).toBe(200);
});

it('is told the same of a signature that comes again, and signs anew by itself', async () => {
  const { signatures, clock } = oneClient({ now: Date.now(), ...KEYS });
  const answers: string[] = [];
  const port = fakePort(async ({ id, evidence }) => {
    if (evidence.door !== 'aws') throw new Error('another door');
    clock.advance(Date.now() - clock.now());
    let found = await signatures.check(evidence.signed);
    // The first request is one that somebody else has sent already.
    if (answers.length === 0) {
      clock.advance(2000);
      found = await signatures.check(evidence.signed);
    }
    answers.push(found instanceof VaultError ? found.code : 'ok');
    return found instanceof VaultError ? { ok: false, requestId: id, error: found.toBody() } : { ok: true, requestId: id, output: { Keys: [], Truncated: false } };
  });
  door = await openAwsDoor({ port: 0, door: port, clock: systemClock, uid: me });
  const { Keys, $metadata } = await client(5).listKeys({});
  expect([Keys, $metadata.attempts, answers]).toEqual([[], 2, ['ThrottlingException', 'ok']]);
});
