import type { CallError } from '../../shared/api/client.ts';
import type { ErrorCode } from '../../shared/model/errors.ts';

const WRONG: ReadonlySet<ErrorCode> = new Set<ErrorCode>(['IncorrectPasswordException', 'IncorrectRecoveryCodeException', 'IncorrectPinException', 'UnlockDelayedException']);

/** Whether an error is about what was given as a proof, and so stands at its field. */
export const isWrongProof = ({ code }: CallError): boolean => WRONG.has(code);
