/** `file:` handlers that encrypt and decrypt: a process for each file does it, with the one data key that it is given here. */
import { VaultError } from '../../shared/model/errors.ts';
import { keyArn } from '../../shared/model/ids.ts';
import type { Call } from '../kernel/handler.ts';
import type { KeyBackend, KeyHandle } from '../keyring/ports.ts';
import type { CipherFile, CipherKeys, CipherOptions } from '../platform/ports.ts';
import { keyOf } from './resolvers.ts';
import type { HandlersOf } from './rights.ts';
import { symmetricHandle } from './use-checks.ts';

/** Bytes: every suite that is written or read takes AES-256 keys. */
const DATA_KEY = 32;

/** What the process may ask for: one data key, made or unwrapped under this one key. */
function oneKey(handle: KeyHandle<'ENCRYPT_DECRYPT'>, keys: KeyBackend): CipherKeys {
  let asked = false;
  const once = (): void => {
    if (asked) throw new VaultError('InternalException', 'the process that reads the file asked for a second key; report this');
    asked = true;
  };
  return {
    make(context) {
      once();
      return keys.generateDataKey(handle, { length: DATA_KEY, context });
    },
    unwrap(ciphertext, context) {
      once();
      return keys.decrypt(handle, { algorithm: 'SYMMETRIC_DEFAULT', ciphertext, context });
    },
  };
}

const optionsOf = (call: Pick<Call, 'signal' | 'progress'>): CipherOptions => ({ signal: call.signal, progress: (done, total) => { call.progress({ done, total, unit: 'bytes' }); } });

export const fileEncryptionHandlers = (cipherFile: CipherFile): Pick<HandlersOf<'file'>, 'file:Encrypt' | 'file:Decrypt'> => ({
  'file:Encrypt': async (input, call, { keys, realm }) => {
    const key = keyOf(call.resource);
    const arn = keyArn(realm, key.keyId);
    const order = { work: 'encrypt', source: input.Path, target: input.OutputPath, keyArn: arn, context: input.EncryptionContext } as const;
    const { size, written } = await cipherFile(order, oneKey(symmetricHandle(key, call.attempted), keys), optionsOf(call));
    return { OutputPath: input.OutputPath, KeyId: arn, Size: size, OutputSize: written };
  },

  'file:Decrypt': async (input, call, { keys, realm }) => {
    const key = keyOf(call.resource);
    const arn = keyArn(realm, key.keyId);
    const order = { work: 'decrypt', source: input.Path, target: input.OutputPath, keyArn: arn, context: input.EncryptionContext } as const;
    const { size, written, context } = await cipherFile(order, oneKey(symmetricHandle(key, call.attempted), keys), optionsOf(call));
    return { OutputPath: input.OutputPath, KeyId: arn, EncryptionContext: { ...context }, Size: size, OutputSize: written };
  },
});
