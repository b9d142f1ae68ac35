/** Which security officer's last try a join goes on to use: only one that a person has been told of, for the tokens that are chosen. Pure. */
import type { CallError } from '../../shared/api/client.ts';

export type Officer = 'guest' | 'host';
/** `CloudHsmClusterId` of the token that joins, and of the one that keys are copied from. */
export type Tokens = Readonly<Record<Officer, string>>;

/** After a refusal. A wrong PIN has used a try, and a user's PIN at its last is none of an officer's: both are begun anew. Source of the details: hardware/pin-tries.ts. */
export function insistsAfter(before: readonly Officer[], { code, details }: Pick<CallError, 'code' | 'details'>, tokens: Tokens): readonly Officer[] {
  if (code !== 'PinLockedException' || details?.['pin'] !== 'securityOfficer' || details['tries'] !== 'last') return [];
  return (['guest', 'host'] as const).filter((one) => before.includes(one) || tokens[one] === details['token']);
}

/** Whose PIN was wrong; undefined where it is not said. */
export function wrongPin({ details }: Pick<CallError, 'details'>, tokens: Tokens): Officer | 'user' | undefined {
  if (details?.['pin'] === 'user') return 'user';
  return (['guest', 'host'] as const).find((one) => tokens[one] === details?.['token']);
}
