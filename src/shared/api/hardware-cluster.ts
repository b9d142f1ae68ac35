/** `hardware:` operations of clusters: key stores that span two or more tokens, each with a copy of every key. */
import { z } from 'zod';
import * as f from './fields.ts';
import { tokenObject } from './hardware-erase.ts';
import { clusterId, connectionError, keyStoreId, pin, TOKEN_ERRORS } from './kms-key-stores.ts';
import { operation, timestamp } from './operation.ts';

export const MOST_TOKENS = 8;

const KEY_STORE_ERRORS = [...TOKEN_ERRORS, 'CustomKeyStoreNotFoundException', 'CustomKeyStoreInvalidStateException', 'CloudHsmClusterInvalidConfigurationException'] as const;

export const memberHealth = z
  .enum(['connected', 'failing', 'disconnected'])
  .describe('connected: answers. failing: was asked and did not answer; other tokens are asked instead until it does. disconnected: the key store is not connected');
export type MemberHealth = z.output<typeof memberHealth>;

const member = z.strictObject({
  CloudHsmClusterId: z.string().describe('The token, as `keystead hardware list-tokens` shows it'),
  Serial: z.string(),
  Label: z.string(),
  Module: z.string(),
  JoinedDate: timestamp(),
  Health: memberHealth,
  HealthSince: timestamp().optional().describe('Since when it is so; absent while disconnected'),
  Failure: connectionError.optional().describe('While failing'),
  FailureMessage: z.string().optional().describe('While failing: what it said, and what to do'),
  NextTryDate: timestamp().optional().describe('While failing: when it is tried again by itself. Absent: it waits for its PIN, give it with `keystead hardware unlock-token`'),
  InFlight: z.number().describe('Requests that it is working on now'),
  Answered: z.number().describe('Requests since the key store was connected'),
  FailedOver: z.number().describe('Requests since then that it did not answer and that were given to another token'),
  Keys: z.number().optional().describe('Of this key store’s keys, those that it holds. Absent while it is not connected'),
  Missing: z.number().optional().describe('Those that it does not hold; `keystead hardware level-cluster` makes them'),
  Deleted: z.number().optional().describe('Keys that were deleted here, and of tokens that left, that it still holds; the same command removes them'),
  ReachedFrom: z.array(z.string()).describe('Tokens (`CloudHsmClusterId`) whose keys can be brought to it'),
});

export const clusterShape = z.strictObject({
  CustomKeyStoreId: z.string(),
  CustomKeyStoreName: z.string(),
  State: z.enum(['single', 'open', 'sealed']).describe('single: one token. open: keys can leave a token under a trusted wrapping key only, so that a token can join. sealed: they cannot leave at all, and no token can join'),
  SealedDate: timestamp().optional(),
  WrappingMechanism: z.string().optional().describe('How keys travel between the tokens'),
  KeySpecs: z.array(f.keySpec).describe('Keys that every token can hold and that were seen to travel when the last token joined; of one token, those that it makes'),
  Keys: z.number(),
  Levelling: z.strictObject({ Done: z.number(), Total: z.number() }).optional().describe('While tokens are brought level, by their owner or by itself when one is back: steps done, and all of them'),
  Members: z.array(member),
  Notices: z.array(z.string()).describe('What their owner should know of these tokens'),
});

export const describeCluster = operation({
  name: 'hardware:DescribeCluster',
  summary: 'Show the tokens that a key store spans, whether each answers, and which keys it holds',
  input: () => z.strictObject({ CustomKeyStoreId: keyStoreId }),
  output: () => clusterShape,
  errors: [...TOKEN_ERRORS, 'CustomKeyStoreNotFoundException'],
  effect: 'read',
  needs: 'unlocked',
  doors: ['ipc', 'cli'],
  audited: ['CustomKeyStoreId'],
});

export const addTokenToKeyStore = operation({
  name: 'hardware:AddTokenToKeyStore',
  summary: 'Let a connected key store span one more token: both security officers make or mark wrapping keys, and every key is copied',
  input: () => z.strictObject({
    CustomKeyStoreId: keyStoreId,
    CloudHsmClusterId: clusterId.describe('The token that joins: `CloudHsmClusterId` of `keystead hardware list-tokens`'),
    Pin: pin.optional().describe('The user’s, of the token that joins; not needed where it is logged in'),
    SecurityOfficerPin: pin.describe('Of the token that joins; given to a process of its own that ends at once, and not kept'),
    Member: clusterId.optional().describe('The token of the key store that keys are copied from: its own token, or the first that is connected, if left out'),
    MemberSecurityOfficerPin: pin.describe('Of that token; given to a process of its own that ends at once, and not kept'),
    LastTry: z.boolean().default(false).describe('Go on where one more wrong PIN of the security officer of the token that joins locks that PIN'),
    MemberLastTry: z.boolean().default(false).describe('Go on where one more wrong PIN of the security officer of the other token locks that PIN'),
  }),
  output: () => clusterShape,
  errors: [...KEY_STORE_ERRORS, 'CloudHsmClusterInUseException', 'CloudHsmClusterNotFoundException', 'CloudHsmClusterNotRelatedException'],
  effect: 'write',
  needs: 'unlocked',
  doors: ['ipc', 'cli'],
  audited: ['CustomKeyStoreId', 'CloudHsmClusterId', 'Member', 'LastTry', 'MemberLastTry'],
});

