/** `keystead init`: makes a vault, hands over its recovery code, and leaves it unlocked. */
import { EXIT } from '../shared/model/errors.ts';
import { SecretBytes } from '../shared/model/secret-bytes.ts';
import { join } from 'node:path';
import { vaultName } from '../shared/api/vault.ts';
import { DEFAULT_VAULT_NAME, vaultsFolder } from '../shared/model/paths.ts';
import { callFor, flagSwitch, flagText, type Command, type Run } from './command.ts';
import { PASSWORD, PASSWORD_STDIN, secretsOf } from './factors.ts';
import { reachOrLaunch } from './launch.ts';
import { hasVault, placeOf, remember, type Place } from './place.ts';
import { ask, onTerminal } from './prompt.ts';
import { abandonCodeOutlet, CODE_FLAGS, handOver, openCodeOutlet } from './recovery-code.ts';
import { cancelled, CliError, usage } from './world.ts';

const KEYCHAIN_ONLY_PRICE = [
  'A vault without a password opens for everything that runs in your logged-in session: every program that you start, and',
  'whoever sits at the unlocked screen. Without the keychain of this system (a new machine, a reset login) only the recovery',
  'code opens it.',
];

export const initCommand: Command = {
  names: ['init'],
  summary: 'Make a vault, and leave it unlocked',
  details: [
    'Asks for a password twice, makes the vault, and shows a recovery code once.',
    'Without a terminal: --password-stdin, and --recovery-code-file PATH or --no-recovery-code.',
    '',
    'With --keychain-only there is no password:',
    ...KEYCHAIN_ONLY_PRICE,
  ],
  flags: [
    { name: 'name', takes: 'value', placeholder: 'NAME', fallback: DEFAULT_VAULT_NAME, about: 'Name of the vault, and of its folder unless --vault is given' },
    { name: 'region', takes: 'value', fallback: 'us-east-1', about: 'Region in the ARNs of this vault' },
    { name: 'account', takes: 'value', placeholder: 'DIGITS', about: 'Account in the ARNs of this vault; 12 random digits if left out' },
    { name: 'factors', takes: 'value', choices: ['password', 'password+keychain'], about: 'What opens it; with the keychain where there is a usable one, if left out' },
    { name: 'keychain-only', takes: 'switch', about: 'No password: the keychain of this system opens it' },
    { name: 'accept-keychain-only', takes: 'switch', about: 'Say yes to the price of --keychain-only without being asked' },
    { name: 'recovery-code', takes: 'negatable', fallback: 'on', about: 'Whether to make a recovery code; without one a forgotten password is the end of the vault' },
    ...CODE_FLAGS,
    PASSWORD,
    PASSWORD_STDIN,
  ],
  examples: ['keystead init', 'keystead init --password-stdin --recovery-code-file code.txt < password.txt'],
  run: init,
};

async function init(run: Run): Promise<number> {
  const { world } = run;
  const place = await placeFor(run);
  if (hasVault(place)) throw new CliError('VaultExistsException', EXIT.conflict, `there is a vault in \`${place.folder}\` already`, { next: 'keystead unlock' });
  const keychainOnly = flagSwitch(run, 'keychain-only') === true;
  if (keychainOnly) await acceptPrice(run);
  const outlet = await openCodeOutlet(run, { mayDecline: true });
  try {
    if (outlet.kind === 'none') await world.stderr.write('Without a recovery code, a forgotten password is the end of this vault.\n');
    const [password] = keychainOnly ? [] : await secretsOf(run, [{ question: 'New password', fresh: true }], 'a new password');
    using _password = password ?? SecretBytes.allocate(0);
    const input = {
      ...(password ? { Password: password } : {}),
      ...(keychainOnly ? { Factors: 'keychain', AcceptKeychainOnly: true } : { Factors: flagText(run, 'factors') }),
      RecoveryCode: outlet.kind !== 'none',
      Name: flagText(run, 'name'),
      Region: flagText(run, 'region'),
      Account: flagText(run, 'account'),
    };
    const { connection, launched } = await reachOrLaunch(world, place);
    try {
      const made = await callFor(run, connection, 'vault:Create', input).catch(async (error: unknown) => {
        if (launched) await connection.call('vault:Stop', {}, {}).catch(() => undefined);
        throw error;
      });
      await remember(world, place);
      if (made.RecoveryCode) await handOver(world, outlet, made.RecoveryCode);
      const { RecoveryCode: _shown, ...facts } = made;
      if (run.output === 'json') await world.stdout.write(`${JSON.stringify({ ...facts, Folder: place.folder }, null, 4)}\n`);
      else await world.stdout.write(`Vault \`${made.Name}\` is in ${place.folder}, opens by ${made.Factors.replace('+', ' and ')}, and is unlocked.\n`);
      return EXIT.ok;
    } finally {
      connection.close();
    }
  } catch (error) {
    await abandonCodeOutlet(outlet);
    throw error;
  }
}

/** `--vault`, KEYSTEAD_VAULT, or a folder by its name: never the last one used, which is another vault. */
async function placeFor(run: Run): Promise<Place> {
  const given = flagText(run, 'vault') ?? run.world.surroundings.env['KEYSTEAD_VAULT'];
  const name = flagText(run, 'name') ?? DEFAULT_VAULT_NAME;
  if (given !== undefined && given !== '') return placeOf(run.world, given);
  const judged = vaultName.safeParse(name);
  if (!judged.success) throw usage(`--name ${judged.error.issues[0]?.message ?? 'is not a name'}`);
  return placeOf(run.world, join(vaultsFolder(run.world.surroundings), name));
}

async function acceptPrice(run: Run): Promise<void> {
  const { world } = run;
  if (flagSwitch(run, 'accept-keychain-only')) return;
  if (!onTerminal(world)) throw usage(`--keychain-only without a terminal needs --accept-keychain-only. ${KEYCHAIN_ONLY_PRICE.join(' ')}`);
  await world.stderr.write(`${KEYCHAIN_ONLY_PRICE.join('\n')}\n`);
  if ((await ask(world, 'Type `keychain only` to go on: ')) !== 'keychain only') throw cancelled();
}
