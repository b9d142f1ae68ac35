/** `hardware:` operations: PKCS #11 modules, the tokens that they have, and the keys on those. */
import { z } from 'zod';
import * as f from './fields.ts';
import { keyMetadata } from './kms-keys.ts';
import { keyStoreId, pin, TOKEN_ERRORS } from './kms-key-stores.ts';
import { operation, timestamp } from './operation.ts';

export const MOST_MODULES = 20;

export const path = f.absolutePath.describe('The module: a shared library');
const serial = z.string().min(1).max(16).describe('Serial number of the token');
const label = z.string().max(32).optional().describe('Label of the token, where a serial number is not enough');
const sha256 = z.string().regex(/^[0-9a-f]{64}$/);
const hash = sha256.describe('SHA-256 of the file');
export const token = { Serial: serial, Label: label };

const stated = z
  .strictObject({ Sensitive: z.boolean().optional(), Extractable: z.boolean().optional(), AlwaysSensitive: z.boolean().optional(), NeverExtractable: z.boolean().optional(), Local: z.boolean().optional(), TrustedOnly: z.boolean().optional().describe('It leaves the token under a trusted wrapping key only') })
  .describe('What the token says of the key: its word, and no proof');

const moduleShape = z.strictObject({
  Path: z.string(),
  Sha256: z.string().describe('That the owner has agreed to'),
  AddedDate: timestamp(),
  FileSha256: z.string().optional().describe('Of the file as it is now, where it has changed'),
  State: z.enum(['running', 'stopped', 'changed', 'missing']).describe('changed: the file is another than was agreed to, and is not loaded; agree with `keystead hardware update-module`'),
  Crashes: z.number().describe('How often its process ended by itself since the vault was unlocked; it is started again when it is next needed, and nothing is asked of it twice'),
  Warnings: z.array(z.string()).describe('Who else could change the file'),
  SealedPins: z
    .array(z.strictObject({ Serial: z.string(), Label: z.string(), SealedDate: timestamp(), State: z.enum(['sealed', 'doubtful']).describe('doubtful: it was being given to its token when something died, and is not given again; give the PIN yourself') }))
    .describe('Tokens whose PIN is sealed in the vault; forget one with `keystead hardware forget-pin`'),
  Description: z.string().optional().describe('Of a running module, in its own words'),
  Manufacturer: z.string().optional(),
  Version: z.string().optional(),
});

export const addModule = operation({
  name: 'hardware:AddModule',
  summary: 'Let a PKCS#11 module be loaded, in a process of its own; its file is remembered by its SHA-256',
  input: () => z.strictObject({ Path: path, Sha256: hash.optional().describe('Of the file that you looked at: another one is not loaded'), Parameters: z.string().max(1024).optional().describe('Given to C_Initialize, for modules that want some (NSS); not secret') }),
  output: () => z.strictObject({ Module: moduleShape }),
  errors: ['AlreadyExistsException', 'LimitExceededException', 'FileNotReadableException', 'ModuleRefusedException'],
  effect: 'write',
  needs: 'unlocked',
  doors: ['ipc', 'cli'],
  audited: ['Path', 'Sha256'],
});

export const inspectModule = operation({
  name: 'hardware:InspectModule',
  summary: 'Look at a module’s file before it is loaded: its SHA-256, and who else could change it',
  input: () => z.strictObject({ Path: path }),
  output: () => z.strictObject({ Path: z.string().describe('Without links'), Sha256: hash, Warnings: z.array(z.string()).describe('Who else could change the file') }),
  errors: ['FileNotReadableException'],
  effect: 'read',
  needs: 'unlocked',
  doors: ['ipc', 'cli'],
  audited: ['Path'],
});

export const restartModule = operation({
  name: 'hardware:RestartModule',
  summary: 'End a module’s process and start another; its logins end, and its key stores have to be connected again',
  input: () => z.strictObject({ Path: path }),
  output: () => z.strictObject({ Module: moduleShape }),
  errors: ['NotFoundException', 'FileNotReadableException', 'ModuleRefusedException'],
  effect: 'use',
  needs: 'unlocked',
  doors: ['ipc', 'cli'],
  audited: ['Path'],
});

