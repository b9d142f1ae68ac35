/** Brings notices to the desktop: each at its time, and the same one once. */
import { EXPIRY_NEAR } from '../../shared/model/expiry.ts';
import type { Instant } from '../../shared/model/ids.ts';
import type { Dispatch } from '../kernel/request.ts';
import type { Clock } from '../platform/ports.ts';
import { createNoticeReader, EXPIRED, EXPIRY_NEARS, KEY_DELETION_NEARS, SECRET_DELETION_NEARS, type Told } from './notices.ts';

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
  readonly nearing: readonly Nearing[];
  readonly after: (ms: number, fire: () => void) => () => void;
  readonly tell: (notice: Told) => void;
}

/** Dates that are told of, each once while it is told of at all: what passed while the vault was locked, too. */
export interface Nearing {
  /** All that are known; none while locked. */
  readonly dates: () => readonly Instant[];
  /** From when on and until when, milliseconds after the date; negative: before it. */
  readonly from: number;
  readonly until: number;
  readonly notice: Told;
}

const HOUR = 60 * 60 * 1000;
/** Two signs of one thing: the computer sleeps, and the screen is locked. */
const AT_ONCE = 5000;
/** A timer sleeps with the machine: it looks again now and then. */
const LONGEST = 6 * HOUR;

type Dates = Readonly<Record<'keyDeletions' | 'secretDeletions' | 'expiries', readonly Instant[]>>;
const DAY = 24 * HOUR;

export const nearingOf = (dates: () => Dates): readonly Nearing[] => {
  const of = (kind: keyof Dates): Nearing['dates'] => () => dates()[kind];
  return [
    { dates: of('keyDeletions'), from: -DAY, until: 0, notice: KEY_DELETION_NEARS },
    { dates: of('secretDeletions'), from: -DAY, until: 0, notice: SECRET_DELETION_NEARS },
    { dates: of('expiries'), from: -EXPIRY_NEAR, until: 0, notice: EXPIRY_NEARS },
    // Nobody remembers over a start of the program what was told: a week of reminders, and then it is known.
    { dates: of('expiries'), from: 0, until: EXPIRY_NEAR, notice: EXPIRED },
  ];
};

export function startNotices({ clock, isOpen, nearing, after, tell }: NoticeBoardPorts): NoticeBoard {
  const read = createNoticeReader();
  const toldAt = new Map<string, number>();
  let stopTimer: () => void = () => undefined;
  /** The dates that each was told of: a nearer one may come after a farther one. */
  const warned = new Map<Nearing, ReadonlySet<Instant>>();

  /** 0: told. Otherwise it is not, for it was told just now, and how long that is so, milliseconds. */
  const put = (notice: Told): number => {
    const now = clock.monotonic();
    const rest = (toldAt.get(notice.kind) ?? Number.NEGATIVE_INFINITY) + (notice.isUrgent ? HOUR : AT_ONCE) - now;
    if (rest > 0) return rest;
    toldAt.set(notice.kind, now);
    tell(notice);
    return 0;
  };
  const look = (): void => {
    stopTimer();
    const waits = nearing.map(waitFor).filter((wait) => wait !== undefined);
    if (waits.length > 0) stopTimer = after(Math.min(...waits, LONGEST), look);
  };
  /** Tells of those whose time it is; how long the next one is not, or those that are may not be told of yet. */
  const waitFor = (one: Nearing): number | undefined => {
    const now = clock.now();
    const known = warned.get(one) ?? new Set<Instant>();
    const isOver = (date: Instant): boolean => date + one.until <= now;
    const coming = one.dates().filter((date) => !isOver(date) && !known.has(date));
    const near = coming.filter((date) => date + one.from <= now);
    const rest = near.length > 0 ? put(one.notice) : 0;
    // Those that are over are not asked about again.
    warned.set(one, new Set([...known, ...(rest > 0 ? [] : near)].filter((date) => !isOver(date))));
    const waits = coming.map((date) => date + one.from - now).filter((wait) => wait > 0);
    return rest > 0 || waits.length > 0 ? Math.min(...waits, rest > 0 ? rest : LONGEST) : undefined;
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
