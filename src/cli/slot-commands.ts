/** `keystead slot …` and `keystead password change`: the ways into the vault. */
import { OPERATIONS, type Output } from '../shared/api/index.ts';
import { EXIT } from '../shared/model/errors.ts';
import { disposeSecrets, type SecretBytes } from '../shared/model/secret-bytes.ts';
import type { Connection } from './connection.ts';
import { callFor, flagSwitch, flagText, withVault, type Command, type Run } from './command.ts';
import { KEYCHAIN_FLAG, PASSWORD, PASSWORD_STDIN, proofOf, prove, PROOF_FLAGS, TOKEN_FLAGS, type Proof, type Wanted } from './factors.ts';
import { isoTime, printAnswer } from './output.ts';
import { withProgress } from './progress.ts';
import { abandonCodeOutlet, CODE_FLAGS, handOver, openCodeOutlet, type CodeOutlet } from './recovery-code.ts';
import { usage } from './world.ts';

type Slot = Output<'vault:ListSlots'>['Slots'][number];

const slotLine = (slot: Slot): string => `${slot.SlotId}  ${slot.Type.padEnd(8)}  ${slot.Factors.join('+').padEnd(16)}  ${isoTime(slot.CreationDate).slice(0, 10)}${slot.TokenUri === undefined ? '' : `  ${slot.TokenUri}`}\n`;

export const slotListCommand: Command = {
  names: ['slot list', 'vault list-slots'],
  summary: OPERATIONS['vault:ListSlots'].summary,
  flags: [],
  async run(run) {
    const answer = await withVault(run, (connection) => callFor(run, connection, 'vault:ListSlots', {}));
    if (run.output === 'json') await printAnswer(run.world, 'json', OPERATIONS['vault:ListSlots'].output, answer);
    else for (const slot of answer.Slots) await run.world.stdout.write(slotLine(slot));
    return EXIT.ok;
  },
};

/** The proof flags without those that another meaning of the recovery code's file would clash with. */
const ADD_PROOF = PROOF_FLAGS.filter(({ name }) => name !== 'recovery-code-file');

export const slotAddCommand: Command = {
  names: ['slot add', 'vault add-slot'],
  summary: OPERATIONS['vault:AddSlot'].summary,
  details: [
    'The password (or --recovery-code) is asked for again before.',
    'Type token: a key for it is made in the token, which never gives it out; then `keystead unlock --token` opens the vault.',
  ],
  flags: [
    { name: 'type', takes: 'value', choices: ['password', 'recovery', 'keychain', 'token'], required: true, about: 'What the new slot opens by' },
    { name: 'with-keychain', takes: 'negatable', about: 'Types password and token: mix in the secret in the keychain; for a password on where there is a usable one' },
    { name: 'accept-keychain-only', takes: 'switch', about: 'Type keychain: whoever can use the logged-in session can open the vault' },
    { name: 'serial', takes: 'value', placeholder: 'TEXT', about: 'Type token: serial number of the token, as `hardware list-tokens` shows it' },
    { name: 'label', takes: 'value', placeholder: 'TEXT', about: 'Type token: its label, where a serial number is not enough' },
    { name: 'new-token-last-try', takes: 'switch', about: 'Type token: go on where one more wrong PIN locks it' },
    { name: 'replaces-slot-id', takes: 'value', placeholder: 'ID', about: 'The slot of the same type that the new one replaces' },
    ...CODE_FLAGS,
    ...ADD_PROOF,
    KEYCHAIN_FLAG,
    ...TOKEN_FLAGS,
  ],
  positionals: ['type'],
  examples: ['keystead slot add --type recovery --replaces-slot-id ID', 'keystead slot add --type password', 'keystead slot add --type token --serial 7b1e22c4d0f1a2b3'],
  async run(run) {
    const type = flagText(run, 'type');
    if (type === undefined) throw usage('these must be given: --type');
    if (type !== 'recovery' && flagText(run, 'recovery-code-file') !== undefined) throw usage('--recovery-code-file is for --type recovery: it is where the new code goes');
    if (type === 'keychain' && flagSwitch(run, 'accept-keychain-only') !== true) {
      throw usage('a slot of type keychain opens the vault for everything that runs in your logged-in session; if that is meant, add --accept-keychain-only');
    }
    if (type === 'token' && flagText(run, 'serial') === undefined) throw usage('a slot of type token needs --serial: which token');
    // Where a new recovery code goes has the name of a flag that would prove the old one.
    const proof = proofOf(run, 'Password', { recoveryCodeFile: false });
    return withVault(run, async (connection) => {
      const outlet: CodeOutlet = type === 'recovery' ? await openCodeOutlet(run, { mayDecline: false }) : { kind: 'none' };
      const wanted: Wanted[] = type === 'password' ? [{ question: 'New password', fresh: true }] : type === 'token' ? [{ question: 'PIN of the new token' }] : [];
      const answer = await proved(run, connection, outlet, proof, wanted, 'vault:AddSlot', ([made]) => ({
        Type: type,
        ...(type === 'token' ? { Pin: made, Serial: flagText(run, 'serial'), Label: flagText(run, 'label'), NewTokenLastTry: flagSwitch(run, 'new-token-last-try') === true ? true : undefined } : { NewPassword: made }),
        WithKeychain: flagSwitch(run, 'with-keychain'),
        AcceptKeychainOnly: flagSwitch(run, 'accept-keychain-only'),
        ReplacesSlotId: flagText(run, 'replaces-slot-id'),
      }));
      await run.world.stdout.write(slotLine(answer.Slot));
      return EXIT.ok;
    });
  },
};

