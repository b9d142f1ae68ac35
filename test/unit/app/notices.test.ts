import { describe, expect, it } from 'vitest';
import { nearingOf, startNotices, type NoticeBoard } from '../../../src/main/app/notice-board.ts';
import type { Notice } from '../../../src/main/hosts/port.ts';
import type { Dispatch, Evidence, Result } from '../../../src/main/kernel/request.ts';
import type { ErrorCode } from '../../../src/shared/model/errors.ts';
import { instant, requestId, type Instant } from '../../../src/shared/model/ids.ts';

const id = requestId('00000000-0000-4000-8000-000000000001');
const HOUR = 3_600_000;
const ARN = 'arn:aws:kms:us-east-1:318204775610:key/0b6d2f81-5d0b-4f5e-9a53-0b6d2f81c9e4';
const PERSON: Evidence = { door: 'ipc', frame: { isMainFrame: true, origin: 'keystead://app', windowId: 1 } };
const job = (name: string): Evidence => ({ door: 'schedule', job: name });
const ok = (output: Readonly<Record<string, unknown>> = {}): Result => ({ ok: true, requestId: id, output });
const failed = (code: ErrorCode): Result => ({ ok: false, requestId: id, error: { code, message: `of ${ARN}` } });

describe('the desktop is told', () => {
  let told: Notice[];
  let now: number;
  let open: boolean;
  let nextDeletion: Instant | undefined;
  let secretDeletions: Instant[];
  let expiries: Instant[];
  let timers: { readonly ms: number; readonly fire: () => void }[];
  let board: NoticeBoard;
  const start = (): void => {
    [told, now, open, nextDeletion, timers] = [[], 1_000_000_000, true, undefined, []];
    [secretDeletions, expiries] = [[], []];
    board = startNotices({
      clock: { now: () => instant(now), monotonic: () => now },
      isOpen: () => open,
      nearing: nearingOf(() => ({ keyDeletions: nextDeletion === undefined ? [] : [nextDeletion], secretDeletions, expiries })),
      after(ms, fire) {
        const timer = { ms, fire };
        timers.push(timer);
        return () => void (timers = timers.filter((one) => one !== timer));
      },
      tell: (notice) => told.push(notice),
    });
  };
  const see = async (operation: string, evidence: Evidence, result: Result): Promise<void> => {
    const dispatch: Dispatch = () => Promise.resolve(result);
    expect(await board.watch(dispatch)({ id, door: evidence.door, evidence, operation, input: new Uint8Array(), signal: new AbortController().signal })).toBe(result);
  };
  const titles = (): string[] => told.map(({ title }) => title);

  it.each<[string, string, Result, string | undefined]>([
    ['key-deletion', 'kms:DeleteDueKeys', ok({ KeyArns: [ARN] }), 'A key was deleted'],
    ['key-deletion', 'kms:DeleteDueKeys', ok({ KeyArns: [ARN, ARN] }), '2 keys were deleted'],
    ['key-deletion', 'kms:DeleteDueKeys', ok({ KeyArns: [] }), undefined],
    ['key-deletion', 'kms:DeleteDueKeys', failed('StorageFullException'), 'A key could not be deleted'],
    ['secret-rotation', 'secretsmanager:RecordRotationStep', ok({ Result: 'failed', Left: 'nothing', Cause: 'schedule' }), 'A rotation failed'],
    ['secret-rotation', 'secretsmanager:RecordRotationStep', ok({ Result: 'failed', Left: 'pending', Cause: 'asked' }), 'A rotation failed'],
    ['secret-rotation', 'secretsmanager:RecordRotationStep', ok({ Result: 'rotated', Left: 'nothing', Cause: 'schedule' }), 'A secret was rotated'],
    ['secret-rotation', 'secretsmanager:RecordRotationStep', ok({ Result: 'rotated', Left: 'nothing', Cause: 'asked' }), undefined],
    ['secret-rotation', 'secretsmanager:RecordRotationStep', ok({ Result: 'stopped', Left: 'nothing', Cause: 'asked' }), undefined],
    ['secret-rotation', 'secretsmanager:RecordRotationStep', ok({ Next: 'setSecret' }), undefined],
    ['secret-rotation', 'secretsmanager:RotateDueSecrets', ok({ ARNs: [ARN] }), undefined],
    ['key-rotation', 'kms:RotateDueKeys', ok({ KeyArns: [ARN] }), 'A key was rotated'],
    ['key-rotation', 'kms:RotateDueKeys', failed('StorageException'), 'A rotation failed'],
    ['key-rotation', 'kms:RotateDueKeys', failed('VaultLockedException'), undefined],
    ['key-rotation', 'kms:RotateDueKeys', failed('TrailBrokenException'), 'The trail is broken'],
    ['cluster', 'hardware:LevelCluster', ok({ Made: 2, Left: [] }), undefined],
    ['cluster', 'hardware:LevelCluster', ok({ Made: 0, Left: [{ CloudHsmClusterId: 'x', Reason: 'away' }] }), undefined],
    ['cluster', 'hardware:LevelCluster', ok({ Made: 1, Left: [{ CloudHsmClusterId: 'x', KeyId: ARN, Reason: 'failed' }] }), 'A token could not be brought level'],
    ['cluster', 'hardware:LevelCluster', failed('KMSInternalException'), 'A token could not be brought level'],
    ['cluster', 'hardware:LevelCluster', failed('CancelledException'), undefined],
    ['auto-lock', 'vault:Lock', ok(), 'Keystead is locked'],
    ['suspend', 'vault:Lock', ok(), 'Keystead is locked'],
    ['screen-lock', 'vault:Lock', ok(), 'Keystead is locked'],
    ['window-left', 'vault:Lock', ok(), 'Keystead is locked'],
    ['menu', 'vault:Lock', ok(), undefined],
    ['__proto__', 'vault:Lock', ok(), undefined],
    ['x', '__proto__', ok({ KeyArns: [ARN] }), undefined],
  ])('by the job %s of %s', async (name, operation, result, title) => {
    start();
    await see(operation, job(name), result);
    expect(titles()).toEqual(title === undefined ? [] : [title]);
  });

  it('of nothing that a person asked for, and of no lock of a locked vault', async () => {
    start();
    await see('kms:RotateDueKeys', PERSON, ok({ KeyArns: [ARN] }));
    await see('vault:Lock', PERSON, ok());
    await see('kms:Decrypt', PERSON, failed('InvalidCiphertextException'));
    open = false;
    await see('vault:Lock', job('suspend'), ok());
    expect(told).toEqual([]);
  });

  it('of every fifth wrong password in a row, at whatever door', async () => {
    start();
    const cli: Evidence = { door: 'cli', peer: { uid: 1, gid: 1, pid: 1 }, hints: {} };
    for (let at = 0; at < 4; at++) await see('vault:Unlock', cli, failed('IncorrectPasswordException'));
    await see('vault:Unlock', cli, failed('UnlockDelayedException'));
    expect(told).toEqual([]);
    await see('vault:Unlock', PERSON, failed('IncorrectRecoveryCodeException'));
    expect(titles()).toEqual(['5 wrong passwords']);
    for (let at = 0; at < 5; at++) await see('vault:Unlock', cli, failed('IncorrectPasswordException'));
    expect(titles()).toEqual(['5 wrong passwords', '10 wrong passwords']);
    await see('vault:Unlock', PERSON, ok());
    for (let at = 0; at < 4; at++) await see('vault:Unlock', cli, failed('IncorrectPasswordException'));
    expect(told).toHaveLength(2);
  });

  it('of a vault that does not fit its records, and of a trail that is found broken', async () => {
    start();
    await see('vault:Unlock', PERSON, ok({ Problem: 'x' }));
    await see('trail:VerifyTrail', PERSON, ok({ Intact: true }));
    await see('trail:VerifyTrail', PERSON, ok({ Intact: false }));
    expect(titles()).toEqual(['The vault does not match its own records', 'The trail is broken']);
  });

  it('once an hour of what is urgent and stays so; once of two signs of one thing', async () => {
    start();
    for (let minute = 0; minute < 61; minute++) {
      await see('kms:RotateDueKeys', job('key-rotation'), failed('StorageException'));
      now += 60_000;
    }
    expect(told).toHaveLength(2);
    await see('vault:Lock', job('suspend'), ok());
    await see('vault:Lock', job('screen-lock'), ok());
    expect(told).toHaveLength(3);
    now += 60_000;
    await see('vault:Lock', job('screen-lock'), ok());
    expect(told).toHaveLength(4);
  });

  it('of a date that came near while the same was told just now: when that is an hour ago', () => {
    start();
    secretDeletions = [instant(now + 20 * HOUR)];
    board.look();
    secretDeletions.push(instant(now + 10 * HOUR));
    now += HOUR / 2;
    board.look();
    expect([told.length, timers.map(({ ms }) => ms)]).toEqual([1, [HOUR / 2]]);
    now += HOUR / 2;
    timers.at(-1)?.fire();
    expect([told.length, timers.length]).toEqual([2, 0]);
  });

  it('of secrets: a deletion a day before it, and a week before what they hold expires, each once', () => {
    start();
    secretDeletions = [instant(now + 20 * HOUR)];
    expiries = [instant(now + 100 * HOUR), instant(now + 400 * HOUR)];
    board.look();
    board.look();
    expect(titles()).toEqual(['A secret will be deleted within a day', 'A secret expires within a week']);
    expect(timers).toHaveLength(1);
    now += 240 * HOUR;
    timers.at(-1)?.fire();
    expect(titles().slice(2).sort()).toEqual(['A secret expires within a week', 'A secret has expired']);
    now += 160 * HOUR;
    timers.at(-1)?.fire();
    expect(titles().slice(4)).toEqual(['A secret has expired']);
    expect(timers).toHaveLength(0);
  });

  it('of what expired while it was locked, once, and for a week', () => {
    start();
    board.look();
    expiries = [instant(now - 2 * HOUR), instant(now - 3 * HOUR), instant(now - 7 * 24 * HOUR)];
    board.look();
    board.look();
    expect(titles()).toEqual(['A secret has expired']);
    // Locked, and opened again in the same run of the program.
    expiries = [];
    board.look();
    now += 2 * HOUR;
    expiries = [instant(now - 4 * HOUR)];
    board.look();
    expect([titles(), timers]).toEqual([['A secret has expired'], []]);
  });

  it('of an expiry that comes nearer than one that it was told of, and of no date twice', () => {
    start();
    expiries = [instant(now + 100 * HOUR)];
    board.look();
    now += 2 * HOUR;
    expiries = [instant(now + 50 * HOUR), instant(now + 98 * HOUR)];
    board.look();
    board.look();
    expect(titles()).toEqual(['A secret expires within a week', 'A secret expires within a week']);
    now += 2 * HOUR;
    // Put off, and put back.
    expiries = [instant(now + 96 * HOUR)];
    board.look();
    expiries = [instant(now + 48 * HOUR), instant(now + 96 * HOUR)];
    board.look();
    expect(told).toHaveLength(2);
  });

  it('of a deletion a day before it, once for each date, and not after it', () => {
    start();
    board.look();
    nextDeletion = instant(now + 72 * HOUR);
    board.look();
    expect([told, timers.map(({ ms }) => ms)]).toEqual([[], [6 * HOUR]]);
    for (let at = 0; at < 8; at++) {
      now += 6 * HOUR;
      timers.at(-1)?.fire();
    }
    expect(titles()).toEqual(['A key will be deleted within a day']);
    board.look();
    expect(told).toHaveLength(1);
    now += 30 * HOUR;
    nextDeletion = instant(now - HOUR);
    board.look();
    expect(told).toHaveLength(1);
    nextDeletion = instant(now + 2 * HOUR);
    board.look();
    expect(told).toHaveLength(2);
    nextDeletion = instant(now + 200 * HOUR);
    board.look();
    board.stop();
    expect(timers).toEqual([]);
  });

  it('without a name, a number of a key, or what an error says', async () => {
    start();
    for (const [name, operation, result] of [['a', 'kms:DeleteDueKeys', ok({ KeyArns: [ARN] })], ['a', 'kms:RotateDueKeys', failed('StorageException')], ['suspend', 'vault:Lock', ok()], ['a', 'kms:RotateDueKeys', failed('TrailBrokenException')]] as const) await see(operation, job(name), result);
    expect(told.length).toBe(4);
    for (const { title, body } of told) {
      expect(`${title} ${body}`).not.toMatch(/arn|key\/|0b6d|<|&/);
      expect(title.length).toBeLessThan(60);
    }
  });
});
