/** `keystead secret allow-command`: asks for the password, since what is allowed runs with this user's rights. */
import { OPERATIONS } from '../shared/api/index.ts';
import { EXIT } from '../shared/model/errors.ts';
import { disposeSecrets } from '../shared/model/secret-bytes.ts';
import { listOf } from './arguments.ts';
import { callFor, flagText, withVault, type Command } from './command.ts';
import { KEYCHAIN_FLAG, proofOf, prove, PROOF_FLAGS, TOKEN_FLAGS } from './factors.ts';
import { printAnswer } from './output.ts';
import { usage } from './world.ts';

const NAME = 'vault:AllowCommand';

export const allowCommandCommand: Command = {
  names: ['secret allow-command', 'vault allow-command'],
  summary: OPERATIONS[NAME].summary,
  details: ['The password (or --recovery-code) is asked for: the program runs with your rights whenever a secret that names it is rotated.'],
  flags: [
    { name: 'name', takes: 'value', placeholder: 'NAME', required: true, about: 'What a rotator calls it by' },
    { name: 'path', takes: 'value', placeholder: 'PATH', required: true, about: 'The program: a file of yours or root’s that nobody else may write to' },
    { name: 'arguments', takes: 'value', repeat: true, placeholder: 'TEXT', about: 'What it is always called with; never a secret' },
    ...PROOF_FLAGS,
    ...TOKEN_FLAGS,
    KEYCHAIN_FLAG,
  ],
  examples: ['keystead secret allow-command --name rotate-app --path /usr/local/bin/rotate-app'],
  async run(run) {
    const [name, path, given] = [flagText(run, 'name'), flagText(run, 'path'), listOf(run.values, 'arguments')];
    if (name === undefined || path === undefined) throw usage('these must be given: --name and --path');
    return withVault(run, async (connection) => {
      const { fields } = await prove(run, proofOf(run));
      try {
        const answer = await callFor(run, connection, NAME, { Name: name, Path: path, ...(given.length === 0 ? {} : { Arguments: given }), ...fields });
        await printAnswer(run.world, run.output ?? 'json', OPERATIONS[NAME].output, answer);
        return EXIT.ok;
      } finally {
        disposeSecrets(fields);
      }
    });
  },
};
