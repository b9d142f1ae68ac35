/** Connecting a key store: at once where the vault still knows how, else with the token's PIN. */
import type { Answer, CallError } from '../../shared/api/client.ts';
import type { SecretBytes } from '../../shared/model/secret-bytes.ts';
import { client } from '../client.ts';
import type { KeyStore, Token } from './data.ts';

export type Connecting = { readonly is: 'connected'; /** It was before: whatever failed, connecting does not mend it. */ readonly already: boolean } | { readonly is: 'pin' } | { readonly is: 'failed'; readonly error: CallError };

const failed = (error: CallError): Connecting => ({ is: 'failed', error });

async function stateOf(CustomKeyStoreId: string): Promise<Answer<KeyStore | undefined>> {
  const answer = await client.kms.describeCustomKeyStores({ CustomKeyStoreId, Limit: 1 });
  return answer.ok ? { ...answer, output: answer.output.CustomKeyStores[0] } : answer;
}

/** Connects; one that has failed is disconnected first, as KMS has it. Leaves nothing failed behind that a PIN will mend. */
export async function connectStore(CustomKeyStoreId: string): Promise<Connecting> {
  const state = await stateOf(CustomKeyStoreId);
  if (!state.ok) return failed(state.error);
  if (state.output?.ConnectionState === 'CONNECTED') return { is: 'connected', already: true };
  if (state.output?.ConnectionState === 'FAILED') {
    const off = await client.kms.disconnectCustomKeyStore({ CustomKeyStoreId });
    if (!off.ok && off.error.code !== 'CustomKeyStoreInvalidStateException') return failed(off.error);
  }
  const answer = await client.kms.connectCustomKeyStore({ CustomKeyStoreId });
  if (answer.ok) return { is: 'connected', already: false };
  if (answer.error.code !== 'IncorrectPinException') return failed(answer.error);
  await client.kms.disconnectCustomKeyStore({ CustomKeyStoreId });
  return { is: 'pin' };
}

/** Errors of a use that a connection mends: nothing was done yet. Source: hardware/connection.ts, backends/pkcs11/errors.ts. */
const UNDONE: ReadonlySet<string> = new Set(['KMSInvalidStateException', 'KeyUnavailableException', 'CustomKeyStoreInvalidStateException']);
export const isUndone = ({ code }: CallError): boolean => UNDONE.has(code);
/** A module that stopped in the middle: whether the token had done it nobody knows, and nobody asks it again. */
export const isCrash = ({ code }: CallError): boolean => code === 'KMSInternalException';

export interface Giving {
  readonly LastTry?: boolean;
  /** The PIN is sealed in the vault, too. */
  readonly SealPin?: boolean;
  /** Path: the module that it goes to, where two show the token. */
  readonly Module?: string;
}
export const unlockToken = ({ Serial, Label }: Pick<Token, 'Serial' | 'Label'>, Pin: SecretBytes, giving: Giving = {}) => client.hardware.unlockToken({ Serial, Label, Pin, ...giving });

/** Of a key store's tokens, by what KMS calls them: the one that it names, and another that is there and waits for its PIN. Undefined: not there. */
export function tokensFor(named: string | undefined, members: readonly string[], tokens: readonly Token[]): { readonly own: Token | undefined; readonly other: Token | undefined } {
  const at = (id: string | undefined): Token | undefined => tokens.find(({ CloudHsmClusterId }) => CloudHsmClusterId !== undefined && CloudHsmClusterId === id);
  const others = members.filter((id) => id !== named).flatMap((id) => at(id) ?? []);
  return { own: at(named), other: others.find(({ LoggedIn, PinSet, PinState }) => !LoggedIn && PinSet && PinState !== 'locked') };
}

const mayTry = ({ PinSet, PinState }: Token): boolean => PinSet && PinState !== 'locked';

/** Whose PIN is asked for: its own token's first; another's where that one is not there or takes no PIN any more, and for no other failure. */
export function askedFor(state: Connecting | undefined, { own, other }: ReturnType<typeof tokensFor>): Token | undefined {
  if (state?.is === 'pin') return own && mayTry(own) ? own : (other ?? own);
  return state?.is === 'failed' && (state.error.code === 'KeyUnavailableException' || state.error.code === 'PinLockedException') ? other : undefined;
}
