/** `keystead trail start-new-chain`: says what would be set aside, asks, and does it. */
import { OPERATIONS, type Output } from '../shared/api/index.ts';
import { counted } from '../shared/model/counted.ts';
import { EXIT } from '../shared/model/errors.ts';
import { disposeSecrets } from '../shared/model/secret-bytes.ts';
import { callFor, flagSwitch, withVault, type Command } from './command.ts';
import { KEYCHAIN_FLAG, proofOf, prove, PROOF_FLAGS, TOKEN_FLAGS } from './factors.ts';
import { printAnswer } from './output.ts';
import { ask, onTerminal } from './prompt.ts';
import { withProgress } from './progress.ts';
import { cancelled, usage } from './world.ts';

const NAME = 'trail:StartNewChain';
/** Typed to go on: what is set aside does not come back. */
const WORDS = 'set the trail aside';

const outlook = ({ Broken: broken, Records, Segments }: Output<typeof NAME>): string =>
  [
    `Broken at record ${String(broken.Index)}, segment ${String(broken.Segment)} (${broken.What}); ${counted(Records, 'record')} before it fit, in ${counted(Segments, 'file')}.`,
    'The old files are kept in the vault\'s folder, whole. What they hold after the break is in doubt for ever, and they are no part of the new chain.',
    'If a copy of the folder has an undamaged trail, put that back instead.',
    '',
  ].join('\n');

export const trailStartNewChainCommand: Command = {
  names: ['trail start-new-chain'],
  summary: OPERATIONS[NAME].summary,
  details: ['The password (or --recovery-code) is asked for. Export the evidence first: `keystead trail export-evidence FOLDER`.'],
  flags: [
    { name: 'dry-run', takes: 'switch', about: 'Only say what would be set aside' },
    { name: 'accept-break', takes: 'switch', about: 'Do not ask: set the trail aside' },
    ...PROOF_FLAGS,
    KEYCHAIN_FLAG,
    ...TOKEN_FLAGS,
  ],
  examples: ['keystead trail start-new-chain --dry-run', 'keystead trail start-new-chain'],
  async run(run) {
    const { world } = run;
    const [dry, accepted] = [flagSwitch(run, 'dry-run') === true, flagSwitch(run, 'accept-break') === true];
    if (dry && accepted) throw usage('give one of --dry-run and --accept-break');
    if (!dry && !accepted && !onTerminal(world)) throw usage('there is no terminal to ask on; see --dry-run, then give --accept-break');
    return withVault(run, async (connection) => {
      const { fields } = await prove(run, proofOf(run));
      const call = (input: Readonly<Record<string, unknown>>): Promise<Output<typeof NAME>> => withProgress(run, 'Reading the trail', (progress) => callFor(run, connection, NAME, { ...fields, ...input }, { progress }));
      try {
        if (!accepted) {
          const seen = await call({ DryRun: true });
          if (dry && run.output === 'json') await printAnswer(world, 'json', OPERATIONS[NAME].output, seen);
          else await (dry ? world.stdout : world.stderr).write(outlook(seen));
          if (dry) return EXIT.ok;
          if ((await ask(world, `To go on, type \`${WORDS}\`: `)) !== WORDS) throw cancelled();
        }
        const done = await call({ AcceptBreak: true });
        if (run.output === 'json') await printAnswer(world, 'json', OPERATIONS[NAME].output, done);
        else await world.stdout.write(`The new chain begins at record ${String(done.FirstIndex ?? 0)}. ${done.SetAside === undefined ? 'Of the old one nothing was left.' : `The old one is in \`${done.SetAside}\`.`} The vault is unlocked.\n`);
        return EXIT.ok;
      } finally {
        disposeSecrets(fields);
      }
    });
  },
};
