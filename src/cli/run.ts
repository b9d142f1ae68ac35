/** From arguments to an exit code. Never throws. */
import { EXIT, exitCodeOf, VaultError } from '../shared/model/errors.ts';
import type { Name } from '../shared/api/index.ts';
import { closest, GLOBAL_FLAGS, parseFlags, splitCommand } from './arguments.ts';
import { awsDoorCommand, awsEnvCommand, awsProfileCommand, awsStatusCommand } from './aws-commands.ts';
import { startRun, type Command } from './command.ts';
import { completionCommand } from './completion.ts';
import { declaredCommands } from './declared.ts';
import { doctorCommand } from './doctor.ts';
import { fileDecryptCommand, fileEncryptCommand } from './cipher-commands.ts';
import { certificateExportCommand, certificateRequestCommand } from './certificate-commands.ts';
import { fileSignCommand, fileVerifyCommand } from './file-commands.ts';
import { commandHelp, groupHelp, mainHelp, nameOf } from './help.ts';
import { secretImportCommand } from './import-command.ts';
import { initCommand } from './init.ts';
import { passwordChangeCommand, slotAddCommand, slotListCommand, slotRemoveCommand } from './slot-commands.ts';
import { lockCommand, serveCommand, statusCommand, stopCommand } from './status.ts';
import { trailCheckpointCommand, trailEventsCommand, trailExportEvidenceCommand, trailVerifyCheckpointCommand, trailVerifyCommand } from './trail-commands.ts';
import { allowCommandCommand } from './allow-command.ts';
import { trailStartNewChainCommand } from './new-chain-command.ts';
import { unlockCommand } from './unlock.ts';
import { cancelled, CliError, usage, type World } from './world.ts';

/** Operations whose command is made by hand; each still has its declared name, unless that is hidden. */
export const WRAPPED: Readonly<Partial<Record<Name, Command>>> = {
  'vault:Create': initCommand,
  'vault:Unlock': unlockCommand,
  'vault:Lock': lockCommand,
  'vault:Stop': stopCommand,
  'vault:Status': statusCommand,
  'vault:Diagnose': doctorCommand,
  'vault:ListSlots': slotListCommand,
  'vault:AddSlot': slotAddCommand,
  'vault:RemoveSlot': slotRemoveCommand,
  'vault:ChangePassword': passwordChangeCommand,
  'vault:AllowCommand': allowCommandCommand,
  'access:UpdateAwsDoor': awsDoorCommand,
  'access:DescribeAwsDoor': awsStatusCommand,
  'file:Sign': fileSignCommand,
  'file:Verify': fileVerifyCommand,
  'file:GenerateCertificateRequest': certificateRequestCommand,
  'hardware:ExportCertificate': certificateExportCommand,
  'file:Encrypt': fileEncryptCommand,
  'file:Decrypt': fileDecryptCommand,
  'secretsmanager:ImportSecrets': secretImportCommand,
  'trail:VerifyTrail': trailVerifyCommand,
  'trail:ExportCheckpoint': trailCheckpointCommand,
  'trail:VerifyCheckpoint': trailVerifyCheckpointCommand,
  'trail:LookupEvents': trailEventsCommand,
  'trail:StartNewChain': trailStartNewChainCommand,
  'trail:ExportEvidence': trailExportEvidenceCommand,
};

export const COMMANDS: readonly Command[] = [
  ...Object.values(WRAPPED),
  serveCommand,
  awsEnvCommand,
  awsProfileCommand,
  completionCommand(() => COMMANDS),
  ...declaredCommands(new Set(Object.keys(WRAPPED) as Name[])),
];

const BY_NAME: ReadonlyMap<string, Command> = new Map(COMMANDS.flatMap((command) => command.names.map((name) => [name, command] as const)));
const isBeginning = (words: readonly string[]): boolean => {
  const text = words.join(' ');
  return BY_NAME.has(text) || [...BY_NAME.keys()].some((name) => name.startsWith(`${text} `));
};

export async function runCommandLine(argv: readonly string[], world: World): Promise<number> {
  const debug = argv.includes('--debug');
  try {
    return await route(argv, world);
  } catch (error) {
    return await report(world, error, debug);
  }
}

async function route(argv: readonly string[], world: World): Promise<number> {
  const { words, rest } = splitCommand(argv, isBeginning);
  const name = words.join(' ');
  const command = BY_NAME.get(name);
  const wantsHelp = rest.includes('--help') || rest.includes('-h');
  if (rest.includes('--version') && !command) {
    await world.stdout.write(`keystead ${world.version}\n`);
    return EXIT.ok;
  }
  if (!command) {
    const help = name === '' ? mainHelp(COMMANDS, world.version) : groupHelp(name, COMMANDS);
    const spare = rest.find((token) => !token.startsWith('-'));
    if (spare !== undefined && !wantsHelp) throw unknownCommand([...words, spare]);
    const output = wantsHelp ? world.stdout : world.stderr;
    await output.write(help);
    return wantsHelp ? EXIT.ok : EXIT.usage;
  }
  if (wantsHelp) {
    await world.stdout.write(commandHelp(command));
    return EXIT.ok;
  }
  try {
    const values = parseFlags(rest, [...command.flags, ...GLOBAL_FLAGS], command.positionals);
    const { run, end } = startRun(world, values);
    try {
      return await command.run(run);
    } finally {
      end();
    }
  } catch (error) {
    throw error instanceof CliError && error.code === 'UsageError' && error.next === undefined ? usage(error.message, `keystead ${nameOf(command)} --help`) : error;
  }
}

function unknownCommand(words: readonly string[]): CliError {
  const near = closest(words.join(' '), [...BY_NAME.keys()]);
  return usage(`there is no command \`${words.join(' ').slice(0, 80)}\``, near === undefined ? 'keystead --help' : `keystead ${near}`);
}

/** `keystead: message (Code)`, and the one line to type. Values are never in it. */
async function report(world: World, error: unknown, debug: boolean): Promise<number> {
  const known = asCliError(error);
  const lines = [`keystead: ${known.message} (${known.code})`];
  if (known.next !== undefined) lines.push(`  type: ${known.next}`);
  if (debug && known.requestId !== undefined) lines.push(`  request: ${known.requestId}`);
  if (debug && known.code === 'InternalException' && error instanceof Error && error.stack !== undefined) lines.push(...error.stack.split('\n').slice(1));
  await world.stderr.write(`${lines.join('\n')}\n`);
  return known.exit;
}

function asCliError(error: unknown): CliError {
  if (error instanceof CliError) return error;
  if (error instanceof VaultError) return new CliError(error.code, exitCodeOf(error.code), error.message);
  if (error instanceof Error && error.name === 'AbortError') return cancelled();
  return new CliError('InternalException', EXIT.internal, 'this command failed in a way that it should not; add --debug and report it', {});
}
