/** Modules, tokens and key stores for the fake bridge: made up. `?hardware=` says how they are. */
type Fields = Readonly<Record<string, unknown>>;
type Handler = (input: Fields, call: number) => Fields | Promise<Fields>;
export interface HardwareWorld {
  readonly at: () => number;
  /** none, or a word for each thing that is not as it should be. */
  readonly how: string;
  readonly push: (event: Fields) => void;
  readonly fail: (code: string, message: string) => never;
  readonly wait: (ms: number) => Promise<void>;
  readonly slow: boolean;
}

const SOFTHSM = '/usr/lib/softhsm/libsofthsm2.so';
const OPENSC = '/usr/lib/x86_64-linux-gnu/opensc-pkcs11.so';
const HASH = '9c1f6a0e5d7b3428f0c6e19d84a72b53d1e08f6c29ab7540fe3d61c8b2975a04';
const token = (more: Fields): Fields => ({
  Module: SOFTHSM, Slot: '66a2f1c0', SlotDescription: 'SoftHSM slot ID 0x66a2f1c0', Manufacturer: 'SoftHSM project', Model: 'SoftHSM v2', FirmwareVersion: '2.6', HardwareVersion: '2.6', Initialized: true, PinSet: true, PinPad: false,
  WriteProtected: false, PinState: 'ok', SecurityOfficerPinState: 'ok', MinPinLength: 4, MaxPinLength: 255, Sessions: 3, MaxSessions: 0, LoggedIn: true, ...more,
});
const RELEASE = { Serial: '66a2f1c0d4b3e201', Label: 'release-hsm', CloudHsmClusterId: 'cluster-a4wq7nzk2ph' };
const CARD = { Serial: '0005c1a79f3e', Label: 'mira-card', CloudHsmClusterId: 'cluster-k6td3xv5mru' };
const EMPTY = { Slot: '1', Serial: '', Label: '', Initialized: false, PinSet: false, LoggedIn: false, Sessions: 0 };
const stated = (more: Fields = {}): Fields => ({ Sensitive: true, Extractable: false, AlwaysSensitive: true, NeverExtractable: true, Local: true, ...more });

const certificate = (at: number, more: Fields): Fields => ({ Id: 'abcd', Label: 'release', State: 'readable', Sha256: '3c'.repeat(32), Subject: 'CN=Release', Issuer: 'C=DE, O=Acme, CN=Acme Issuing CA 2', SerialNumber: '5F3A91C07E22B4D8', NotBefore: at - 30 * 86_400, NotAfter: at + 335 * 86_400, ...more });
const BACKUP = { Serial: '21b7e09fd4c3a816', Label: 'backup-hsm', CloudHsmClusterId: 'cluster-p3ue8kd4sjw' };
const member = (at: number, of: Fields, more: Fields): Fields => ({ ...of, Module: SOFTHSM, JoinedDate: at - 12 * 86_400, Health: 'connected', HealthSince: at - 7200, InFlight: 0, Answered: 0, FailedOver: 0, ReachedFrom: [], ...more });
const failing = (Failure: string): Fields => ({ Health: 'failing', Failure, FailureMessage: 'it does not answer', Answered: 388, FailedOver: 2, Keys: undefined, Missing: undefined });

/** `keys`: ids of keys of this vault that are in the token. */
/** A use that finds the token logged out. */
let logOut: () => void = () => undefined;
export const tokenLogsOut = (): void => { logOut(); };

