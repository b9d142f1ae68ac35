/**
 * From a token that is logged in to the first signature of a key in it: a list of acts, each done once. One that fails can be done again; what is done is not
 * undone, and what stays is told.
 */
import type { Answer, CallError } from '../../shared/api/client.ts';
import type { Output } from '../../shared/api/index.ts';
import type { KeySpec } from '../../shared/model/algorithms.ts';
import { offered } from '../../shared/model/algorithms.ts';
import { SecretBytes } from '../../shared/model/secret-bytes.ts';
import { client } from '../client.ts';

export const SETUP_ACTS = ['store', 'connect', 'generate', 'sign', 'verify', 'destroy', 'key', 'first'] as const;
export type SetupAct = (typeof SETUP_ACTS)[number];
export const SETUP_WORDS: Readonly<Record<SetupAct, string>> = {
  store: 'Make the key store',
  connect: 'Connect it',
  generate: 'Self test: make a key pair in the token',
  sign: 'Self test: sign with it',
  verify: 'Self test: verify the signature outside of the token',
  destroy: 'Self test: destroy the key pair',
  key: 'Make the key',
  first: 'Sign with it, and verify',
};

export interface SetupWanted {
  readonly clusterId: string;
  readonly storeName: string;
  readonly spec: KeySpec;
  /** Without `alias/`. */
  readonly keyName: string;
}
/** What there is by now. */
export interface SetupMade {
  readonly storeId?: string;
  readonly isOwnStore?: boolean;
  readonly keyId?: string;
  readonly isNamed?: boolean;
  readonly signed?: { readonly signature: Uint8Array; readonly algorithm: string };
}
export type SetupEnd = { readonly ok: true; readonly made: SetupMade } | { readonly ok: false; readonly made: SetupMade; readonly at: SetupAct; readonly error: CallError };

export const FIRST_MESSAGE = 'The first signature of a key that never leaves its token.\n';
const message = (): SecretBytes => SecretBytes.take(new TextEncoder().encode(FIRST_MESSAGE));

class Stopped extends Error {
  readonly error: CallError;
  readonly at: SetupAct;
  constructor(at: SetupAct, error: CallError) {
    super(error.message);
    this.at = at;
    this.error = error;
  }
}
function got<T>(at: SetupAct, answer: Answer<T>): T {
  if (!answer.ok) throw new Stopped(at, answer.error);
  return answer.output;
}
const TESTED = ['generate', 'sign', 'verify', 'destroy'] as const satisfies readonly SetupAct[];

async function tested(storeId: string, tell: (act: SetupAct) => void): Promise<void> {
  let at: SetupAct = 'generate';
  const answer = await client.hardware.testToken({ CustomKeyStoreId: storeId }, { progress: ({ done }) => {
    at = TESTED[Math.min(done, TESTED.length - 1)] ?? at;
    if (done < TESTED.length) tell(at);
  } });
  got<Output<'hardware:TestToken'>>(at, answer);
}

/** `before`: what an earlier run has made. `tell`: the act that is begun. */
export async function runSetup({ clusterId, storeName, spec, keyName }: SetupWanted, before: SetupMade, tell: (act: SetupAct) => void): Promise<SetupEnd> {
  let made = before;
  try {
    tell('store');
    if (made.storeId === undefined) made = { ...made, isOwnStore: true, storeId: got('store', await client.kms.createCustomKeyStore({ CustomKeyStoreName: storeName, CloudHsmClusterId: clusterId })).CustomKeyStoreId };
    const storeId = made.storeId ?? '';
    tell('connect');
    const [store] = got('connect', await client.kms.describeCustomKeyStores({ CustomKeyStoreId: storeId, Limit: 1 })).CustomKeyStores;
    if (store?.ConnectionState === 'FAILED') got('connect', await client.kms.disconnectCustomKeyStore({ CustomKeyStoreId: storeId }));
    if (store?.ConnectionState !== 'CONNECTED') got('connect', await client.kms.connectCustomKeyStore({ CustomKeyStoreId: storeId }));
    if (made.keyId === undefined) {
      tell('generate');
      await tested(storeId, tell);
      tell('key');
      made = { ...made, keyId: got('key', await client.kms.createKey({ KeySpec: spec, KeyUsage: 'SIGN_VERIFY', Origin: 'AWS_CLOUDHSM', CustomKeyStoreId: storeId, Description: '' })).KeyMetadata.KeyId };
    }
    const keyId = made.keyId ?? '';
    tell('key');
    if (!made.isNamed) {
      got('key', await client.kms.createAlias({ AliasName: `alias/${keyName}`, TargetKeyId: keyId }));
      made = { ...made, isNamed: true };
    }
    tell('first');
    const { SigningAlgorithms: own } = got('first', await client.kms.describeKey({ KeyId: keyId })).KeyMetadata;
    const algorithm = (own ?? []).find((name) => offered(spec, 'SIGN_VERIFY').includes(name)) ?? offered(spec, 'SIGN_VERIFY')[0];
    const by = algorithm as never;
    const { Signature } = got('first', await client.kms.sign({ KeyId: keyId, Message: message(), MessageType: 'RAW', SigningAlgorithm: by }));
    got('first', await client.kms.verify({ KeyId: keyId, Message: message(), MessageType: 'RAW', Signature, SigningAlgorithm: by }));
    return { ok: true, made: { ...made, signed: { signature: Signature, algorithm: String(algorithm) } } };
  } catch (error) {
    if (!(error instanceof Stopped)) throw error;
    return { ok: false, made, at: error.at, error: error.error };
  }
}

/** What of it stays when somebody leaves half-way; each a sentence. */
export function staying({ module, token, made, storeName }: { readonly module: string | undefined; readonly token: string | undefined; readonly made: SetupMade; readonly storeName: string }): readonly string[] {
  return [
    ...(token === undefined ? [] : [`Token ${token} keeps its label and the PINs that you gave it.`]),
    ...(made.isOwnStore === true ? [`Key store ${storeName} stays.`] : []),
    ...(made.keyId === undefined ? [] : [`A key was made in it, ${made.keyId}.`]),
    ...(module === undefined ? [] : made.isOwnStore === true ? [`Module ${module} stays, since the key store is in it.`] : []),
  ];
}

const HASHES: Readonly<Record<string, string>> = { SHA_256: '-sha256', SHA_384: '-sha384', SHA_512: '-sha512' };
/** The same on the command line, and the check of it by another program. ECDSA and PKCS #1 only: the others need more than openssl dgst. */
export function setupCommands(key: string, algorithm: string): readonly string[] {
  const digest = HASHES[/SHA_\d+$/.exec(algorithm)?.[0] ?? ''];
  return [
    `keystead kms sign --key-id ${key} --message fileb://message --signing-algorithm ${algorithm} --output-file Signature=signature.bin`,
    ...(digest !== undefined && /^(?:ECDSA|RSASSA_PKCS1)/.test(algorithm) ? [`keystead kms get-public-key --key-id ${key} --format pem > public.pem`, `openssl dgst ${digest} -verify public.pem -signature signature.bin message`] : []),
  ];
}