export const updateModule = operation({
  name: 'hardware:UpdateModule',
  summary: 'Agree to a module’s file as it is now',
  input: () => z.strictObject({ Path: path, Sha256: hash.describe('Of the new file, to say that it is the one that you mean') }),
  output: () => z.strictObject({ Module: moduleShape }),
  errors: ['NotFoundException', 'FileNotReadableException', 'ModuleRefusedException'],
  effect: 'write',
  needs: 'unlocked',
  doors: ['ipc', 'cli'],
  audited: ['Path', 'Sha256'],
});

export const removeModule = operation({
  name: 'hardware:RemoveModule',
  summary: 'Forget a module that no key store needs',
  input: () => z.strictObject({ Path: path }),
  output: () => z.strictObject({}),
  errors: ['NotFoundException', 'CustomKeyStoreInvalidStateException'],
  effect: 'write',
  needs: 'unlocked',
  doors: ['ipc', 'cli'],
  audited: ['Path'],
});

export const listModules = operation({
  name: 'hardware:ListModules',
  summary: 'List PKCS#11 modules, and those that p11-kit knows of on this computer',
  input: () => z.strictObject({}),
  output: () => z.strictObject({ Modules: z.array(moduleShape), Registered: z.array(z.string()).describe('Paths from p11-kit’s registry that are not added yet') }),
  errors: [],
  effect: 'read',
  needs: 'unlocked',
  doors: ['ipc', 'cli'],
  audited: [],
});

export const listTokens = operation({
  name: 'hardware:ListTokens',
  summary: 'List the tokens of every module that can be loaded',
  input: () => z.strictObject({}),
  output: () => z.strictObject({
    Tokens: z.array(
      z.strictObject({
        Module: z.string(),
        Slot: z.string().describe('Hexadecimal; another one after a restart'),
        SlotDescription: z.string(),
        Serial: z.string(),
        Label: z.string(),
        CloudHsmClusterId: z.string().optional().describe('What CreateCustomKeyStore takes'),
        Manufacturer: z.string(),
        Model: z.string(),
        FirmwareVersion: z.string(),
        HardwareVersion: z.string(),
        Initialized: z.boolean(),
        PinSet: z.boolean(),
        PinPad: z.boolean(),
        WriteProtected: z.boolean(),
        PinState: z.enum(['ok', 'low', 'last', 'locked']).describe('low: a wrong PIN was given; last: one more wrong PIN locks it'),
        SecurityOfficerPinState: z.enum(['ok', 'low', 'last', 'locked']).describe('The same of its security officer’s PIN'),
        MinPinLength: z.number(),
        MaxPinLength: z.number(),
        Sessions: z.number().optional().describe('Open now, by all programs; absent where the token does not say'),
        MaxSessions: z.number().optional().describe('0: no limit'),
        ClockState: z.enum(['right', 'off', 'unreadable']).optional().describe('Of the token’s own clock, which nothing here goes by. off: more than five minutes from this computer’s; absent: it has none'),
        ClockTime: timestamp().optional().describe('What that clock says'),
        LoggedIn: z.boolean(),
        NotRecorded: z.number().optional().describe('Keys that this vault made on it and has no record of, as seen when its key store was connected or its keys were listed; absent: none'),
      }),
    ),
    Failures: z.array(z.strictObject({ Module: z.string(), Message: z.string() })),
  }),
  errors: [],
  effect: 'use',
  needs: 'unlocked',
  doors: ['ipc', 'cli'],
  audited: [],
});

export const listMechanisms = operation({
  name: 'hardware:ListMechanisms',
  summary: 'Show what keys a token can hold, and what it does with them: probed, not assumed',
  input: () => z.strictObject(token),
  output: () => z.strictObject({
    Offers: z.array(z.strictObject({ KeySpec: f.keySpec, KeyUsage: f.keyUsage, Algorithms: z.array(z.string()), Note: z.string().optional() })),
    Mechanisms: z.array(z.strictObject({ Mechanism: z.string(), MinKeySize: z.number(), MaxKeySize: z.number(), Flags: z.number() })),
  }),
  errors: TOKEN_ERRORS,
  effect: 'use',
  needs: 'unlocked',
  doors: ['ipc', 'cli'],
  audited: ['Serial', 'Label'],
});