export const removeTokenFromKeyStore = operation({
  name: 'hardware:RemoveTokenFromKeyStore',
  summary: 'Let a key store span one token less; its copies of keys stay on it, what later copies could be opened with is removed where it answers, and what could not be is listed',
  input: () => z.strictObject({
    CustomKeyStoreId: keyStoreId,
    CloudHsmClusterId: clusterId.describe('The token that leaves'),
    Confirm: z.string().max(32).describe('Label of that token, typed out'),
  }),
  output: () => z.strictObject({
    ...clusterShape.shape,
    Left: z.array(z.strictObject({ ...tokenObject.shape, Reason: z.string() })).describe('What could not be removed, and why; empty when the tokens hold nothing of each other. With wrapping keys left on it, the token that left opens what the others wrap for each other: erase it. What is left on the others is removed when they are brought level'),
  }),
  errors: [...KEY_STORE_ERRORS, 'CloudHsmClusterNotRelatedException'],
  effect: 'write',
  needs: 'unlocked',
  doors: ['ipc', 'cli'],
  audited: ['CustomKeyStoreId', 'CloudHsmClusterId'],
});

export const levelCluster = operation({
  name: 'hardware:LevelCluster',
  summary: 'Bring every connected token of a key store level: missing copies are made and tried out, keys that were deleted here are removed',
  input: () => z.strictObject({ CustomKeyStoreId: keyStoreId }),
  output: () => z.strictObject({
    Made: z.number().describe('Copies'),
    Removed: z.number().describe('Copies of keys that were deleted here'),
    Left: z.array(z.strictObject({ CloudHsmClusterId: z.string(), KeyId: z.string().optional(), Reason: z.string() })).describe('What could not be brought level, and why; empty when all tokens are'),
    Cluster: clusterShape,
  }),
  errors: KEY_STORE_ERRORS,
  effect: 'write',
  needs: 'unlocked',
  doors: ['ipc', 'cli', 'schedule'],
  audited: ['CustomKeyStoreId'],
});

export const sealCluster = operation({
  name: 'hardware:SealCluster',
  summary: 'Make the keys of a cluster not extractable on every token, for good: no token can join afterwards',
  input: () => z.strictObject({ CustomKeyStoreId: keyStoreId, Confirm: z.string().min(1).max(256).describe('Name of the key store, typed out: this cannot be taken back') }),
  output: () => clusterShape,
  errors: KEY_STORE_ERRORS,
  effect: 'write',
  needs: 'unlocked',
  doors: ['ipc', 'cli'],
  audited: ['CustomKeyStoreId'],
});

const CLOCK = { needs: 'unlocked', doors: ['schedule'], command: { hidden: true } } as const;

/** The clock's own: what a join is about to put on tokens, written down before any of it is there. */
export const beginJoin = operation({
  name: 'hardware:BeginJoin',
  summary: 'Write down what a token that joins a key store is about to be given',
  input: () => z.strictObject({ CustomKeyStoreId: keyStoreId, CloudHsmClusterId: clusterId, Join: z.string().regex(/^[0-9a-f]{32}$/) }),
  output: () => z.strictObject({}),
  errors: KEY_STORE_ERRORS,
  effect: 'write',
  audited: ['CustomKeyStoreId', 'CloudHsmClusterId', 'Join'],
  ...CLOCK,
});

/** The clock's own: takes off tokens that answer what a join has left that was cut off. */
export const takeBackJoins = operation({
  name: 'hardware:TakeBackJoins',
  summary: 'Remove what a join that was cut off has left on tokens, as far as they answer',
  input: () => z.strictObject({ CustomKeyStoreId: keyStoreId }),
  output: () => z.strictObject({ Removed: z.number().describe('Objects'), Left: z.array(z.string()).describe('Tokens (`CloudHsmClusterId`) that may still hold something, and are not logged in or do not answer') }),
  errors: KEY_STORE_ERRORS,
  effect: 'write',
  audited: ['CustomKeyStoreId'],
  ...CLOCK,
});
