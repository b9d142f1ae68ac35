/** A request of the vault's own clock, or of what watches over it: the door that nobody outside has. */
import { encodeJson } from '../../shared/wire/encode.ts';
import type { Result } from '../kernel/request.ts';
import type { DoorPort } from './port.ts';

/** `job` names who asks, in the trail. */
export function asSchedule({ dispatch, newRequestId }: Pick<DoorPort, 'dispatch' | 'newRequestId'>, job: string, operation: string, input: object = {}, signal: AbortSignal = new AbortController().signal): Promise<Result> {
  return dispatch({ id: newRequestId(), door: 'schedule', evidence: { door: 'schedule', job }, operation, input: encodeJson(input), signal });
}
