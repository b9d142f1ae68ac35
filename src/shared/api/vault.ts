/** `vault:` operations: make, open and close the vault, its settings, and its state. Slots are in slots.ts. */
import { z } from 'zod';
import * as f from './fields.ts';
import { operation, secret, timestamp } from './operation.ts';
import { oneFactor, TOKEN_FACTOR_ERRORS, tokenFactor } from './token-factor.ts';

/** A password that exists already: nothing is refused that may once have been accepted. UTF-8. */
export const givenPassword = secret({ min: 1, max: 1024 });
/** Of a new password, in bytes of UTF-8. */
export const MIN_PASSWORD = 8;
export const newPassword = secret({ min: MIN_PASSWORD, max: 1024 });
/** As typed: seven groups of four, in any case, with or without hyphens and spaces. */
export const recoveryCode = secret({ min: 28, max: 64 });
/** As shown: `XXXX-XXXX-XXXX-XXXX-XXXX-XXXX-XXXX` in ASCII. */
export const shownRecoveryCode = secret({ min: 34, max: 34 });

export const slotType = z.enum(['password', 'recovery', 'keychain', 'token']);
/**
 * absent: no vault in the folder. trailBroken: its trail cannot be gone on with, so it cannot be unlocked until a new chain is started.
 * readOnly: open, but something does not fit, so nothing is written.
 */
export const vaultPhase = z.enum(['absent', 'locked', 'trailBroken', 'unlocked', 'readOnly']);
export type VaultPhase = z.output<typeof vaultPhase>;
export const vaultName = z
  .string()
  .min(1)
  .max(64)
  .regex(/^[\p{L}\p{N}][\p{L}\p{N} ._-]*$/u, { error: 'must be letters, digits, space, `.`, `_` or `-`, and begin with a letter or a digit' });

export const status = operation({
  name: 'vault:Status',
  summary: 'Show whether the vault is locked, and what would open it',
  input: () => z.strictObject({}),
  output: () => z.strictObject({
    State: vaultPhase,
    Folder: z.string(),
    Version: z.string().describe('Of this program'),
    ProcessId: z.int(),
    StartedAt: timestamp(),
    VaultId: z.string().optional().describe('32 hexadecimal digits'),
    SlotTypes: z.array(slotType).optional().describe('What can open it; not yet authenticated while locked'),
    TokenSlots: z.array(z.strictObject({ SlotId: z.string(), Token: z.string().describe('Its label'), Serial: z.string() })).optional().describe('Tokens that can open it, where there are some; not yet authenticated while locked'),
    RetryAfterSeconds: z.number().optional().describe('Wait of wrong passwords that is still to pass'),
    Name: z.string().optional().describe('While unlocked'),
    UnlockedAt: timestamp().optional(),
    LocksAt: timestamp().optional().describe('When it locks itself, if nothing is asked of it'),
    RecoveryCodeUsed: z.boolean().optional().describe('The recovery code was used and a new one has not been made'),
    Throwaway: z.literal(true).optional().describe('A demo: its folder goes when its process ends'),
    Problem: z.string().optional().describe('Why it is read-only, or what is wrong with the trail'),
  }),
  errors: [],
  effect: 'read',
  needs: 'any',
  doors: ['ipc', 'cli'],
  audited: [],
  command: { alias: 'status' },
  recorded: false,
});

export const create = operation({
  name: 'vault:Create',
  summary: 'Make a vault in the folder of this process and leave it unlocked',
  input: () => z
    .strictObject({
      Password: newPassword.optional().describe('Required unless Factors is keychain'),
      Factors: z
        .enum(['password', 'password+keychain', 'keychain'])
        .optional()
        .describe('What opens it; password+keychain where the system has a usable keychain, else password'),
      AcceptKeychainOnly: z.literal(true).optional().describe('Whoever can use the logged-in session can open the vault'),
      RecoveryCode: z.boolean().default(true).describe('Whether to make a recovery code'),
      Name: vaultName.default('default'),
      Region: f.region.default('us-east-1').describe('Region in the ARNs of this vault'),
      Account: f.account.optional().describe('Account in the ARNs of this vault; random if left out'),
    })
    .superRefine((input, issues) => {
      const keychainOnly = input.Factors === 'keychain';
      if (keychainOnly && input.AcceptKeychainOnly !== true) {
        issues.addIssue({ code: 'custom', path: ['AcceptKeychainOnly'], message: 'must be true for a vault without a password' });
      }
      if (keychainOnly === (input.Password !== undefined)) {
        issues.addIssue({ code: 'custom', path: ['Password'], message: keychainOnly ? 'must be left out with Factors `keychain`' : 'must be given' });
      }
    }),
  output: () => z.strictObject({
    VaultId: z.string(),
    Name: z.string(),
    Region: z.string(),
    Account: z.string(),
    Factors: z.enum(['password', 'password+keychain', 'keychain']),
    RecoveryCode: shownRecoveryCode.optional().describe('Shown this once'),
  }),
  errors: ['KeychainUnavailableException', 'VaultInUseException'],
  effect: 'control',
  needs: 'absent',
  doors: ['ipc', 'cli'],
  audited: ['Factors', 'AcceptKeychainOnly', 'RecoveryCode', 'Name', 'Region', 'Account'],
  command: { alias: 'init', hidden: true },
});

