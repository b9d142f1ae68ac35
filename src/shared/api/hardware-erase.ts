/** `hardware:` operations that delete a key store together with what Keystead made for it on its tokens. AWS's DeleteCustomKeyStore never does. */
import { z } from 'zod';
import { keyStoreId, TOKEN_ERRORS } from './kms-key-stores.ts';
import { operation } from './operation.ts';

export const tokenObject = z.strictObject({
  CloudHsmClusterId: z.string().describe('The token that it is on'),
  Token: z.string().describe('Label of the token'),
  Id: z.string().describe('CKA_ID'),
  Label: z.string(),
  Kind: z
    .enum(['key', 'wrappingKey', 'transportKey', 'copyOfWrappingKey', 'publicTransportKey'])
    .describe('key: made by this vault, and of which it has no record. The others are a cluster’s own: the key that the token wraps with, the pair that such keys travel under, and what it has of other tokens’'),
});

const digest = z.string().regex(/^[0-9a-f]{64}$/);
const ERRORS = [...TOKEN_ERRORS, 'CustomKeyStoreNotFoundException', 'CustomKeyStoreInvalidStateException', 'CloudHsmClusterInvalidConfigurationException'] as const;

export const listKeyStoreObjects = operation({
  name: 'hardware:ListKeyStoreObjects',
  summary: 'List what `keystead hardware erase-key-store` would delete on the tokens of a connected key store',
  input: () => z.strictObject({ CustomKeyStoreId: keyStoreId }),
  output: () => z.strictObject({ Objects: z.array(tokenObject), Digest: digest.describe('SHA-256 of what is listed: `keystead hardware erase-key-store` takes it, and deletes nothing else'), Keys: z.number().describe('Keys of this vault in the key store; while there are any, it cannot be deleted') }),
  errors: ERRORS,
  effect: 'use',
  needs: 'unlocked',
  doors: ['ipc', 'cli'],
  audited: ['CustomKeyStoreId'],
});

export const eraseKeyStore = operation({
  name: 'hardware:EraseKeyStore',
  summary: 'Delete a connected key store without keys, and on its tokens what this vault made for it and has no record of; nothing else on them',
  input: () => z.strictObject({ CustomKeyStoreId: keyStoreId, Digest: digest.describe('Of what is to be deleted, as `keystead hardware list-key-store-objects` has it; refused where something else would be'), Confirm: z.string().max(256).describe('Name of the key store, typed out: what was encrypted with a key that is deleted can never be read again') }),
  output: () => z.strictObject({
    Deleted: z.array(tokenObject),
    Left: z.array(z.strictObject({ ...tokenObject.shape, Reason: z.string() })).describe('What is still there: the token failed when it was to delete it. The key store is deleted all the same'),
  }),
  errors: [...ERRORS, 'CustomKeyStoreHasCMKsException'],
  effect: 'write',
  needs: 'unlocked',
  doors: ['ipc', 'cli'],
  audited: ['CustomKeyStoreId', 'Digest'],
});
