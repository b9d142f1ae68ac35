/** One path behind every door: the same call through the socket and through the window's door ends in the same records. */
import { afterEach, expect, it } from 'vitest';
import { z } from 'zod';
import { operation, secret } from '../../src/shared/api/operation.ts';
import { instant } from '../../src/shared/model/ids.ts';
import { openIpcDoor, type IpcMessage } from '../../src/main/doors/ipc.ts';
import { createApprovals } from '../../src/main/kernel/approvals.ts';
import { authenticate } from '../../src/main/kernel/authenticate.ts';
import { createDispatch } from '../../src/main/kernel/dispatch.ts';
import { createJournal } from '../../src/main/kernel/journal.ts';
import type { Dispatch } from '../../src/main/kernel/request.ts';
import { DEFAULT_RULES } from '../../src/main/rules/defaults.ts';
import { encodeJson } from '../../src/shared/wire/encode.ts';
import { isObject } from '../../src/shared/wire/json.ts';
import { readServerMessage } from '../../src/shared/wire/messages.ts';
import { fakeTrail, type FakeTrail } from '../fakes/fake-trail.ts';
import { Caller, call, eventually, fakePort, me, openDoor, outputOf, tidy } from '../unit/doors/kit.ts';

const sign = operation({
  name: 'kms:Sign',
  summary: 'Sign',
  input: () => z.strictObject({ KeyId: z.string(), Message: secret({ max: 64 }) }),
  output: () => z.strictObject({ Length: z.number() }),
  errors: [],
  effect: 'use',
  needs: 'unlocked',
  doors: ['cli', 'ipc'],
  audited: ['KeyId'],
});

function path(trail: FakeTrail): Dispatch {
  return createDispatch({
    authenticate: (evidence) => authenticate(evidence, { ownUid: me, signatures: { check: () => Promise.reject(new Error('no door for AWS clients here')) } }),
    refused: () => undefined,
    operations: new Map([[sign.name, { operation: sign, handler: ((input: { Message: { length: number } }) => ({ Length: input.Message.length })) as never }]]),
    rules: DEFAULT_RULES,
    vault: () => ({ lockState: 'unlocked', recoveryCodeUsed: false }),
    take: () => 1,
    resolve: () => Promise.resolve({}),
    approvals: createApprovals({ present: () => false, after: () => ({ cancel: () => undefined }) }),
    journal: createJournal({ trail: () => trail, now: () => instant(5) }),
    execute: async ({ handler }, input, call) => ({ output: (await handler(input, call, {} as never)) as Record<string, unknown> }),
    now: () => instant(5),
    started: ({ signal }) => ({ signal, finished: () => undefined }),
    fault: (_request, error) => {
      throw error;
    },
  });
}

afterEach(tidy);

async function throughSocket(input: object): Promise<{ answer: unknown; trail: FakeTrail }> {
  const trail = fakeTrail();
  const door = await openDoor(fakePort(path(trail)));
  const caller = await Caller.to(door.path);
  caller.send(call(1, 'kms:Sign', input));
  return { answer: outputOf(await caller.reply(1)), trail };
}

async function throughWindow(input: object, frame = { isMainFrame: true, origin: 'keystead://app', windowId: 1 }): Promise<{ answer: unknown; trail: FakeTrail }> {
  const trail = fakeTrail();
  const sent: Uint8Array[] = [];
  let deliver: (message: IpcMessage) => void = () => undefined;
  const ipc = { onMessage: (receive: (message: IpcMessage) => void) => void (deliver = receive), onGone: () => undefined, send: (_window: number, data: Uint8Array) => void sent.push(data) };
  const door = openIpcDoor({ ipc, port: fakePort(path(trail)), origin: 'keystead://app' });
  deliver({ frame, data: encodeJson(call(1, 'kms:Sign', input)) });
  const replies = () => sent.map(readServerMessage).filter((message) => message.kind === 'reply');
  if (frame.isMainFrame) await eventually(() => replies().length === 1);
  await door.close(0);
  const [reply] = replies();
  return { answer: reply && outputOf(reply), trail };
}

/** A command's own help is of no use in the window. */
const withoutHelp = (answer: unknown): unknown => (isObject(answer) && typeof answer['message'] === 'string' ? { ...answer, message: answer['message'].replace(/; see `keystead [\w -]+ --help`$/, '') } : answer);
const withoutDoor = (trail: FakeTrail): object[] => trail.records.map(({ door: _, requestId: __, ...record }) => record);

it.each([
  ['a call that is allowed', { KeyId: 'k', Message: 'aGVsbG8=' }, { Length: 5 }],
  ['one with an unknown field', { KeyId: 'k', Message: 'aGVsbG8=', More: 1 }, { code: 'ValidationException' }],
  ['one whose secret is no base64', { KeyId: 'k', Message: 'not base64' }, { code: 'SerializationException' }],
])('%s ends in the same answer and the same records at both doors', async (_name, input, expected) => {
  const [socket, window] = [await throughSocket(input), await throughWindow(input)];
  expect(socket.answer).toMatchObject(expected);
  expect(window.answer).toEqual(withoutHelp(socket.answer));
  expect(withoutDoor(window.trail)).toEqual(withoutDoor(socket.trail));
  expect(socket.trail.records.length).toBeGreaterThan(0);
  expect([socket, window].map(({ trail }) => trail.records[0]?.door)).toEqual(['cli', 'ipc']);
});

it('a frame that is not the window\'s own page reaches nothing', async () => {
  const { answer, trail } = await throughWindow({ KeyId: 'k', Message: 'aGVsbG8=' }, { isMainFrame: false, origin: 'keystead://app', windowId: 1 });
  expect([answer, trail.records]).toEqual([undefined, []]);
});
