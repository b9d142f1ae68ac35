/** A token as what opens a vault: fields that go with its PIN, wherever a factor is given. */
import { z } from 'zod';
import { pin, TOKEN_ERRORS } from './kms-key-stores.ts';

export const slotId = z.string().regex(/^[0-9a-f]{32}$/, { error: 'must be 32 hexadecimal digits, as `slot list` shows them' });

export const tokenFactor = {
  TokenPin: pin.optional().describe('The PIN of the token whose key opens a slot; it goes to a process of its own and is not kept'),
  TokenSlotId: slotId.optional().describe('Which slot, where several have a token'),
  ModuleSha256: z.string().regex(/^[0-9a-f]{64}$/, { error: 'must be 64 hexadecimal digits' }).optional().describe('That the slot’s module is this file; needed where others than root could have put it there'),
  LastTry: z.literal(true).optional().describe('Try even where one more wrong PIN locks the token'),
};

export const TOKEN_FACTOR_ERRORS = [...TOKEN_ERRORS, 'FileNotReadableException', 'InvalidKeyUsageException'] as const;

type Factors = Readonly<Partial<Record<'Password' | 'RecoveryCode' | 'Keychain' | keyof typeof tokenFactor, unknown>>>;

/** Exactly one way; and what goes with a PIN only with one. */
export function oneFactor(input: Factors, issues: { addIssue(issue: { code: 'custom'; path: string[]; message: string }): void }): void {
  if ([input.Password, input.RecoveryCode, input.Keychain, input.TokenPin].filter((factor) => factor !== undefined).length !== 1) {
    issues.addIssue({ code: 'custom', path: [], message: 'give exactly one of `Password`, `RecoveryCode`, `Keychain` and `TokenPin`' });
  }
  for (const name of ['TokenSlotId', 'ModuleSha256'] as const) {
    if (input[name] !== undefined && input.TokenPin === undefined) issues.addIssue({ code: 'custom', path: [name], message: 'goes with `TokenPin` only' });
  }
}
