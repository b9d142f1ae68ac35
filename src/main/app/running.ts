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
  const requests = new Map<RequestId, { readonly principal: string; abort(): void }>();
  let lastActivity = boottime();
  const touch = (request: Request, principal: Principal): void => {
    if (principal.kind !== SCHEDULE && !NO_ACTIVITY.has(request.operation)) lastActivity = boottime();
  };
  return {
    started(request, principal) {
      touch(request, principal);
      const { signal, abort, release } = ownSignal(request);
      requests.set(request.id, { principal: principal.id, abort });
      return {
        signal,
        finished() {
          release();
          requests.delete(request.id);
          touch(request, principal);
        },
      };
    },
    cancel(id, principal) {
      const found = requests.get(id);
      if (found?.principal !== principal.id) return false;
      found.abort();
      return true;
    },
    abortAll() {
      for (const { abort } of requests.values()) abort();
    },
    get lastActivity() {
      return lastActivity;
    },
  };
}

/** The request's signal where it is its own; else one that follows it. `AbortSignal.any` costs several times as much, for each request. */
function ownSignal({ signal, abort }: Request): { readonly signal: AbortSignal; abort(): void; release(): void } {
  if (abort) return { signal, abort, release: () => undefined };
  const controller = new AbortController();
  const follow = (): void => { controller.abort(); };
  if (signal.aborted) follow();
  else signal.addEventListener('abort', follow);
  return { signal: controller.signal, abort: follow, release: () => { signal.removeEventListener('abort', follow); } };
}
