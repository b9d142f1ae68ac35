/** Showing a recovery code once: on the terminal, where two groups are typed back, or into a new file. */
import { SecretBytes } from '../shared/model/secret-bytes.ts';
import type { Flag } from './arguments.ts';
import { flagSwitch, flagText, type Run } from './command.ts';
import { createNew, type NewFile } from './files.ts';
import { askSecret, onTerminal, sameBytes } from './prompt.ts';
import { usage, type World } from './world.ts';

export const CODE_FLAGS: readonly Flag[] = [
  { name: 'recovery-code-file', takes: 'value', placeholder: 'PATH', about: 'Write the recovery code to this new file (0600) and do not show it' },
];

/** Where the new code goes. Decided, and the file made, before the vault makes the code. */
export type CodeOutlet = { readonly kind: 'terminal' } | { readonly kind: 'file'; readonly file: NewFile } | { readonly kind: 'none' };

/** Throws a usage error when there is no terminal and nothing was said. */
export async function openCodeOutlet(run: Run, options: { readonly mayDecline: boolean }): Promise<CodeOutlet> {
  const path = flagText(run, 'recovery-code-file');
  const declined = options.mayDecline && flagSwitch(run, 'recovery-code') === false;
  if (declined && path !== undefined) throw usage('give either --recovery-code-file or --no-recovery-code');
  if (declined) return { kind: 'none' };
  if (path !== undefined) return { kind: 'file', file: await createNew(run.world, path, true) };
  if (onTerminal(run.world)) return { kind: 'terminal' };
  throw usage(`there is no terminal to show the recovery code on; give --recovery-code-file PATH${options.mayDecline ? ', or --no-recovery-code' : ''}`);
}

export const abandonCodeOutlet = async (outlet: CodeOutlet): Promise<void> => (outlet.kind === 'file' ? outlet.file.abandon() : undefined);

const GROUPS = 7;
const GROUP_LENGTH = 4;

/** Hands the code over and disposes of it. */
export async function handOver(world: World, outlet: CodeOutlet, code: SecretBytes): Promise<void> {
  using shown = code;
  if (outlet.kind === 'none') return;
  if (outlet.kind === 'file') {
    using line = SecretBytes.allocate(shown.length + 1);
    await line.borrow(async (bytes) => {
      shown.borrow((source) => { bytes.set(source); });
      bytes[shown.length] = 0x0a;
      await outlet.file.write(bytes);
    });
    await world.stderr.write(`The recovery code is in \`${outlet.file.path}\`. Print it, keep it away from this machine, and delete the file.\n`);
    return;
  }
  await onPaper(world, shown);
}

async function show(world: World, code: SecretBytes): Promise<void> {
  await world.stderr.write(
    '\nRecovery code. It opens the vault without the password, and is shown only this once.\nWrite it down or print it, and keep it away from this machine:\n\n    ',
  );
  await code.borrow((bytes) => world.stderr.write(new Uint8Array(bytes)));
  await world.stderr.write('\n\n');
}

/** Two groups are typed back, so that the paper has been looked at; then the code is taken off the screen. */
async function onPaper(world: World, code: SecretBytes): Promise<void> {
  const first = world.randomBelow(GROUPS);
  const second = (first + 1 + world.randomBelow(GROUPS - 1)) % GROUPS;
  for (;;) {
    await show(world, code);
    let right = true;
    for (const group of [first, second].sort((a, b) => a - b)) right = (await askGroup(world, code, group)) && right;
    // Question lines, code and the lines around it; the screen only, what scrolled away stays.
    await world.stderr.write('\u001b[8A\u001b[0J');
    if (right) break;
    await world.stderr.write('That is not what the code says. Here it is again.\n');
  }
  await world.stderr.write('The recovery code is confirmed.\n');
}

async function askGroup(world: World, code: SecretBytes, group: number): Promise<boolean> {
  using typed = await askSecret(world, `Type group ${String(group + 1)} of ${String(GROUPS)}: `, { mask: true });
  using wanted = code.borrow((bytes) => SecretBytes.copy(bytes.subarray(group * (GROUP_LENGTH + 1), group * (GROUP_LENGTH + 1) + GROUP_LENGTH)));
  using upper = typed.borrow((bytes) => SecretBytes.take(bytes.map((byte) => (byte >= 0x61 && byte <= 0x7a ? byte - 0x20 : byte))));
  return sameBytes(upper, wanted);
}
