/** Brings notices to the desktop: each at its time, and the same one once. */
import type { Instant } from '../../shared/model/ids.ts';
import type { Dispatch } from '../kernel/request.ts';
import type { Clock } from '../platform/ports.ts';
import { createNoticeReader, DELETION_NEARS, type Told } from './notices.ts';

export interface NoticeBoard {
  /** The same dispatch, looked at. */
  watch(dispatch: Dispatch): Dispatch;
  /** To be called when the next deletion may be another one. */
  look(): void;
  stop(): void;
}

export interface NoticeBoardPorts {
  readonly clock: Pick<Clock, 'now' | 'monotonic'>;
  readonly isOpen: () => boolean;
  /** When the next key will be destroyed; undefined: none, or not known while locked. */
  readonly nextDeletion: () => Instant | undefined;
  readonly after: (ms: number, fire: () => void) => () => void;
  readonly tell: (notice: Told) => void;
}

const HOUR = 60 * 60 * 1000;
/** Two signs of one thing: the computer sleeps, and the screen is locked. */
const AT_ONCE = 5000;
/** How long before a deletion it is told of. */
const NEAR = 24 * HOUR;
/** A timer sleeps with the machine: it looks again now and then. */
const LONGEST = 6 * HOUR;

export function startNotices({ clock, isOpen, nextDeletion, after, tell }: NoticeBoardPorts): NoticeBoard {
  const read = createNoticeReader();
  const toldAt = new Map<string, number>();
  let stopTimer: () => void = () => undefined;
  let warnedOf: Instant | undefined;

  const put = (notice: Told): void => {
    const now = clock.monotonic();
    if (now - (toldAt.get(notice.kind) ?? Number.NEGATIVE_INFINITY) < (notice.isUrgent ? HOUR : AT_ONCE)) return;
    toldAt.set(notice.kind, now);
    tell(notice);
  };
  const look = (): void => {
    stopTimer();
    const next = nextDeletion();
    if (next === undefined || next === warnedOf) return;
    const wait = next - clock.now() - NEAR;
    if (wait > 0) stopTimer = after(Math.min(wait, LONGEST), look);
    else if (next > clock.now()) {
      warnedOf = next;
      put(DELETION_NEARS);
    }
  };

  return {
    watch: (dispatch) => async (request) => {
      const wasOpen = isOpen();
      const { operation, evidence } = request;
      const result = await dispatch(request);
      const notice = read({ operation, job: evidence.door === 'schedule' ? evidence.job : undefined, result, wasOpen });
      if (notice) put(notice);
      return result;
    },
    look,
    stop: () => { stopTimer(); },
  };
}
