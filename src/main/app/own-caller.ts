/** Calls that the program makes by itself, for content of its own: as the command line would ask, by the same door, as the same principal, with the same records. */
import { VaultError } from '../../shared/model/errors.ts';
import { encodeJson } from '../../shared/wire/encode.ts';
import type { Program } from './compose.ts';

type Output = Readonly<Record<string, unknown>>;

/** Throws what the operation was refused with. Secrets of an output are the caller's to dispose of. */
export const ownCaller = ({ dispatch, door }: Program, uid: number) => async (operation: string, input: Readonly<Record<string, unknown>>): Promise<Output> => {
  const result = await dispatch({
    id: door.newRequestId(),
    door: 'cli',
    evidence: { door: 'cli', peer: { uid, gid: process.getegid?.() ?? 0, pid: process.pid }, hints: {} },
    operation,
    input: encodeJson(input),
    signal: new AbortController().signal,
  });
  if (!result.ok) throw new VaultError(result.error.code, `${operation}: ${result.error.message}`);
  return result.output;
};
