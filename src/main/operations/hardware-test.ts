/**
 * A token put to the test: it makes a key pair, signs, and destroys the pair again; what it signed is verified outside of it.
 *
 * Does not: leave the test's key behind where the token still answers. Where it does not, the error names the key.
 */
import type { Algorithm, KeySpec } from '../../shared/model/algorithms.ts';
import { VaultError } from '../../shared/model/errors.ts';
import { keyIdFrom } from '../../shared/model/ids.ts';
import { bytesToBase64 } from '../../shared/wire/base64.ts';
import { nameToken } from '../backends/pkcs11/errors.ts';
import { lacks, usable, type Offer } from '../backends/pkcs11/mechanisms.ts';
import { removeEverywhere } from '../hardware/cluster-keys.ts';
import { assertStore } from '../hardware/connection.ts';
import type { Hardware } from '../hardware/hardware.ts';
import { openFor } from '../keyring/key.ts';
import type { KeyRecord } from '../keyring/ports.ts';
import type { Random } from '../platform/ports.ts';
import { generateOnToken } from './hardware-keys.ts';
import { storeOf } from './kms-key-stores.ts';
import type { HandlersOf } from './rights.ts';

/** The quickest to make first. */
const TRIED: readonly KeySpec[] = ['ECC_NIST_P256', 'ECC_NIST_P384', 'ECC_NIST_EDWARDS25519', 'RSA_2048', 'RSA_3072'];
const STEPS = 4;

function chosen(offer: Offer): { readonly spec: KeySpec; readonly algorithm: Algorithm } | undefined {
  for (const spec of TRIED) {
    const [algorithm] = lacks(offer, spec, 'SIGN_VERIFY') === undefined ? usable(offer, spec, 'SIGN_VERIFY') : [];
    if (algorithm) return { spec, algorithm };
  }
  return undefined;
}

export const hardwareTestHandlers = (now: () => Hardware, random: Random): Pick<HandlersOf<'hardware'>, 'hardware:TestToken'> => ({
  'hardware:TestToken': async (input, call, { reader, keys, vaultId }) => {
    const hardware = now();
    const store = await storeOf(reader, input.CustomKeyStoreId);
    assertStore(store.name, hardware.connection(store.id).state, 'createKey');
    const place = hardware.placeOf(store.id);
    const test = chosen(await hardware.makeable(place));
    if (!test) return call.fail('UnsupportedOperationException', `${nameToken(place.token)} makes no key pair that signs; see \`keystead hardware list-mechanisms\``);
    const { spec, algorithm } = test;
    const done = (steps: number): void => { call.progress({ done: steps, total: STEPS, unit: 'steps' }); };
    const keyId = keyIdFrom(random.bytes(16));
    done(0);
    const { ref, publicKey, materialId } = await generateOnToken(hardware, reader, random, { store: store.id, spec, usage: 'SIGN_VERIFY', keyId, vaultId });
    const destroy = async (): Promise<void> => {
      if (store.cluster) await removeEverywhere({ hardware, store }, ref.id);
      else await hardware.ask(place, 'destroy', { token: place.token, id: ref.id });
    };
    try {
      done(1);
      const record: KeyRecord = { keyId, spec, usage: 'SIGN_VERIFY', purpose: 'kms', state: 'Enabled', description: '', created: call.at, materials: [materialId], origin: 'AWS_CLOUDHSM', hardware: ref, ...(publicKey ? { publicKey: bytesToBase64(publicKey) } : {}) };
      const message = random.bytes(32);
      const signature = await keys.sign(openFor(record, 'SIGN_VERIFY'), { algorithm, message, digest: false });
      done(2);
      if (!(await keys.verify(openFor(record, 'SIGN_VERIFY'), { algorithm, message, digest: false, signature }))) throw new VaultError('KMSInternalException', `${nameToken(place.token)} made a signature that does not fit; do not trust it until you know why`);
      done(3);
    } catch (error) {
      await destroy().catch(() => undefined);
      throw error;
    }
    await destroy().catch((error: unknown) => {
      if (!(error instanceof VaultError)) throw error;
      throw new VaultError(error.code, `${error.message}; the test’s key \`${keyId}\` is still on the token`);
    });
    done(STEPS);
    return { KeySpec: spec, SigningAlgorithm: algorithm };
  },
});
