/** `vault:` operations about programs of the owner's that this vault may run: rotators of the kind `command`. */
import { z } from 'zod';
import * as f from './fields.ts';
import { operation } from './operation.ts';
import { proof, PROOF_ERRORS } from './slots.ts';
import { oneFactor } from './token-factor.ts';

export const MOST_COMMANDS = 32;

const name = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/, { error: 'must be up to 64 of letters, digits, `.`, `_` and `-`, and begin with a letter or a digit' }).describe('What a rotator calls it by');
const argument = z
  .string()
  .max(1024)
  .refine((text) => !text.includes('\0'), { error: 'must hold no NUL' });
const command = {
  Name: name,
  Path: z.string(),
  Arguments: z.array(z.string()),
  Sha256: z.string().describe('Of the file as it was when it was allowed; it is not run when it has another'),
};

export const allowCommand = operation({
  name: 'vault:AllowCommand',
  summary: 'Allow a program to be run as the rotator of secrets that name it',
  input: () => z
    .strictObject({
      Name: name,
      Path: f.absolutePath.describe('The program: a file of yours or root’s that nobody else may write to'),
      Arguments: z.array(argument).max(32).optional().describe('What it is always called with; never a secret'),
      ...proof,
    })
    .superRefine(oneFactor),
  output: () => z.strictObject(command),
  errors: [...PROOF_ERRORS, 'AlreadyExistsException'],
  effect: 'control',
  needs: 'unlocked',
  doors: ['ipc', 'cli'],
  audited: ['Name', 'Path'],
  command: { alias: 'secret allow-command' },
});

export const listCommands = operation({
  name: 'vault:ListCommands',
  summary: 'List the programs that may be run as rotators',
  input: () => z.strictObject({}),
  output: () => z.strictObject({ Commands: z.array(z.strictObject(command)) }),
  errors: [],
  effect: 'read',
  needs: 'unlocked',
  doors: ['ipc', 'cli'],
  audited: [],
  command: { alias: 'secret list-commands' },
});

export const disallowCommand = operation({
  name: 'vault:DisallowCommand',
  summary: 'Take a program off the list; secrets that name it are no longer rotated',
  input: () => z.strictObject({ Name: name }),
  output: () => z.strictObject({}),
  errors: ['NotFoundException'],
  effect: 'write',
  needs: 'unlocked',
  doors: ['ipc', 'cli'],
  audited: ['Name'],
  command: { alias: 'secret disallow-command' },
});
