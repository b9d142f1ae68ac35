/** `keystead unlock`: opens the vault, starting its process when nobody answers. */
import { setTimeout as sleep } from 'node:timers/promises';
import { EXIT } from '../shared/model/errors.ts';
import { NEW_CODE, RECOVERY_USED } from '../shared/model/recovery-used.ts';
import { disposeSecrets } from '../shared/model/secret-bytes.ts';
import type { Output } from '../shared/api/index.ts';
import { callFor, flagSwitch, type Command, type Run } from './command.ts';
import type { Connection } from './connection.ts';
import { KEYCHAIN_FLAG, proofOf, prove, PROOF_FLAGS, TOKEN_FLAGS } from './factors.ts';
import { reachOrLaunch } from './launch.ts';
import { hasVault, noVault, remember } from './place.ts';
import { onTerminal } from './prompt.ts';
import { cancelled, CliError, ofVault } from './world.ts';

const ATTEMPTS = 3;

export const unlockCommand: Command = {
  names: ['unlock'],
  summary: 'Open the vault; starts it when it is not running',
  details: [
    'Forgotten password: `keystead unlock --recovery-code`, then `keystead password change --recovery-code`.',
    'After wrong passwords the vault waits 0, 0, 1, 2, 4 … 60 s; on a terminal the wait is shown and passed here.',
  ],
  flags: [...PROOF_FLAGS, KEYCHAIN_FLAG, ...TOKEN_FLAGS],
  examples: ['keystead unlock', 'keystead unlock --password-stdin < password.txt', 'keystead unlock --recovery-code', 'keystead unlock --token'],
  run: unlock,
};

async function unlock(run: Run): Promise<number> {
  const { world } = run;
  const place = await run.place();
  if (!hasVault(place)) throw noVault(place);
  const { connection, launched } = await reachOrLaunch(world, place);
  try {
    const status = await callFor(run, connection, 'vault:Status', {});
    if (status.State === 'unlocked' || status.State === 'readOnly') {
      await world.stderr.write('The vault is unlocked already.\n');
      return EXIT.ok;
    }
    const opened = await attempts(run, connection).catch(async (error: unknown) => {
      if (launched) await connection.call('vault:Stop', {}, {}).catch(() => undefined);
      throw error;
    });
    await remember(world, place);
    if (run.output === 'json') await world.stdout.write(`${JSON.stringify(opened, null, 4)}\n`);
    else await world.stdout.write(`Vault \`${opened.Name}\` is unlocked.\n`);
    if (opened.Problem !== undefined) await world.stderr.write(`It is read-only: ${opened.Problem}\n  type: keystead doctor\n`);
    if (opened.RecoveryCodeUsed) {
      const next = opened.SlotType === 'recovery' ? `${NEW_CODE.forgotten}   (sets a new password too; if the old one is known: ${NEW_CODE.known})` : NEW_CODE.known;
      await world.stderr.write(`${RECOVERY_USED}\n  type: ${next}\n`);
    }
    return EXIT.ok;
  } finally {
    connection.close();
  }
}

/** Asks again after a wrong password on a terminal; elsewhere one attempt. */
async function attempts(run: Run, connection: Connection): Promise<Output<'vault:Unlock'>> {
  const { world } = run;
  const proof = proofOf(run);
  const interactive = onTerminal(world) && flagSwitch(run, 'password-stdin') !== true && (proof.kind === 'Password' || proof.kind === 'RecoveryCode');
  for (let left = interactive ? ATTEMPTS - 1 : 0; ; left--) {
    const { fields } = await prove(run, proof);
    try {
      return await once(run, connection, fields);
    } catch (error) {
      const wrong = error instanceof CliError && (error.code === 'IncorrectPasswordException' || error.code === 'IncorrectRecoveryCodeException');
      if (!wrong || left === 0) throw error;
      await world.stderr.write(`${capital(error.message)}.\n`);
    } finally {
      disposeSecrets(fields);
    }
  }
}

/** One attempt, and again after the wait when the vault says that it is too early; without a terminal that is an error. */
async function once(run: Run, connection: Connection, fields: Readonly<Record<string, unknown>>): Promise<Output<'vault:Unlock'>> {
  for (;;) {
    const answer = await connection.call('vault:Unlock', fields, { signal: run.signal });
    if (answer.ok) return answer.output as Output<'vault:Unlock'>;
    if (answer.error.code !== 'UnlockDelayedException' || !onTerminal(run.world)) throw ofVault(answer.error, answer.requestId);
    await countDown(run, Number(answer.error.details?.['retryAfterSeconds'] ?? '1'));
  }
}

async function countDown(run: Run, seconds: number): Promise<void> {
  const { world } = run;
  const until = world.monotonic() + Math.min(Math.max(seconds, 0), 60) * 1000;
  for (;;) {
    const left = Math.ceil((until - world.monotonic()) / 1000);
    await world.stderr.write(`\r\u001b[0K${left > 0 ? `After wrong passwords the vault waits: ${String(left)} s` : ''}`);
    if (left <= 0) return;
    await sleep(Math.min(1000, Math.max(1, until - world.monotonic())), undefined, { signal: run.signal }).catch(() => { throw cancelled(); });
  }
}

const capital = (text: string): string => `${text.charAt(0).toUpperCase()}${text.slice(1)}`;
