/** `vault:` handlers: the list of programs that may be run as rotators. A secret only names one; what it is and what it is called with stands here. */
import { MOST_COMMANDS } from '../../shared/api/commands.ts';
import { hex } from '../crypto/bytes.ts';
import type { HashFile } from '../platform/ports.ts';
import type { VaultSettings } from '../store/port.ts';
import type { HandlersOf } from './rights.ts';

type Names = 'AllowCommand' | 'ListCommands' | 'DisallowCommand';
type Command = NonNullable<VaultSettings['commands']>[number];

const shown = ({ name, path, args, sha256 }: Command) => ({ Name: name, Path: path, Arguments: [...args], Sha256: sha256 });
const byName = (a: Command, b: Command): number => (a.name < b.name ? -1 : 1);

export const commandHandlers = (hashFile: HashFile): Pick<HandlersOf<'vault'>, `vault:${Names}`> => ({
  'vault:AllowCommand': async (input, call, { writer }) => {
    const { digest } = await hashFile({ path: input.Path, algorithm: 'sha256', wholeUpTo: 0 }, { signal: call.signal, progress: () => undefined });
    const settings = await writer.settings();
    const { commands = [] } = settings;
    if (commands.some(({ name }) => name === input.Name)) return call.fail('AlreadyExistsException', `command \`${input.Name}\` is allowed already; take it off the list first with \`keystead secret disallow-command\``);
    if (commands.length >= MOST_COMMANDS) return call.fail('LimitExceededException', `${String(MOST_COMMANDS)} commands are allowed, which is the limit; take one off the list with \`keystead secret disallow-command\``);
    const command: Command = { name: input.Name, path: input.Path, args: input.Arguments ?? [], sha256: hex(digest) };
    writer.putSettings({ ...settings, commands: [...commands, command].sort(byName) });
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