export function fakeHardware({ at, how, push, fail, wait, slow }: HardwareWorld, keys: readonly string[]): Readonly<Record<string, Handler>> {
  const is = (word: string): boolean => how.split(',').includes(word);
  const found = is('missing') ? [] : [token({ ...RELEASE, LoggedIn: !is('pin') && !is('last') && !is('locked'), PinState: is('last') ? 'last' : is('locked') ? 'locked' : 'ok', ...(is('unrecorded') ? { NotRecorded: 1 } : {}) })];
  let tokens = is('none') ? [] : [...found, token({ ...CARD, Module: OPENSC, Manufacturer: 'Yubico (www.yubico.com)', Model: 'PKCS#15 emulated', FirmwareVersion: '5.4', HardwareVersion: '0.0', Slot: '0', PinState: 'low', LoggedIn: false, Sessions: 0, MinPinLength: 6, MaxPinLength: 8 }), token({ ...EMPTY })];
  let modules: Fields[] = is('none') ? [] : [
    { Path: SOFTHSM, Sha256: HASH, AddedDate: at() - 21 * 86_400, State: 'running', Crashes: is('crashed') ? 1 : 0, Warnings: [], SealedPins: is('sealed') ? [{ Serial: RELEASE.Serial, Label: RELEASE.Label, SealedDate: at() - 86_400, State: is('doubtful') ? 'doubtful' : 'sealed' }] : [], Description: 'Implementation of PKCS11', Manufacturer: 'SoftHSM', Version: '2.6' },
    { Path: OPENSC, Sha256: HASH.replace('9c1f', '41d0'), AddedDate: at() - 4 * 86_400, State: is('changed') ? 'changed' : 'running', ...(is('changed') ? { FileSha256: HASH.replace('9c1f6a0e', 'e07b92d4') } : {}), Crashes: 0, Warnings: is('writable') ? ['folder `/usr/lib/x86_64-linux-gnu` is writable by group 1000'] : [], SealedPins: [], ...(is('changed') ? {} : { Description: 'OpenSC smartcard framework', Manufacturer: 'OpenSC Project', Version: '0.23' }) },
  ];
  let state = is('pin') || is('last') || is('locked') ? 'DISCONNECTED' : is('missing') || is('crashed') ? 'FAILED' : 'CONNECTED';
  let stores: Fields[] = is('none') ? [] : [{ CustomKeyStoreId: 'cks-4f20c9d1b7e83a562', CustomKeyStoreName: 'release', CloudHsmClusterId: RELEASE.CloudHsmClusterId, CreationDate: at() - 20 * 86_400, CustomKeyStoreType: 'AWS_CLOUDHSM' }];
  logOut = () => {
    state = 'FAILED';
    tokens = tokens.map((one) => (one['Serial'] === RELEASE.Serial ? { ...one, LoggedIn: false } : one));
  };
  const logIn = (serial: unknown): void => { tokens = tokens.map((one) => (one['Serial'] === serial ? { ...one, LoggedIn: true } : one)); };
  const spans = is('cluster') || is('sealed-cluster');
  if (spans) tokens = [...tokens.slice(0, 1), token({ ...BACKUP, Slot: '21b7e09f', LoggedIn: !is('needs-pin') }), ...tokens.slice(1)];
  let level = !is('behind');
  let hasLeft = false;
  const cluster = (): Fields => ({
    CustomKeyStoreId: 'cks-4f20c9d1b7e83a562', CustomKeyStoreName: 'release', State: !spans ? 'single' : is('sealed-cluster') ? 'sealed' : 'open', ...(is('sealed-cluster') ? { SealedDate: at() - 5 * 86_400 } : {}), KeySpecs: ['ECC_NIST_P256', 'RSA_2048'], Keys: 14, Notices: [],
    Members: [member(at(), RELEASE, { Answered: 1204, Keys: 14, Missing: 0, Deleted: 0 }), ...(spans && !hasLeft ? [member(at(), BACKUP, is('gone') ? failing('CLUSTER_NOT_FOUND') : is('needs-pin') ? failing('INVALID_CREDENTIALS') : { Answered: 1187, Keys: level ? 14 : 11, Missing: level ? 0 : 3, Deleted: level ? 0 : 1 })] : [])],
  });
  return {
    'hardware:DescribeCluster': cluster,
    'hardware:RemoveTokenFromKeyStore': () => {
      if (!is('stays')) fail('KMSInvalidStateException', 'token `backup-hsm` holds 2 keys that no other token that answers has; bring the others level first with `keystead hardware level-cluster`');
      const { Members, ...rest } = cluster();
      hasLeft = true;
      return { ...rest, Members: (Members as Fields[]).slice(0, 1), Left: (['copyOfWrappingKey', 'publicTransportKey'] as const).map((Kind, i) => ({ CloudHsmClusterId: BACKUP.CloudHsmClusterId, Token: BACKUP.Label, Id: `a${String(i)}`.repeat(16), Label: 'keystead cks-4f20c9d1b7e83a562', Kind, Reason: 'token `backup-hsm` failed (C_DestroyObject: CKR_ACTION_PROHIBITED)' })) };
    },
    'hardware:SealCluster': () => fail('KMSInternalException', 'token `backup-hsm` failed; see its module'),
    'hardware:AddTokenToKeyStore': async (input, call) => {
      push({ event: 'progress', call, progress: { done: 2, total: 6, unit: 'records' } });
      await wait(slow ? 1e9 : 20);
      if (input['SecurityOfficerPin'] === btoa('0000')) fail('IncorrectPinException', 'the security officer’s PIN is not that of token `mira-card`; nothing was changed');
      return { ...cluster(), State: 'open', KeySpecs: ['ECC_NIST_P256'], Members: [member(at(), RELEASE, { Keys: 14, Missing: 0, Deleted: 0 }), member(at(), BACKUP, { Keys: 14, Missing: 0, Deleted: 0 }), member(at(), CARD, { Keys: 14, Missing: 0, Deleted: 0 })] };
    },
    'hardware:LevelCluster': async (_input, call) => {
      for (let done = 0; done < 4; done++) {
        push({ event: 'progress', call, progress: { done, total: 4, unit: 'keys' } });
        await wait(slow && done === 2 ? 1e9 : 20);
      }
      level = true;
      return { Made: 3, Removed: 1, Left: is('stuck') ? [{ CloudHsmClusterId: BACKUP.CloudHsmClusterId, Reason: 'the token does not answer; what it lacks is made when it does' }] : [], Cluster: cluster() };
    },
    'hardware:ListTokens': () => ({ Tokens: tokens, Failures: is('changed') ? [{ Module: OPENSC, Message: 'changed' }] : [] }),
    'hardware:ListModules': () => ({ Modules: modules, Registered: is('none') ? [OPENSC, SOFTHSM, '/usr/lib/x86_64-linux-gnu/pkcs11/gnome-keyring-pkcs11.so'] : ['/usr/lib/x86_64-linux-gnu/pkcs11/gnome-keyring-pkcs11.so'] }),
    'hardware:InspectModule': (input) => ({ Path: input['Path'], Sha256: HASH, Warnings: is('writable') ? ['file `/usr/lib/softhsm/libsofthsm2.so` is writable by group 1000'] : [] }),
    'hardware:AddModule': async (input) => {
      await wait(100);
      const module = { Path: input['Path'], Sha256: HASH, AddedDate: at(), State: 'running', Crashes: 0, Warnings: [], SealedPins: [], Description: 'Implementation of PKCS11', Manufacturer: 'SoftHSM', Version: '2.6' };
      modules = [...modules, module];
      tokens = [...tokens, token({ ...EMPTY })];
      return { Module: module };
    },
    'hardware:ForgetPin': () => { modules = modules.map((one) => ({ ...one, SealedPins: [] })); return {}; },
    'hardware:RemoveModule': (input) => { modules = modules.filter(({ Path }) => Path !== input['Path']); return {}; },
    'hardware:RestartModule': () => ({ Module: modules[0] }),
    'hardware:UpdateModule': () => ({ Module: modules[1] }),
    'hardware:ListMechanisms': () => ({
      Offers: [['ECC_NIST_P256', 'SIGN_VERIFY'], ['ECC_NIST_P384', 'SIGN_VERIFY'], ['RSA_2048', 'SIGN_VERIFY'], ['RSA_2048', 'ENCRYPT_DECRYPT'], ['SYMMETRIC_DEFAULT', 'ENCRYPT_DECRYPT'], ['HMAC_256', 'GENERATE_VERIFY_MAC']].map(([KeySpec, KeyUsage]) => ({ KeySpec, KeyUsage, Algorithms: [] })),
      Mechanisms: ['CKM_RSA_PKCS_KEY_PAIR_GEN', 'CKM_RSA_PKCS', 'CKM_RSA_X_509', 'CKM_RSA_PKCS_PSS', 'CKM_SHA256', '0x252', 'CKM_SHA256_HMAC', 'CKM_EC_KEY_PAIR_GEN', 'CKM_ECDSA', 'CKM_AES_KEY_GEN', 'CKM_AES_GCM', 'CKM_AES_KEY_WRAP_PAD', '0x1082'].map((Mechanism, i) => ({ Mechanism, MinKeySize: i < 4 ? 512 : i < 7 ? 0 : 112, MaxKeySize: i < 4 ? 16_384 : i < 7 ? 0 : 521, Flags: Mechanism.includes('WRAP') ? 0x20000 : 0 })),
    }),
    'hardware:ListTokenKeys': () => ({
      Keys: [
        ...keys.map((KeyId, i) => ({ Id: `a${String(i)}`.padEnd(32, '4'), Label: KeyId, KeySpec: i === 0 ? 'ECC_NIST_P256' : 'RSA_2048', KeyUsages: ['SIGN_VERIFY'], KeyId: `arn:aws:kms:us-east-1:318204775610:key/${KeyId}`, State: 'recorded', Stated: stated() })),
        { Id: 'abcd', Label: 'from-pkcs11-tool', KeySpec: 'ECC_NIST_P256', KeyUsages: ['SIGN_VERIFY', 'KEY_AGREEMENT'], State: 'foreign', Stated: stated({ NeverExtractable: false, Local: false }) },
        ...(is('unrecorded') ? [{ Id: '7c'.repeat(16), Label: '5f1d2c7a-93b4-4e0f-a6c8-1b7d9e24f035', KeySpec: 'ECC_NIST_P384', KeyUsages: ['SIGN_VERIFY'], State: 'notRecorded', Stated: stated() }] : []),
      ],
      Certificates: is('plain') ? [] : [
        certificate(at(), { Subject: 'C=DE, O=Acme, CN=build.acme.example', Of: { Id: 'abcd', Match: 'publicKey' } }),
        certificate(at(), { Id: 'a0'.padEnd(32, '4'), Sha256: '5e'.repeat(32), Subject: 'O=Acme, OU=Release, CN=Release signing', NotAfter: at() + 12 * 86_400, Of: { Id: 'a0'.padEnd(32, '4'), Match: 'publicKey', KeyId: `arn:aws:kms:us-east-1:318204775610:key/${keys[0] ?? ''}` } }),
        certificate(at(), { Sha256: '7b'.repeat(32), Subject: 'CN=somebody.example', NotAfter: at() - 40 * 86_400, Of: { Id: 'abcd', Match: 'otherKey' } }),
        { Id: '', Label: 'backup.p7b', State: 'garbled', Sha256: '19'.repeat(32) },
      ],
    }),
    'hardware:DescribeTokenKey': (input) => ({
      KeyId: input['KeyId'], CustomKeyStoreId: 'cks-4f20c9d1b7e83a562', Uri: 'pkcs11:token=release-hsm;serial=66a2f1c0d4b3e201;id=%A0%44%44%44;type=private', Stated: stated(), Adopted: false,
      ...(spans ? { Copies: [{ CloudHsmClusterId: RELEASE.CloudHsmClusterId, Label: RELEASE.Label, Origin: 'local', Stated: stated({ Extractable: true, NeverExtractable: false, TrustedOnly: true }) }, { CloudHsmClusterId: BACKUP.CloudHsmClusterId, Label: BACKUP.Label, Origin: 'cloned', Stated: stated({ Extractable: true, AlwaysSensitive: false, NeverExtractable: false, Local: false, TrustedOnly: true }) }] } : {}),
      Tested: is('wraps') ? { WrapRefused: ['CKM_AES_KEY_WRAP'], WrapAllowed: ['CKM_AES_KEY_WRAP_KWP'], WrapUnknown: [] } : { WrapRefused: ['CKM_AES_KEY_WRAP', 'CKM_AES_KEY_WRAP_PAD', 'CKM_AES_CBC_PAD'], WrapAllowed: [], WrapUnknown: [] },
      Certificates: [certificate(at(), { Sha256: '5e'.repeat(32), Subject: 'O=Acme, OU=Release, CN=Release signing', Of: { Id: 'a0'.padEnd(32, '4'), Match: 'publicKey', KeyId: input['KeyId'] } })],
      Notes: ['Messages are hashed here, and each signature is verified here before it is given out'],
    }),
    'hardware:ExportCertificate': (input) => ({ Certificate: `-----BEGIN CERTIFICATE-----\n${Array.from({ length: 9 }, () => 'MIIBszCCAVmgAwIBAgIIXzqRwH4itNgwCgYIKoZIzj0EAwIwPjELMAkGA1UEBhMC\n').join('')}-----END CERTIFICATE-----\n`, Sha256: input['Sha256'] }),
    'hardware:UnlockToken': async (input) => {
      await wait(100);
      if (input['Pin'] === btoa('0000')) {
        tokens = tokens.map((one) => (one['Serial'] === input['Serial'] ? { ...one, PinState: 'last' } : one));
        fail('IncorrectPinException', 'token `release-hsm` refuses the PIN; try again, and stop before it locks itself; it says that one try is left');
      }
      logIn(input['Serial']);
      return { Serial: input['Serial'], Label: input['Label'] };
    },
    'hardware:SetPin': () => fail('IncorrectPinException', 'token `release-hsm` refuses the PIN; try again, and stop before it locks itself'),
    'hardware:ResetPin': (input) => {
      if (input['SecurityOfficerPin'] === btoa('0000')) fail('IncorrectPinException', 'token `release-hsm`, asked as its security officer, refuses the PIN; try again, and stop before it locks itself; it does not say how many tries are left');
      tokens = tokens.map((one) => (one['Serial'] === input['Serial'] ? { ...one, PinState: 'ok', LoggedIn: false } : one));
      return {};
    },
    'hardware:InitializeToken': async (input) => {
      await wait(100);
      const made = { Serial: '8f1b20c37ad9e4b6', Label: input['NewLabel'], CloudHsmClusterId: 'cluster-b2mx5ye7tqa' };
      tokens = [...tokens.slice(0, -1), token({ ...made, LoggedIn: false }), token({ ...EMPTY, Slot: '2' })];
      return made;
    },
    'hardware:AdoptKey': () => fail('UnsupportedOperationException', 'the public key beside the key `abcd` is not its own; put the right one there with the tools of the token’s vendor'),
    'hardware:TestToken': async (_input, call) => {
      for (let done = 0; done < 4; done++) {
        push({ event: 'progress', call, progress: { done, total: 4, unit: 'steps' } });
        await wait(slow ? 1e9 : 20);
      }
      return { KeySpec: 'ECC_NIST_P256', SigningAlgorithm: 'ECDSA_SHA_256' };
    },
    'kms:DescribeCustomKeyStores': (input) => ({
      CustomKeyStores: stores.filter(({ CustomKeyStoreId }) => input['CustomKeyStoreId'] === undefined || CustomKeyStoreId === input['CustomKeyStoreId']).map((one) => ({ ...one, ConnectionState: state, ...(state === 'FAILED' ? { ConnectionErrorCode: is('crashed') ? 'INTERNAL_ERROR' : 'CLUSTER_NOT_FOUND' } : {}) })), Truncated: false,
    }),
    'kms:ConnectCustomKeyStore': () => {
      if (tokens.some(({ Label, LoggedIn }) => Label === RELEASE.Label && LoggedIn === false)) fail('IncorrectPinException', 'token `release-hsm` was not logged in since the vault was unlocked');
      if (is('missing') && !tokens.some(({ Label, LoggedIn }) => spans && Label === BACKUP.Label && LoggedIn === true)) fail('KeyUnavailableException', 'token `release-hsm` is not there; put it back and connect its key store again');
      state = 'CONNECTED';
      return {};
    },
    'kms:DisconnectCustomKeyStore': () => { state = 'DISCONNECTED'; return {}; },
    'kms:CreateCustomKeyStore': (input) => {
      stores = [...stores, { CustomKeyStoreId: 'cks-9a71d0e4c2b5f8361', CustomKeyStoreName: input['CustomKeyStoreName'], CloudHsmClusterId: input['CloudHsmClusterId'], CreationDate: at(), CustomKeyStoreType: 'AWS_CLOUDHSM' }];
      return { CustomKeyStoreId: 'cks-9a71d0e4c2b5f8361' };
    },
    'kms:UpdateCustomKeyStore': () => ({}),
    'hardware:ListKeyStoreObjects': () => ({
      Keys: is('emptied') ? 0 : 2,
      Digest: HASH,
      Objects: is('emptied') ? [{ CloudHsmClusterId: RELEASE.CloudHsmClusterId, Token: RELEASE.Label, Id: '7c'.repeat(16), Label: '5f1d2c7a-93b4-4e0f-a6c8-1b7d9e24f035', Kind: 'key' }, ...(spans ? [RELEASE, BACKUP].flatMap((one) => (['wrappingKey', 'transportKey', 'copyOfWrappingKey', 'publicTransportKey'] as const).map((Kind, i) => ({ CloudHsmClusterId: one.CloudHsmClusterId, Token: one.Label, Id: `a${String(i)}`.repeat(16), Label: 'keystead cks-4f20c9d1b7e83a562', Kind }))) : [])] : [],
    }),
    'hardware:EraseKeyStore': () => fail('KMSInvalidStateException', 'token `backup-hsm` does not answer, so nothing can be deleted on it; put it back'),
    'kms:DeleteCustomKeyStore': () => fail('CustomKeyStoreHasCMKsException', 'key store `release` has 2 keys; schedule their deletion first, and wait until they are gone'),
  };
}
