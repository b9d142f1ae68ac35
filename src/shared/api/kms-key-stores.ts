/** `kms:` operations of custom key stores. AWS KMS API Reference, version 2014-11-01. A CloudHSM cluster is a PKCS #11 token here. */
import { z } from 'zod';
import * as f from './fields.ts';
import { operation, refused, secretText, timestamp } from './operation.ts';

/** Of a token: `cluster-` and 11 characters that its serial number and label give. */
export const clusterId = z.string().min(19).max(24).describe('The token: `CloudHsmClusterId` of `keystead hardware list-tokens`');
export const keyStoreId = z.string().min(1).max(64).describe('Id of the key store, `cks-…`');
const keyStoreName = z.string().min(1).max(256);
/** Bytes. Tokens have their own limits. */
export const pin = secretText({ min: 4, max: 255 });

const NO_XKS = 'key stores outside of this vault are not offered; leave it out for a key store in a token';
const NO_ANCHOR = 'a token is known by its serial number and label, and asked for proof by nothing';

export const connectionState = z.enum(['CONNECTED', 'CONNECTING', 'FAILED', 'DISCONNECTED', 'DISCONNECTING']);
export type ConnectionState = z.output<typeof connectionState>;
export const connectionError = z.enum(['INVALID_CREDENTIALS', 'CLUSTER_NOT_FOUND', 'INTERNAL_ERROR', 'USER_LOCKED_OUT', 'USER_NOT_FOUND']);
export type ConnectionError = z.output<typeof connectionError>;

/** What a token may answer with, wherever it is asked. */
export const TOKEN_ERRORS = ['IncorrectPinException', 'PinLockedException', 'ModuleRefusedException', 'KeyUnavailableException', 'UnsupportedOperationException', 'KMSInvalidStateException', 'LimitExceededException', 'NotFoundException'] as const;

const xks = {
  XksProxyUriEndpoint: refused(NO_XKS),
  XksProxyUriPath: refused(NO_XKS),
  XksProxyVpcEndpointServiceName: refused(NO_XKS),
  XksProxyVpcEndpointServiceOwner: refused(NO_XKS),
  XksProxyAuthenticationCredential: refused(NO_XKS),
  XksProxyConnectivity: refused(NO_XKS),
};

export const createCustomKeyStore = operation({
  name: 'kms:CreateCustomKeyStore',
  summary: 'Make a key store in a hardware token; its keys never leave the token',
  input: () => z.strictObject({
    CustomKeyStoreName: keyStoreName.describe('For people; unique in this vault'),
    CloudHsmClusterId: clusterId.optional(),
    TrustAnchorCertificate: refused(NO_ANCHOR),
    KeyStorePassword: pin.optional().describe('The token’s PIN, kept in the module’s process until the vault is locked; or log in with `keystead hardware unlock-token`'),
    CustomKeyStoreType: z.enum(['AWS_CLOUDHSM'], { error: 'must be `AWS_CLOUDHSM`: key stores outside of this vault are not offered' }).default('AWS_CLOUDHSM'),
    ...xks,
  }),
  output: () => z.strictObject({ CustomKeyStoreId: z.string() }),
  errors: [...TOKEN_ERRORS, 'CloudHsmClusterInUseException', 'CloudHsmClusterInvalidConfigurationException', 'CloudHsmClusterNotActiveException', 'CloudHsmClusterNotFoundException', 'CustomKeyStoreNameInUseException', 'IncorrectTrustAnchorException'],
  effect: 'write',
  needs: 'unlocked',
  doors: ['ipc', 'cli', 'aws'],
  audited: ['CustomKeyStoreName', 'CloudHsmClusterId'],
});

export const connectCustomKeyStore = operation({
  name: 'kms:ConnectCustomKeyStore',
  summary: 'Connect a key store to its token, so that its keys can be used; the token must be logged in, or its PIN known since unlock or sealed in the vault',
  input: () => z.strictObject({ CustomKeyStoreId: keyStoreId }),
  output: () => z.strictObject({}),
  errors: [...TOKEN_ERRORS, 'CloudHsmClusterInvalidConfigurationException', 'CloudHsmClusterNotActiveException', 'CustomKeyStoreInvalidStateException', 'CustomKeyStoreNotFoundException'],
  effect: 'write',
  needs: 'unlocked',
  doors: ['ipc', 'cli', 'aws', 'schedule'],
  audited: ['CustomKeyStoreId'],
});

