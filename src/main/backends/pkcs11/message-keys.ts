/**
 * Keys of one message each, which a symmetric key in a token wraps: the message itself is encrypted here with them.
 *
 * Defends against: a wrapped key moved to another key (the token's wrapping binds key and material), one that nobody could open, an IV that repeats (it is
 * drawn here).
 */
import { timingSafeEqual } from 'node:crypto';
import { invalidCiphertext, VaultError } from '../../../shared/model/errors.ts';
import { concat, fromHex, hex, lp, utf8, wipe } from '../../crypto/bytes.ts';
import type { Random } from '../../platform/ports.ts';
import type { MessageKey, Sealer } from '../../seal/protocol.ts';
import { CKM } from './cryptoki.ts';
import { hasReturned, UNOPENED } from './errors.ts';
import type { TokenName, Use } from './protocol.ts';
import { faulty, only, type OnToken, type TokenAccess, type TokenHandle } from './token-access.ts';

const IV = 12;
const KEY = 32;
/** Key and tag. */
const WRAPPED = 48;

const WRAP_LABEL = utf8('keystead/token-wrap/v1');

/** What the token binds to a message key that it wraps. */
const wrapAad = (keyId: string, materialId: string): string => hex(concat(WRAP_LABEL, lp(utf8(keyId)), fromHex(materialId)));

export interface MessageKeys {
  /** A new one, wrapped. */
  fresh(key: TokenHandle): Promise<MessageKey>;
  /** The one in a ciphertext. InvalidCiphertextException, nothing finer; IncorrectKeyException. */
  within(key: TokenHandle, ciphertext: Uint8Array): Promise<MessageKey>;
  /** Lends it, and wipes it afterwards. */
  use<T>(made: Promise<MessageKey>, run: (key: MessageKey) => Promise<T>): Promise<T>;
}

interface MessageKeyPorts<P extends { readonly token: TokenName }> {
  readonly sealer: Sealer;
  readonly random: Random;
  readonly tokens: TokenAccess<P>;
  readonly on: OnToken<P>;
}

export function createMessageKeys<P extends { readonly token: TokenName }>({ sealer, random, tokens, on }: MessageKeyPorts<P>): MessageKeys {
  /** Ids of keys that opened what they had wrapped, by connection. */
  const opened = new WeakMap<P, Set<string>>();

  /**
   * Has the token unwrap what it has wrapped, the first time that a key wraps after its store was connected: a ciphertext that nobody could
   * open must not leave. Throws KMSInternalException.
   */
  async function assertOpens(place: P, request: { readonly token: TokenName; readonly id: string }, use: Use, { messageKey, wrapped }: Pick<MessageKey, 'messageKey'> & { readonly wrapped: Uint8Array }): Promise<void> {
    const known = opened.get(place) ?? new Set<string>();
    opened.set(place, known);
    if (known.has(request.id)) return;
    const wrong = (): VaultError => faulty(place.token, 'does not open what it has wrapped, which was withheld');
    const { parts } = await tokens.ask(place, 'decrypt', { ...request, use }, [wrapped]).catch((error: unknown) => { throw hasReturned(error, UNOPENED) ? wrong() : error; });
    const same = only(parts, place.token);
    const isRight = same.byteLength === messageKey.byteLength && timingSafeEqual(same, messageKey);
    wipe(same);
    if (!isRight) throw wrong();
    known.add(request.id);
  }

  return {
    fresh: (key) =>
      on(key, 'SYMMETRIC_DEFAULT', async ({ place, request }) => {
        const [materialId = ''] = key.materials;
        const messageKey = random.bytes(KEY);
        const iv = random.bytes(IV);
        const use: Use = { mechanism: CKM.AES_GCM, kind: 'gcm', iv: hex(iv), aad: wrapAad(key.keyId, materialId) };
        const { parts } = await tokens.ask(place, 'encrypt', { ...request, use }, [messageKey]);
        const wrapped = only(parts, place.token);
        if (wrapped.byteLength !== WRAPPED) throw faulty(place.token, 'wrapped a key to another length');
        await assertOpens(place, request, use, { messageKey, wrapped });
        return { materialId: fromHex(materialId), messageKey, wrapped: concat(iv, wrapped) };
      }),

    async within(key, ciphertext) {
      const { materialId, wrapped } = await sealer.call('locate', { ciphertext });
      if (!key.materials.includes(hex(materialId))) throw new VaultError('IncorrectKeyException', `the ciphertext was not made by key \`${key.keyId}\``);
      if (!wrapped) throw invalidCiphertext();
      return on(key, 'SYMMETRIC_DEFAULT', async ({ place, request }) => {
        const use: Use = { mechanism: CKM.AES_GCM, kind: 'gcm', iv: hex(wrapped.subarray(0, IV)), aad: wrapAad(key.keyId, hex(materialId)) };
        const { parts } = await tokens.ask(place, 'decrypt', { ...request, use }, [wrapped.subarray(IV)]).catch((error: unknown) => { throw hasReturned(error, UNOPENED) ? invalidCiphertext() : error; });
        const messageKey = only(parts, place.token);
        if (messageKey.byteLength !== KEY) throw invalidCiphertext();
        return { materialId, messageKey, wrapped };
      });
    },

    async use(made, run) {
      const key = await made;
      try {
        return await run(key);
      } finally {
        wipe(key.messageKey);
      }
    },
  };
}