export const initializeToken = operation({
  name: 'hardware:InitializeToken',
  summary: 'Erase a token, give it a label, and set its PINs',
  input: () => z.strictObject({
    Module: path,
    Slot: z.string().regex(/^[0-9a-f]{2,32}$/).describe('As `keystead hardware list-tokens` shows it'),
    NewLabel: z.string().min(1).max(32).refine((text) => new TextEncoder().encode(text).byteLength <= 32, { error: 'must be at most 32 bytes' }),
    SecurityOfficerPin: pin.describe('New for an empty token, as it is for one that was initialised before; not kept'),
    Pin: pin.describe('The user’s, new'),
    Erase: z.string().max(32).optional().describe('Label of the token that is erased, typed out, where there is one'),
    LastTry: z.boolean().default(false).describe('Go on where one more wrong PIN of the security officer locks that PIN'),
  }),
  output: () => z.strictObject({ Serial: z.string(), Label: z.string(), CloudHsmClusterId: z.string() }),
  errors: TOKEN_ERRORS,
  effect: 'write',
  needs: 'unlocked',
  doors: ['ipc', 'cli'],
  audited: ['Module', 'Slot', 'NewLabel', 'LastTry'],
});

const certificate = z
  .strictObject({
    Id: z.string().describe('CKA_ID'),
    Label: z.string(),
    State: z.enum(['readable', 'notX509', 'empty', 'tooLarge', 'garbled']).describe('empty: the token gives no value. garbled: no certificate, or one with something behind it'),
    Sha256: z.string().optional().describe('Of its DER'),
    Subject: z.string().optional().describe('As RFC 2253 escapes it, in the order of the certificate'),
    Issuer: z.string().optional(),
    SerialNumber: z.string().optional().describe('Hexadecimal'),
    NotBefore: timestamp().optional(),
    NotAfter: timestamp().optional(),
    Of: z
      .strictObject({
        Id: z.string().describe('CKA_ID of the private key'),
        KeyId: z.string().optional().describe('ARN, of a key of this vault'),
        Match: z.enum(['publicKey', 'id', 'otherKey']).describe('publicKey: it certifies the key’s public key. id: it has the key’s id, and there is no public key to compare. otherKey: it has the key’s id, and certifies another public key'),
      })
      .optional()
      .describe('The key on the token that it goes with'),
  })
  .describe('What the certificate says of itself; who issued it is not checked');
const certificates = z.array(certificate);

export const listTokenKeys = operation({
  name: 'hardware:ListTokenKeys',
  summary: 'List the keys and certificates on a token that is logged in, and which keys of this vault they are',
  input: () => z.strictObject(token),
  output: () => z.strictObject({
    Keys: z.array(z.strictObject({ Id: z.string(), Label: z.string(), KeySpec: f.keySpec.optional(), KeyUsages: z.array(f.keyUsage), KeyId: z.string().optional().describe('Of this vault'), State: z.enum(['recorded', 'notRecorded', 'cluster', 'foreign']).describe('recorded: a key of this vault. notRecorded: this vault made it and has no record of it, since it was ended in between or put back to an older state; adopt it with `keystead hardware adopt-key` or delete it with `keystead hardware delete-token-key`. cluster: what a cluster has on its tokens to copy its keys under. foreign: somebody else made it'), Stated: stated })),
    Certificates: certificates,
  }),
  errors: TOKEN_ERRORS,
  effect: 'use',
  needs: 'unlocked',
  doors: ['ipc', 'cli'],
  audited: ['Serial', 'Label'],
});

export const describeTokenKey = operation({
  name: 'hardware:DescribeTokenKey',
  summary: 'Show where a key in a token is, what the token says of it, and what it does for it',
  input: () => z.strictObject({ KeyId: f.keyReference.describe('Key id, key ARN, alias name or alias ARN') }),
  output: () => z.strictObject({
    KeyId: z.string(),
    CustomKeyStoreId: z.string(),
    Uri: z.string().describe('RFC 7512, without the PIN'),
    Stated: stated,
    Tested: z.strictObject({ WrapRefused: z.array(z.string()), WrapAllowed: z.array(z.string()), WrapUnknown: z.array(z.string()) }).describe('What the token did just now when it was asked to wrap the key out: mechanisms that it refused, that gave the key away, and that failed without a refusal, so that nothing is known of them'),
    Adopted: z.boolean(),
    Copies: z.array(z.strictObject({ CloudHsmClusterId: z.string(), Label: z.string(), Origin: z.enum(['local', 'cloned']).describe('local: made in this token. cloned: copied to it from another token of the cluster, not local'), Stated: stated })).optional().describe('Of a key in a cluster: on each token that is connected'),
    Certificates: certificates.describe('On the token, that certify this key or have its id'),
    Notes: z.array(z.string()).describe('What Keystead does itself for this key, and why'),
  }),
  errors: [...TOKEN_ERRORS, 'InvalidArnException', 'DisabledException'],
  effect: 'use',
  needs: 'unlocked',
  doors: ['ipc', 'cli'],
  audited: ['KeyId'],
  resource: { kind: 'key', field: 'KeyId' },
});

