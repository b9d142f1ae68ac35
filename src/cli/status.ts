/** `keystead status`, `lock`, `stop`, `serve`: the vault's process and its state. */
import { spawn } from 'node:child_process';
import { OPERATIONS, type Output } from '../shared/api/index.ts';
import { EXIT } from '../shared/model/errors.ts';
import { NEW_CODE, RECOVERY_USED } from '../shared/model/recovery-used.ts';
import { callFor, flagSwitch, flagText, withVault, type Command, type Run } from './command.ts';
import { serverEnvironment } from './launch.ts';
import { isoTime, printAnswer } from './output.ts';
import { notBuilt, usage } from './world.ts';

export const statusCommand: Command = {
  names: ['status', 'vault status'],
  summary: OPERATIONS['vault:Status'].summary,
  details: ['Ends with 7 when it is not running, and 5 when there is no vault.'],
  flags: [],
  async run(run) {
    const answer = await withVault(run, (connection) => callFor(run, connection, 'vault:Status', {}));
    if (run.output === 'json') await printAnswer(run.world, 'json', OPERATIONS['vault:Status'].output, answer);
    else await run.world.stdout.write(statusText(answer));
    return answer.State === 'absent' ? EXIT.notFound : EXIT.ok;
  },
};

const STATES = { absent: 'there is no vault here yet', locked: 'locked', trailBroken: 'locked, its trail is broken', unlocked: 'unlocked', readOnly: 'unlocked, read-only' } as const;

function statusText(answer: Output<'vault:Status'>): string {
  const rows: (readonly [string, string | undefined])[] = [
    ['State', STATES[answer.State]],
    ['Problem', answer.Problem],
    ['Name', answer.Name],
    ['Folder', answer.Folder],
    ['Vault id', answer.VaultId],
    ['Opens by', answer.SlotTypes?.join(', ')],
    ['Wait', answer.RetryAfterSeconds === undefined ? undefined : `${String(Math.ceil(answer.RetryAfterSeconds))} s after wrong passwords`],
    ['Unlocked', answer.UnlockedAt === undefined ? undefined : isoTime(answer.UnlockedAt)],
    ['Locks', answer.LocksAt === undefined ? undefined : `${isoTime(answer.LocksAt)}, if nothing is asked of it`],
    ['Recovery', answer.RecoveryCodeUsed ? `${RECOVERY_USED}: ${NEW_CODE.forgotten}` : undefined],
    ['Process', `${String(answer.ProcessId)}, version ${answer.Version}, since ${isoTime(answer.StartedAt)}`],
  ];
  return rows.flatMap(([name, value]) => (value === undefined ? [] : [`${name.padEnd(9)} ${value}\n`])).join('');
}

export const lockCommand: Command = {
  names: ['lock', 'vault lock'],
  summary: OPERATIONS['vault:Lock'].summary,
  flags: [],
  async run(run) {
    await withVault(run, (connection) => callFor(run, connection, 'vault:Lock', {}));
    await run.world.stderr.write('The vault is locked.\n');
    return EXIT.ok;
  },
};

export const stopCommand: Command = {
  names: ['stop', 'vault stop'],
  summary: OPERATIONS['vault:Stop'].summary,
  flags: [],
  async run(run) {
    await withVault(run, async (connection) => {
      await callFor(run, connection, 'vault:Stop', {});
      // The next command must not meet the old process on its way out.
      await connection.closed;
    });
    await run.world.stderr.write('The vault is locked and its process has ended.\n');
    return EXIT.ok;
  },
};

export const serveCommand: Command = {
  names: ['serve'],
  summary: 'Run the process of the vault here, in the foreground, until Ctrl+C',
  details: [
    '`init` and `unlock` start it by themselves; this is for a service manager, or to watch it.',
    '',
    'With --ephemeral it is another vault, for a test suite or CI: in memory, new at each start, for AWS clients only, over plain HTTP on',
    '127.0.0.1. `POST /_keystead/reset` empties it. Its access key is no secret: nothing real belongs into it.',
  ],
  flags: [
    { name: 'ephemeral', takes: 'switch', about: 'A throwaway vault for AWS clients' },
    { name: 'port', takes: 'value', placeholder: 'N', about: 'With --ephemeral: the port, 5997 if left out; 0 takes any that is free' },
    { name: 'account', takes: 'value', placeholder: 'DIGITS', about: 'With --ephemeral: the account in ARNs; zeros if left out' },
    { name: 'region', takes: 'value', placeholder: 'REGION', about: 'With --ephemeral: the region; us-east-1 if left out' },
    { name: 'access-key', takes: 'value', placeholder: 'ID:SECRET', about: 'With --ephemeral: the access key of its one client; test:test if left out' },
  ],
  examples: ['keystead serve', 'keystead serve --ephemeral --account 123456789012 --access-key test:test --port 5997'],
  async run(run) {
    const { world } = run;
    if (!world.server) throw notBuilt();
    const child = spawn(world.server.program, [...world.server.args, ...(await serveArguments(run))], { stdio: 'inherit', env: serverEnvironment(world.surroundings.env) });
    // However this process ends, the vault's must not stay behind.
    const onEnd = (): void => { child.kill('SIGTERM'); };
    process.on('exit', onEnd);
    try {
      return await new Promise<number>((resolve) => {
        child.once('exit', (code, signal) => { resolve(code ?? (signal === 'SIGINT' || signal === 'SIGTERM' ? EXIT.ok : EXIT.internal)); });
        child.once('error', () => { resolve(EXIT.internal); });
      });
    } finally {
      process.off('exit', onEnd);
    }
  },
};

const OF_EPHEMERAL = ['port', 'account', 'region', 'access-key'] as const;

async function serveArguments(run: Run): Promise<readonly string[]> {
  const given = OF_EPHEMERAL.flatMap((name) => {
    const value = flagText(run, name);
    return value === undefined ? [] : [`--${name}`, value];
  });
  if (flagSwitch(run, 'ephemeral') === true) return ['--ephemeral', ...given];
  if (given.length > 0) throw usage(`\`${given[0] ?? ''}\` goes with --ephemeral`);
  return ['--vault', (await run.place()).folder];
}
