/** A request of the vault's own clock, or of what watches over it: the door that nobody outside has. */
import { encodeJson } from '../../shared/wire/encode.ts';
import type { Result } from '../kernel/request.ts';
import type { DoorPort } from './port.ts';

/** `job` names who asks, in the trail. `region`: other than the vault's own. The input is wiped once it is answered. */
export async function asSchedule({ dispatch, newRequestId }: Pick<DoorPort, 'dispatch' | 'newRequestId'>, job: string, operation: string, input: object = {}, signal: AbortSignal = new AbortController().signal, region?: string): Promise<Result> {
  const bytes = encodeJson(input);
  try {
    return await dispatch({ id: newRequestId(), door: 'schedule', evidence: { door: 'schedule', job }, operation, input: bytes, signal, ...(region === undefined ? {} : { region }) });
  } finally {
    bytes.fill(0);
  }
}