export const exportCertificate = operation({
  name: 'hardware:ExportCertificate',
  summary: 'Give a certificate on a token as PEM: that of a key, or any by its SHA-256',
  input: () => z
    .strictObject({ KeyId: f.keyReference.optional().describe('Key of this vault that it certifies; or else Serial and Sha256'), ...token, Serial: serial.optional(), Sha256: sha256.optional().describe('Of its DER, as `keystead hardware list-token-keys` shows it; needed with KeyId where the key has more than one') })
    .superRefine((input, issues) => {
      if ((input.KeyId === undefined) === (input.Serial === undefined)) issues.addIssue({ code: 'custom', path: ['KeyId'], message: 'either this or `Serial` must be given' });
      if (input.Serial !== undefined && input.Sha256 === undefined) issues.addIssue({ code: 'custom', path: ['Sha256'], message: 'must be given with `Serial`' });
    }),
  output: () => z.strictObject({ Certificate: z.string().describe('PEM'), Sha256: sha256 }),
  errors: [...TOKEN_ERRORS, 'InvalidArnException', 'DisabledException', 'CustomKeyStoreNotFoundException'],
  effect: 'use',
  needs: 'unlocked',
  doors: ['ipc', 'cli'],
  audited: ['KeyId', 'Serial', 'Label', 'Sha256'],
  resource: { kind: 'key', field: 'KeyId' },
});

export const adoptKey = operation({
  name: 'hardware:AdoptKey',
  summary: 'Use a key that is on a token already; it stays there when it is deleted here, unless this vault made it',
  input: () => z.strictObject({ CustomKeyStoreId: keyStoreId, Id: z.string().regex(/^(?:[0-9a-f]{2}){1,255}$/).describe('CKA_ID, as `keystead hardware list-token-keys` shows it'), KeyUsage: f.keyUsage.optional().describe('Where the token allows more than one'), Description: f.description.default('') }),
  output: () => z.strictObject({ KeyMetadata: keyMetadata, Certificates: certificates.describe('On the token, that came with the key') }),
  errors: [...TOKEN_ERRORS, 'AlreadyExistsException', 'CustomKeyStoreNotFoundException', 'CustomKeyStoreInvalidStateException'],
  effect: 'write',
  needs: 'unlocked',
  doors: ['ipc', 'cli'],
  audited: ['CustomKeyStoreId', 'Id', 'KeyUsage'],
});

export const deleteTokenKey = operation({
  name: 'hardware:DeleteTokenKey',
  summary: 'Delete a key on a token that this vault made and has no record of',
  input: () => z.strictObject({ CustomKeyStoreId: keyStoreId, Id: z.string().regex(/^(?:[0-9a-f]{2}){16}$/).describe('CKA_ID, as `keystead hardware list-token-keys` shows it'), Confirm: z.string().max(256).describe('Label of the key, typed out') }),
  output: () => z.strictObject({}),
  errors: [...TOKEN_ERRORS, 'CustomKeyStoreNotFoundException', 'CustomKeyStoreInvalidStateException'],
  effect: 'write',
  needs: 'unlocked',
  doors: ['ipc', 'cli'],
  audited: ['CustomKeyStoreId', 'Id'],
});

export const testToken = operation({
  name: 'hardware:TestToken',
  summary: 'Have a connected token make a key pair, sign with it, and destroy it again; the signature is verified outside of the token',
  input: () => z.strictObject({ CustomKeyStoreId: keyStoreId }),
  output: () => z.strictObject({ KeySpec: f.keySpec, SigningAlgorithm: z.string() }),
  errors: [...TOKEN_ERRORS, 'CustomKeyStoreNotFoundException', 'CustomKeyStoreInvalidStateException'],
  effect: 'use',
  needs: 'unlocked',
  doors: ['ipc', 'cli'],
  audited: ['CustomKeyStoreId'],
});
