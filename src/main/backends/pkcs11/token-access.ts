/** How the backend comes to a token that holds a key, and what it makes of an answer that is none. */
import { algorithmOf, type Algorithm } from '../../../shared/model/algorithms.ts';
import { VaultError } from '../../../shared/model/errors.ts';
import type { Attempt, HardwareRef, KeyBackend, KeyHandle } from '../../keyring/ports.ts';
import type { Answer } from './client.ts';
import { nameToken } from './errors.ts';
import { usable, type Offer } from './mechanisms.ts';
import type { CallName, RequestOf, TokenName } from './protocol.ts';

/** Tokens as this backend needs them. `P`: where a token is. */
export interface TokenAccess<P extends { readonly token: TokenName }> {
  /** Has one of the store's tokens do it, and another where it does not answer. KMSInvalidStateException for a key store that is not connected. */
  use<T>(store: string, work: (place: P) => Promise<T>, attempted?: (attempt: Attempt) => void): Promise<T>;
  ask<C extends CallName>(place: P, name: C, request: RequestOf<C>, parts?: readonly Uint8Array[]): Promise<Answer<C>>;
  offer(place: P): Promise<Offer>;
}

export type Handle = KeyHandle<never> | Parameters<KeyBackend['sign']>[0] | Parameters<KeyBackend['encrypt']>[0] | Parameters<KeyBackend['mac']>[0] | Parameters<KeyBackend['deriveSharedSecret']>[0];
export type TokenHandle = Handle & { readonly hardware: HardwareRef };

/** One of the key store's tokens, and what every call about the key there begins with. */
export interface At<P> {
  readonly place: P;
  readonly offer: Offer;
  readonly request: { readonly token: TokenName; readonly id: string };
}
export type OnToken<P> = <T>(key: TokenHandle, algorithm: Algorithm, work: (at: At<P>) => Promise<T>) => Promise<T>;

/** UnsupportedOperationException where the token does not do the algorithm with such a key. */
export const onTokens =
  <P extends { readonly token: TokenName }>(tokens: TokenAccess<P>): OnToken<P> =>
  (key, algorithm, work) =>
    tokens.use(
      key.hardware.store,
      async (place) => {
        const offer = await tokens.offer(place);
        if (!usable(offer, key.spec, algorithmOf(algorithm).usage).includes(algorithm)) throw new VaultError('UnsupportedOperationException', `${nameToken(place.token)} does not offer \`${algorithm}\`; see \`keystead hardware list-mechanisms\``);
        return work({ place, offer, request: { token: place.token, id: key.hardware.id } });
      },
      key.attempted,
    );

export const faulty = (token: TokenName, what: string): VaultError => new VaultError('KMSInternalException', `${nameToken(token)} ${what}; see to the token, and do not trust it until you know why`);

/** The one part of an answer. KMSInternalException. */
export function only(parts: readonly Uint8Array[], token: TokenName): Uint8Array {
  const [part] = parts;
  if (!part || parts.length !== 1) throw faulty(token, 'left out what was asked for');
  return part;
}
