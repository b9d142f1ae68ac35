/** Signed requests that were changed on their way, on a real socket: HTTP's parser, the door and the signatures behind it, and none of them taken. */
import fc from 'fast-check';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { openAwsDoor, type AwsDoor } from '../../../src/main/doors/aws/server.ts';
import { systemClock } from '../../../src/main/platform/clock.ts';
import { VaultError } from '../../../src/shared/model/errors.ts';
import { signedHeaders } from '../../fakes/aws-signer.ts';
import { changed, KINDS, reworded, type Kind, type Sent } from '../../fakes/mutations.ts';
import { oneClient } from '../../fakes/one-client.ts';
import { rawAnswer, requestText } from '../../fakes/raw-http.ts';
import { echo, fakePort, me } from './kit.ts';

const NOW = Date.UTC(2026, 10, 25, 12, 0, 0);
const KEYS = { accessKeyId: 'AKIAIOSFODNN7EXAMPLE', secretAccessKey: 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY' };
const BODY = '{"KeyId":"alias/x"}';
const text = ({ method, url, headers, body }: Sent): string => requestText(headers, body, `${method} ${url} HTTP/1.1`);

let door: AwsDoor;
let original: Sent;
let taken = 0;
beforeAll(async () => {
  const { signatures } = oneClient({ now: NOW, ...KEYS });
  const port = fakePort(async (request) => {
    if (request.evidence.door !== 'aws') throw new Error('another door');
    const found = await signatures.check(request.evidence.signed);
    if (found instanceof VaultError) return { ok: false, requestId: request.id, error: found.toBody() };
    taken += 1;
    return echo(request);
  });
  // Whose socket it is, the kernel's tables say: another test's matter. Where a change makes a request longer than what came, the door waits for the rest of it.
  door = await openAwsDoor({ port: 0, door: port, clock: systemClock, uid: me, uidOf: () => Promise.resolve(me), limits: { requestMs: 150 } });
  original = { method: 'POST', url: '/', headers: signedHeaders({ host: `127.0.0.1:${String(door.port)}`, target: 'TrentService.DescribeKey', body: BODY, now: NOW, ...KEYS }), body: BODY };
});
afterAll(() => door.close(100));

it('takes the request as it was signed, and in other words that say the same', async () => {
  await fc.assert(
    fc.asyncProperty(reworded(original, ['', ' ', '   ']), async (sent) => {
      expect((await rawAnswer(door.port, text(sent))).status).toBe(200);
    }),
    { numRuns: 100 },
  );
});

it('takes none of 2,000 changed ones', async () => {
  const before = taken;
  const tried = new Map<Kind, number>();
  await fc.assert(
    fc.asyncProperty(changed(original), async ([kind, sent]) => {
      if (!sent) return;
      const { status } = await rawAnswer(door.port, text(sent));
      expect([kind, status === 0 || (status >= 400 && status < 500)]).toEqual([kind, true]);
      tried.set(kind, (tried.get(kind) ?? 0) + 1);
    }),
    { numRuns: 2300 },
  );
  expect([...tried.values()].reduce((sum, one) => sum + one, 0)).toBeGreaterThan(2000);
  expect(KINDS.filter((kind) => (tried.get(kind) ?? 0) < 30)).toEqual([]);
  expect(taken).toBe(before);
});

it('takes no body that is cut by what is said of its length, or by the connection', async () => {
  const before = taken;
  const withLength = (length: number, body = BODY): string => text({ ...original, headers: original.headers.map(([name, value]) => [name, name === 'content-length' ? String(length) : value]), body });
  for (let length = 0; length < BODY.length; length += 1) expect([length, (await rawAnswer(door.port, withLength(length))).status]).toEqual([length, 400]);
  expect((await rawAnswer(door.port, withLength(BODY.length + 1))).status).not.toBe(200);
  expect((await rawAnswer(door.port, withLength(BODY.length + 1, `${BODY} `))).status).toBe(400);
  expect(taken).toBe(before);
});
