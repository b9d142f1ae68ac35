/** What cannot be read behind a whole request: that one is carried out, so its answer comes first. */
import { connect } from 'node:net';
import { afterEach, expect, it } from 'vitest';
import { openAwsDoor, type AwsDoor } from '../../../src/main/doors/aws/server.ts';
import { systemClock } from '../../../src/main/platform/clock.ts';
import { signedHeaders } from '../../fakes/aws-signer.ts';
import { requestText } from '../../fakes/raw-http.ts';
import { eventually, fakePort, heldDispatch, me } from './kit.ts';

const KEYS = { accessKeyId: 'AKIAIOSFODNN7EXAMPLE', secretAccessKey: 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY' };
let door: AwsDoor | undefined;
afterEach(() => door?.close(100));

it.each([['with it', true], ['after it', false]])('answers what came whole before noise that comes %s', async (_when, atOnce) => {
  const { dispatch, waiting } = heldDispatch();
  const port = fakePort(dispatch);
  door = await openAwsDoor({ port: 0, door: port, clock: systemClock, uid: me });
  const whole = requestText(signedHeaders({ host: `127.0.0.1:${String(door.port)}`, target: 'TrentService.ListKeys', body: '{}', now: Date.now(), ...KEYS }), '{}');
  const socket = connect(door.port, '127.0.0.1');
  let came = '';
  socket.on('data', (chunk: Buffer) => (came += chunk.toString('latin1')));
  socket.write(atOnce ? `${whole}\0noise\r\n\r\n` : whole);
  await eventually(() => waiting.length === 1);
  if (!atOnce) socket.write('\0noise\r\n\r\n');
  await eventually(() => port.refusals.length === 1);
  expect([came, port.refusals[0]?.reason]).toEqual(['', 'malformed']);
  waiting[0]?.answer();
  await new Promise((closed) => socket.once('close', closed));
  expect(came.match(/HTTP\/1\.1 \d{3}/g)).toEqual(['HTTP/1.1 200', 'HTTP/1.1 400']);
});

it('answers noise alone with nothing of ours', async () => {
  const port = fakePort(heldDispatch().dispatch);
  door = await openAwsDoor({ port: 0, door: port, clock: systemClock, uid: me });
  const socket = connect(door.port, '127.0.0.1');
  let came = '';
  socket.on('data', (chunk: Buffer) => (came += chunk.toString('latin1')));
  socket.write('\0noise\r\n\r\n');
  await new Promise((closed) => socket.once('close', closed));
  expect(came).toMatch(/^HTTP\/1\.1 400 Bad Request/);
});
