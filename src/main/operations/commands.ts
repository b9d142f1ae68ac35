/** `vault:` handlers: the list of programs that may be run as rotators. A secret only names one; what it is and what it is called with stands here. */
import { MOST_COMMANDS } from '../../shared/api/commands.ts';
import { VaultError } from '../../shared/model/errors.ts';
import { hex } from '../crypto/bytes.ts';
import type { HashFile } from '../platform/ports.ts';
import type { VaultSettings } from '../store/port.ts';
import { changeSettings } from '../vault/recovery.ts';
import { prove } from '../vault/slots.ts';
import { openOrThrow } from '../vault/vault.ts';
import type { HandlersOf } from './rights.ts';
import type { VaultControl } from './vault.ts';

type Names = 'AllowCommand' | 'ListCommands' | 'DisallowCommand';
type Command = NonNullable<VaultSettings['commands']>[number];

const shown = ({ name, path, args, sha256 }: Command) => ({ Name: name, Path: path, Arguments: [...args], Sha256: sha256 });
const byName = (a: Command, b: Command): number => (a.name < b.name ? -1 : 1);

/** AlreadyExistsException, LimitExceededException. */
function withCommand(settings: VaultSettings, command: Command): VaultSettings {
  const { commands = [] } = settings;
  if (commands.some(({ name }) => name === command.name)) throw new VaultError('AlreadyExistsException', `command \`${command.name}\` is allowed already; take it off the list first with \`keystead secret disallow-command\``);
  if (commands.length >= MOST_COMMANDS) throw new VaultError('LimitExceededException', `${String(MOST_COMMANDS)} commands are allowed, which is the limit; take one off the list with \`keystead secret disallow-command\``);
  return { ...settings, commands: [...commands, command].sort(byName) };
}

export const commandHandlers = ({ vault, attempts }: Pick<VaultControl, 'vault' | 'attempts'>, hashFile: HashFile): Pick<HandlersOf<'vault'>, `vault:${Names}`> => ({
  // It runs with the rights of this user whenever a secret that names it is rotated: an unattended open vault gets none.
  'vault:AllowCommand': async (input, call) => {
    await prove(vault, input, attempts, call.intent);
    const { digest } = await hashFile({ path: input.Path, algorithm: 'sha256', wholeUpTo: 0 }, { signal: call.signal, progress: () => undefined });
    const command: Command = { name: input.Name, path: input.Path, args: input.Arguments ?? [], sha256: hex(digest) };
    await changeSettings(vault, openOrThrow(vault), { reason: 'command:allowed', intent: call.intent, change: (settings) => withCommand(settings, command) });
    return shown(command);
  },

  'vault:ListCommands': async (_input, _call, { reader }) => ({ Commands: ((await reader.settings()).commands ?? []).map(shown) }),

  'vault:DisallowCommand': async (input, call, { writer }) => {
    const settings = await writer.settings();
    const { commands = [] } = settings;
    const left = commands.filter(({ name }) => name !== input.Name);
    if (left.length === commands.length) return call.fail('NotFoundException', `command \`${input.Name}\` is not on the list; see \`keystead secret list-commands\``);
    writer.putSettings({ ...settings, commands: left });
    return {};
  },
});