export const slotRemoveCommand: Command = {
  names: ['slot remove', 'vault remove-slot'],
  summary: OPERATIONS['vault:RemoveSlot'].summary,
  details: [
    'retired: nobody else knows the factor; it opens the vault no more.',
    'compromised: somebody may; the vault gets a new root key and every record is encrypted again. Copies of the vault that were',
    'made before stay open to the old factor: what they hold must be changed where it is used.',
  ],
  flags: [
    { name: 'slot-id', takes: 'value', placeholder: 'ID', required: true, about: 'As `slot list` shows it' },
    { name: 'how', takes: 'value', choices: ['retired', 'compromised'], required: true, about: 'Why it goes' },
    ...PROOF_FLAGS,
    KEYCHAIN_FLAG,
    ...TOKEN_FLAGS,
  ],
  positionals: ['slot-id'],
  examples: ['keystead slot remove ID --how retired'],
  async run(run) {
    const [slotId, how] = [flagText(run, 'slot-id'), flagText(run, 'how')];
    if (slotId === undefined || how === undefined) throw usage('these must be given: --slot-id and --how retired|compromised');
    return withVault(run, async (connection) => {
      const answer = await proved(run, connection, { kind: 'none' }, proofOf(run), [], 'vault:RemoveSlot', () => ({ SlotId: slotId, How: how }));
      await run.world.stderr.write(`The slot is removed as ${answer.How}. Left:\n`);
      for (const slot of answer.Slots) await run.world.stdout.write(slotLine(slot));
      return EXIT.ok;
    });
  },
};

export const passwordChangeCommand: Command = {
  names: ['password change', 'vault change-password'],
  summary: OPERATIONS['vault:ChangePassword'].summary,
  details: ['With --password-stdin: the current password (or the recovery code) on the first line, the new one on the second.'],
  flags: [
    PASSWORD,
    PASSWORD_STDIN,
    { name: 'recovery-code', takes: 'switch', about: 'The password is forgotten: use the recovery code, and get a new one' },
    { name: 'recovery-code-file', takes: 'value', placeholder: 'PATH', about: 'Write a new recovery code to this new file (0600) and do not show it' },
    { name: 'with-keychain', takes: 'negatable', about: 'Mix in the secret in the keychain; as before, if left out' },
    { name: 'slot-id', takes: 'value', placeholder: 'ID', about: 'Which password slot, when there are several' },
  ],
  examples: ['keystead password change', 'keystead password change --recovery-code'],
  async run(run) {
    const byCode = flagSwitch(run, 'recovery-code') === true;
    const proof: Proof = byCode ? { kind: 'RecoveryCode', wanted: { question: 'Recovery code', code: true } } : { kind: 'Password', wanted: { question: 'Current password' } };
    return withVault(run, async (connection) => {
      const outlet: CodeOutlet = byCode ? await openCodeOutlet(run, { mayDecline: false }) : { kind: 'none' };
      const more: Wanted[] = [{ question: 'New password', fresh: true }];
      await proved(run, connection, outlet, proof, more, 'vault:ChangePassword', ([password]) => ({
        NewPassword: password,
        WithKeychain: flagSwitch(run, 'with-keychain'),
        SlotId: flagText(run, 'slot-id'),
      }));
      await run.world.stdout.write('The password is changed.\n');
      return EXIT.ok;
    });
  },
};

/** Asks for the proof and what else is wanted, calls, hands a new recovery code over, and wipes everything. */
async function proved<N extends 'vault:AddSlot' | 'vault:RemoveSlot' | 'vault:ChangePassword'>(
  run: Run,
  connection: Connection,
  outlet: CodeOutlet,
  proof: Proof,
  more: readonly Wanted[],
  name: N,
  inputFor: (secrets: readonly SecretBytes[]) => Readonly<Record<string, unknown>>,
): Promise<Output<N>> {
  let given = false;
  try {
    const { fields, rest } = await prove(run, proof, more);
    const { Password, ...others } = fields;
    const factor = name === 'vault:ChangePassword' ? { ...others, CurrentPassword: Password } : fields;
    const input = { ...factor, ...inputFor(rest) };
    try {
      const answer = await withProgress(run, 'Re-encrypting', (progress) => callFor(run, connection, name, input, { progress }));
      const code = (answer as { readonly RecoveryCode?: SecretBytes | undefined }).RecoveryCode;
      given = code !== undefined;
      if (code) await handOver(run.world, outlet, code);
      return answer;
    } finally {
      disposeSecrets(input);
    }
  } finally {
    if (!given) await abandonCodeOutlet(outlet);
  }
}
