/** `hardware:` operations that give a PIN to a token, and PINs that are sealed in the vault. */
import { z } from 'zod';
import { path, token } from './hardware.ts';
import { pin, TOKEN_ERRORS } from './kms-key-stores.ts';
import { operation } from './operation.ts';

const ofModule = path.optional().describe('The module that has the token, where two modules show it');

export const setPin = operation({
  name: 'hardware:SetPin',
  summary: 'Change a token’s PIN; where the vault has it sealed, the new one takes its place',
  input: () => z.strictObject({ ...token, Module: ofModule, OldPin: pin, NewPin: pin }),
  output: () => z.strictObject({}),
  errors: TOKEN_ERRORS,
  effect: 'write',
  needs: 'unlocked',
  doors: ['ipc', 'cli'],
  audited: ['Serial', 'Label', 'Module'],
});

export const resetPin = operation({
  name: 'hardware:ResetPin',
  summary: 'Give a token a new PIN where the old one is locked or forgotten, by its security officer; who was logged in is no more, and a sealed PIN is forgotten',
  input: () => z.strictObject({
    ...token,
    Module: ofModule,
    SecurityOfficerPin: pin.describe('Given to a process of its own that ends at once, and not kept'),
    NewPin: pin,
    LastTry: z.boolean().default(false).describe('Try even where one more wrong PIN locks that of the security officer'),
  }),
  output: () => z.strictObject({}),
  errors: TOKEN_ERRORS,
  effect: 'write',
  needs: 'unlocked',
  doors: ['ipc', 'cli'],
  audited: ['Serial', 'Label', 'Module', 'LastTry'],
});

export const unlockToken = operation({
  name: 'hardware:UnlockToken',
  summary: 'Log in to a token until the vault is locked; the PIN is kept in the module’s process only, unless it is to be sealed',
  input: () => z.strictObject({
    ...token,
    Module: ofModule,
    Pin: pin,
    LastTry: z.boolean().default(false).describe('Try even where one more wrong PIN locks the token'),
    SealPin: z.boolean().default(false).describe('Seal the PIN in the vault, so that the token’s key store connects by itself when the vault is unlocked; forget it with `keystead hardware forget-pin`'),
  }),
  output: () => z.strictObject({ Serial: z.string(), Label: z.string() }),
  errors: TOKEN_ERRORS,
  effect: 'write',
  needs: 'unlocked',
  doors: ['ipc', 'cli'],
  audited: ['Serial', 'Label', 'Module', 'LastTry', 'SealPin'],
});

export const forgetPin = operation({
  name: 'hardware:ForgetPin',
  summary: 'Forget the PIN of a token that is sealed in the vault; who is logged in stays so until the vault is locked',
  input: () => z.strictObject({ ...token, Module: ofModule }),
  output: () => z.strictObject({}),
  errors: ['NotFoundException'],
  effect: 'write',
  needs: 'unlocked',
  doors: ['ipc', 'cli'],
  audited: ['Serial', 'Label', 'Module'],
});

const CLOCK = { needs: 'unlocked', doors: ['schedule'], command: { hidden: true } } as const;
const sealedPinOf = z.strictObject({ Module: path, Serial: z.string(), Label: z.string() });

/** The clock's own: that a sealed PIN is about to be given to its token, written down before it is. */
export const beginSealedPin = operation({
  name: 'hardware:BeginSealedPin',
  summary: 'Write down that a sealed PIN is about to be given to its token',
  input: () => sealedPinOf,
  output: () => z.strictObject({}),
  errors: TOKEN_ERRORS,
  effect: 'write',
  audited: ['Module', 'Serial', 'Label'],
  ...CLOCK,
});

/** The clock's own: gives a sealed PIN to its token, once. One that the token refuses is forgotten. */
export const useSealedPin = operation({
  name: 'hardware:UseSealedPin',
  summary: 'Give a sealed PIN to its token, and forget one that the token refuses',
  input: () => sealedPinOf,
  output: () => z.strictObject({ Taken: z.boolean(), Reason: z.string().optional().describe('What the token said, where it did not take it') }),
  errors: TOKEN_ERRORS,
  effect: 'write',
  audited: ['Module', 'Serial', 'Label'],
  ...CLOCK,
});
