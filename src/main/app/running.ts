/** Requests that are under way: for cancel by id, for idle time, and so that lock and stop can end them. */
import type { RequestId } from '../../shared/model/ids.ts';
import type { Principal } from '../kernel/authenticate.ts';
import type { Request } from '../kernel/request.ts';
import { SCHEDULE } from '../policy/defaults.ts';

export interface Running {
  started(request: Request, principal: Principal): { readonly signal: AbortSignal; finished(): void };
  /** Aborts a request of the same principal; false when there is none. */
  cancel(id: RequestId, principal: Principal): boolean;
  abortAll(): void;
  /** Boot-time milliseconds of the last sign of life of a person or program; the clock's own requests are none. */
  readonly lastActivity: number;
}

/** Looking at the state keeps nothing awake: a status bar that polls must not hold the vault open. */
const NO_ACTIVITY: ReadonlySet<string> = new Set(['vault:Status']);

export function createRunning(boottime: () => number): Running {
  const requests = new Map<RequestId, { readonly principal: string; readonly controller: AbortController }>();
  let lastActivity = boottime();
  const touch = (request: Request, principal: Principal): void => {
    if (principal.kind !== SCHEDULE && !NO_ACTIVITY.has(request.operation)) lastActivity = boottime();
  };
  return {
    started(request, principal) {
      touch(request, principal);
      const controller = new AbortController();
      // `AbortSignal.any` costs several times as much, for each request.
      const abort = (): void => { controller.abort(); };
      if (request.signal.aborted) abort();
      else request.signal.addEventListener('abort', abort);
      requests.set(request.id, { principal: principal.id, controller });
      return {
        signal: controller.signal,
        finished() {
          request.signal.removeEventListener('abort', abort);
          requests.delete(request.id);
          touch(request, principal);
        },
      };
    },
    cancel(id, principal) {
      const found = requests.get(id);
      if (found?.principal !== principal.id) return false;
      found.controller.abort();
      return true;
    },
    abortAll() {
      for (const { controller } of requests.values()) controller.abort();
    },
    get lastActivity() {
      return lastActivity;
    },
  };
}