export const disconnectCustomKeyStore = operation({
  name: 'kms:DisconnectCustomKeyStore',
  summary: 'Disconnect a key store from its token; its keys are unavailable until it is connected again',
  input: () => z.strictObject({ CustomKeyStoreId: keyStoreId }),
  output: () => z.strictObject({}),
  errors: ['CustomKeyStoreInvalidStateException', 'CustomKeyStoreNotFoundException'],
  effect: 'write',
  needs: 'unlocked',
  doors: ['ipc', 'cli', 'aws'],
  audited: ['CustomKeyStoreId'],
});

export const describeCustomKeyStores = operation({
  name: 'kms:DescribeCustomKeyStores',
  summary: 'Show key stores and whether they are connected',
  input: () => z.strictObject({
    CustomKeyStoreId: keyStoreId.optional(),
    CustomKeyStoreName: keyStoreName.optional().describe('One of the two, or neither for all'),
    Limit: f.pageLimit.default(100).describe('At most this many'),
    Marker: f.pageMarker.optional().describe('NextMarker of the page before'),
  }),
  output: () => z.strictObject({
    CustomKeyStores: z.array(
      z.strictObject({
        CustomKeyStoreId: z.string(),
        CustomKeyStoreName: z.string(),
        CloudHsmClusterId: z.string(),
        ConnectionState: connectionState,
        ConnectionErrorCode: connectionError.optional().describe('While FAILED'),
        CreationDate: timestamp(),
        CustomKeyStoreType: z.enum(['AWS_CLOUDHSM']),
      }),
    ),
    NextMarker: z.string().optional().describe('Present when Truncated'),
    Truncated: z.boolean(),
  }),
  errors: ['CustomKeyStoreNotFoundException', 'InvalidMarkerException'],
  effect: 'read',
  needs: 'unlocked',
  doors: ['ipc', 'cli', 'aws'],
  audited: ['CustomKeyStoreId', 'CustomKeyStoreName'],
});

export const updateCustomKeyStore = operation({
  name: 'kms:UpdateCustomKeyStore',
  summary: 'Change the name of a disconnected key store, the PIN that it is connected with, or which token of the same keys it is in',
  input: () => z.strictObject({
    CustomKeyStoreId: keyStoreId,
    NewCustomKeyStoreName: keyStoreName.optional(),
    KeyStorePassword: pin.optional().describe('The token’s PIN as it is now; it changes nothing on the token'),
    CloudHsmClusterId: clusterId.optional().describe('A token that holds the same keys'),
    ...xks,
  }),
  output: () => z.strictObject({}),
  errors: [...TOKEN_ERRORS, 'CloudHsmClusterInvalidConfigurationException', 'CloudHsmClusterNotActiveException', 'CloudHsmClusterNotFoundException', 'CloudHsmClusterNotRelatedException', 'CustomKeyStoreInvalidStateException', 'CustomKeyStoreNameInUseException', 'CustomKeyStoreNotFoundException'],
  effect: 'write',
  needs: 'unlocked',
  doors: ['ipc', 'cli', 'aws'],
  audited: ['CustomKeyStoreId', 'NewCustomKeyStoreName', 'CloudHsmClusterId'],
});

export const deleteCustomKeyStore = operation({
  name: 'kms:DeleteCustomKeyStore',
  summary: 'Forget a disconnected key store without keys; nothing is deleted on the token',
  input: () => z.strictObject({ CustomKeyStoreId: keyStoreId }),
  output: () => z.strictObject({}),
  errors: ['CustomKeyStoreHasCMKsException', 'CustomKeyStoreInvalidStateException', 'CustomKeyStoreNotFoundException'],
  effect: 'write',
  needs: 'unlocked',
  doors: ['ipc', 'cli', 'aws'],
  audited: ['CustomKeyStoreId'],
});
