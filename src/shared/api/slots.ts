/**
 * `vault:` operations on key slots: the ways into a vault. Each asks for a factor again (`proof`), so that an unattended
 * unlocked vault does not get a new way in, or lose its owner's.
 */
import { z } from 'zod';
import { operation, timestamp } from './operation.ts';
import { pin } from './kms-key-stores.ts';
import { oneFactor, slotId, TOKEN_FACTOR_ERRORS, tokenFactor } from './token-factor.ts';
import { givenPassword, newPassword, recoveryCode, shownRecoveryCode, slotType } from './vault.ts';

const slot = z.strictObject({
  SlotId: z.string().describe('32 hexadecimal digits'),
  Type: slotType,
  Factors: z.array(z.enum(['password', 'device', 'code', 'token'])).describe('device: the secret in the keychain of this system'),
  CreationDate: timestamp(),
  Kdf: z.strictObject({ MemoryKiB: z.int(), Passes: z.int(), Lanes: z.int() }).optional().describe('Argon2id cost'),
  TokenUri: z.string().optional().describe('RFC 7512, without a PIN'),
});

export const proof = {
  Password: givenPassword.optional().describe('Proof: the password of the vault, or one of the next'),
  RecoveryCode: recoveryCode.optional().describe('Proof: the recovery code'),
  Keychain: z.literal(true).optional().describe('Proof: the keychain, for a slot of type keychain'),
  ...tokenFactor,
  TokenPin: tokenFactor.TokenPin.describe('Proof: the PIN of the token whose key opens a slot'),
};

export const PROOF_ERRORS = [
  'IncorrectPasswordException',
  'IncorrectRecoveryCodeException',
  'UnlockDelayedException',
  'KeychainUnavailableException',
  'SlotNotFoundException',
  'HeaderRefusedException',
  ...TOKEN_FACTOR_ERRORS,
] as const;

export const listSlots = operation({
  name: 'vault:ListSlots',
  summary: 'List the ways into the vault',
  input: () => z.strictObject({}),
  output: () => z.strictObject({ Slots: z.array(slot) }),
  errors: [],
  effect: 'read',
  needs: 'unlocked',
  doors: ['ipc', 'cli'],
  audited: [],
  command: { alias: 'slot list' },
});

export const addSlot = operation({
  name: 'vault:AddSlot',
  summary: 'Add another way into the vault, or replace one of the same type',
  input: () => z
    .strictObject({
      Type: z.enum(['password', 'recovery', 'keychain', 'token']),
      NewPassword: newPassword.optional().describe('Required for type password'),
      WithKeychain: z.boolean().optional().describe('Types password and token: mix in the secret in the keychain; for a password true where there is a usable one'),
      AcceptKeychainOnly: z.literal(true).optional().describe('Required for type keychain: whoever can use the logged-in session can open the vault'),
      Serial: z.string().min(1).max(16).optional().describe('Type token: serial number of the token, whose module was added; a key is made in it'),
      Label: z.string().max(32).optional().describe('Type token: label of the token, where a serial number is not enough'),
      Pin: pin.optional().describe('Type token: PIN of that token; not kept'),
      NewTokenLastTry: z.literal(true).optional().describe('Type token: go on where one more wrong PIN locks that token; LastTry is for the one that proves who asks'),
      ReplacesSlotId: slotId.optional().describe('The slot that the new one replaces, in one step: a new recovery code for an old one'),
      ...proof,
    })
    .superRefine((input, issues) => {
      oneFactor(input, issues);
      if ((input.Type === 'password') !== (input.NewPassword !== undefined)) {
        issues.addIssue({ code: 'custom', path: ['NewPassword'], message: 'must be given for type `password`, and only then' });
      }
      if (!['password', 'token'].includes(input.Type) && input.WithKeychain !== undefined) {
        issues.addIssue({ code: 'custom', path: ['WithKeychain'], message: 'is for types `password` and `token` only' });
      }
      for (const name of ['Serial', 'Pin'] as const) {
        if ((input.Type === 'token') !== (input[name] !== undefined)) issues.addIssue({ code: 'custom', path: [name], message: 'must be given for type `token`, and only then' });
      }
      if (input.Type === 'keychain' && input.AcceptKeychainOnly !== true) {
        issues.addIssue({ code: 'custom', path: ['AcceptKeychainOnly'], message: 'must be true for type `keychain`' });
      }
    }),
  output: () => z.strictObject({ Slot: slot, RecoveryCode: shownRecoveryCode.optional().describe('Shown this once, for type recovery') }),
  errors: PROOF_ERRORS,
  effect: 'control',
  needs: 'unlocked',
  doors: ['ipc', 'cli'],
  audited: ['Type', 'WithKeychain', 'AcceptKeychainOnly', 'Serial', 'Label', 'ReplacesSlotId'],
  command: { alias: 'slot add' },
});

export const removeSlot = operation({
  name: 'vault:RemoveSlot',
  summary: 'Remove a way into the vault; compromised also re-encrypts everything under a new root key',
  input: () => z
    .strictObject({
      SlotId: slotId,
      How: z
        .enum(['retired', 'compromised'])
        .describe('retired: the root key stays. compromised: a new root key, every record re-encrypted; copies made before stay open to the old factor'),
      ...proof,
    })
    .superRefine(oneFactor),
  output: () => z.strictObject({ SlotId: z.string(), How: z.enum(['retired', 'compromised']), Slots: z.array(slot).describe('What is left') }),
  errors: [...PROOF_ERRORS, 'LastSlotException'],
  effect: 'control',
  needs: 'unlocked',
  doors: ['ipc', 'cli'],
  audited: ['SlotId', 'How'],
  command: { alias: 'slot remove' },
});

export const changePassword = operation({
  name: 'vault:ChangePassword',
  summary: 'Change the password, given the old one or the recovery code',
  input: () => z
    .strictObject({
      CurrentPassword: givenPassword.optional().describe('This or RecoveryCode'),
      RecoveryCode: recoveryCode.optional().describe('This or CurrentPassword'),
      NewPassword: newPassword,
      WithKeychain: z.boolean().optional().describe('Mix in the secret in the keychain; as before if left out'),
      SlotId: slotId.optional().describe('Which password slot, when there are several and the recovery code is given'),
    })
    .superRefine((input, issues) => {
      if ((input.CurrentPassword === undefined) === (input.RecoveryCode === undefined)) {
        issues.addIssue({ code: 'custom', path: [], message: 'give either `CurrentPassword` or `RecoveryCode`' });
      }
    }),
  output: () => z.strictObject({
    Slot: slot.describe('The slot of the new password'),
    RecoveryCode: shownRecoveryCode.optional().describe('The new recovery code, when the old one was used; shown this once'),
  }),
  errors: PROOF_ERRORS,
  effect: 'control',
  needs: 'unlocked',
  doors: ['ipc', 'cli'],
  audited: ['WithKeychain', 'SlotId'],
  command: { alias: 'password change' },
});