export const unlock = operation({
  name: 'vault:Unlock',
  summary: 'Open the vault with a password, the recovery code, the keychain, or a key in a token',
  input: () => z
    .strictObject({
      Password: givenPassword.optional(),
      RecoveryCode: recoveryCode.optional(),
      Keychain: z.literal(true).optional().describe('A vault that opens by the keychain alone'),
      ...tokenFactor,
    })
    .superRefine(oneFactor),
  output: () => z.strictObject({
    VaultId: z.string(),
    Name: z.string(),
    State: vaultPhase,
    SlotId: z.string().describe('What opened it'),
    SlotType: slotType,
    RecoveryCodeUsed: z.boolean().describe('A new recovery code should be made'),
    Problem: z.string().optional().describe('Why it is read-only'),
  }),
  errors: [
    'IncorrectPasswordException',
    'IncorrectRecoveryCodeException',
    'UnlockDelayedException',
    'KeychainUnavailableException',
    'SlotNotFoundException',
    'HeaderRefusedException',
    'VaultTooNewException',
    'VaultInUseException',
    ...TOKEN_FACTOR_ERRORS,
  ],
  effect: 'control',
  needs: 'any',
  doors: ['ipc', 'cli'],
  audited: ['Keychain', 'TokenSlotId', 'LastTry'],
  command: { alias: 'unlock', hidden: true },
});

export const lock = operation({
  name: 'vault:Lock',
  summary: 'Lock the vault: wipe its keys from memory and end the process that held them',
  input: () => z.strictObject({}),
  output: () => z.strictObject({ State: vaultPhase }),
  errors: [],
  effect: 'control',
  needs: 'any',
  doors: ['ipc', 'cli', 'schedule'],
  audited: [],
  command: { alias: 'lock' },
});

export const stop = operation({
  name: 'vault:Stop',
  summary: 'Lock the vault and end its process',
  input: () => z.strictObject({}),
  output: () => z.strictObject({}),
  errors: [],
  effect: 'control',
  needs: 'any',
  doors: ['ipc', 'cli'],
  audited: [],
  command: { alias: 'stop' },
});

const settings = {
  Name: z.string(),
  AutoLockMinutes: z.int(),
  LockOnSuspend: z.boolean(),
  LockOnScreenLock: z.boolean(),
};

export const describeSettings = operation({
  name: 'vault:DescribeSettings',
  summary: 'Show the settings of the vault',
  input: () => z.strictObject({}),
  output: () => z.strictObject({ ...settings, VaultId: z.string(), Region: z.string(), Account: z.string(), CreationDate: timestamp(), RecoveryCodeUsed: z.boolean() }),
  errors: [],
  effect: 'read',
  needs: 'unlocked',
  doors: ['ipc', 'cli'],
  audited: [],
  command: { alias: 'settings show' },
});

export const updateSettings = operation({
  name: 'vault:UpdateSettings',
  summary: 'Change the settings that are given',
  input: () => z.strictObject({
    Name: vaultName.optional(),
    AutoLockMinutes: z.int().min(0).max(1440).optional().describe('Minutes without a request after which it locks itself; 0 never'),
    LockOnSuspend: z.boolean().optional(),
    LockOnScreenLock: z.boolean().optional(),
  }),
  output: () => z.strictObject(settings),
  errors: [],
  effect: 'write',
  needs: 'unlocked',
  doors: ['ipc', 'cli'],
  audited: ['Name', 'AutoLockMinutes', 'LockOnSuspend', 'LockOnScreenLock'],
  command: { alias: 'settings update' },
});

export const diagnose = operation({
  name: 'vault:Diagnose',
  summary: 'Check what the running vault needs: folder, disk, keychain, memory, trail',
  input: () => z.strictObject({}),
  output: () => z.strictObject({
    Version: z.string(),
    NodeVersion: z.string(),
    ProcessId: z.int(),
    UptimeSeconds: z.number(),
    Checks: z.array(
      z.strictObject({
        Name: z.string(),
        Ok: z.boolean(),
        Message: z.string().describe('One line, no values'),
        Fix: z.string().optional().describe('The one line to type'),
      }),
    ),
  }),
  errors: ['KeychainUnavailableException'],
  effect: 'read',
  needs: 'any',
  doors: ['ipc', 'cli'],
  audited: [],
  command: { alias: 'doctor', hidden: true },
});

export const cancel = operation({
  name: 'vault:Cancel',
  summary: 'End a request of the same caller that is still under way',
  input: () => z.strictObject({ RequestId: f.uuid }),
  output: () => z.strictObject({ Cancelled: z.boolean().describe('False: it had ended already, or is not of this caller') }),
  errors: [],
  effect: 'control',
  needs: 'any',
  doors: ['ipc', 'cli'],
  audited: ['RequestId'],
  command: { hidden: true },
});
