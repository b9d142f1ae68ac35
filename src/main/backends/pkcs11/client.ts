/**
 * The parent's side of a module host. Every call has a time limit from when it is sent; a host that does not answer in time, breaks the
 * protocol or dies is gone for good, and so is every login in it. Nothing is asked again by itself: a signature may have been made.
 *
 * Defends against: callers that ask for more than a token can do (they wait here, so many and no more, and no token is ended for it).
 */
import { VaultError } from '../../../shared/model/errors.ts';
import type { Child } from '../../platform/ports.ts';
import { decodeToParent, encode } from './messages.ts';
import { CALLS, type CallName, type Failure, type ReplyOf, type RequestOf } from './protocol.ts';

/** A call that the module or its host refused; `errors.ts` makes of it what people are told. */
export class CallFailed extends Error {
  override readonly name = 'CallFailed';
  readonly failure: Failure;
  constructor(failure: Failure) {
    super(failure.name ?? failure.what);
    this.failure = failure;
  }
}

export interface Answer<C extends CallName> {
  readonly reply: ReplyOf<C>;
  /** Off-heap, the caller's to wipe where secret. */
  readonly parts: readonly Uint8Array[];
}

export interface ModuleHost {
  /** Rejects with CallFailed, or KMSInternalException once the process is gone. Bytes in `parts` stay the caller's. */
  call<C extends CallName>(name: C, request: RequestOf<C>, parts?: readonly Uint8Array[]): Promise<Answer<C>>;
  /** Kills it, and resolves once it is gone. Idempotent. */
  stop(): Promise<void>;
  /** Resolves when the process has gone for any reason. */
  readonly gone: Promise<void>;
  readonly isGone: boolean;
}

/** Milliseconds. Loading may look for readers; a card takes its time over RSA-4096. */
export interface Limits {
  readonly start: number;
  readonly generate: number;
  readonly call: number;
}
export const LIMITS: Limits = { start: 20_000, generate: 180_000, call: 15_000 };

const LIMIT_OF: Partial<Readonly<Record<CallName, keyof Limits>>> = { generate: 'generate', transport: 'generate', curves: 'generate', load: 'start', initToken: 'start', restart: 'start' };
const limitOf = (name: CallName, limits: Limits): number => limits[LIMIT_OF[name] ?? 'call'];

/** Calls that a host has at once: what the sessions of one token do at once. */
const AT_ONCE = 4;
/** Calls that wait for their turn. */
const MOST_QUEUED = 256;

interface Waiting {
  readonly name: CallName;
  readonly resolve: (answer: Answer<never>) => void;
  readonly reject: (error: Error) => void;
  readonly timer: NodeJS.Timeout;
}

interface Queued {
  readonly name: CallName;
  readonly reject: (error: Error) => void;
  readonly send: () => void;
  readonly drop: () => void;
}

/** `module`: how messages name it. */
export function createModuleHost(child: Child, module: string, limits: Limits = LIMITS): ModuleHost {
  const waiting = new Map<number, Waiting>();
  const queue: Queued[] = [];
  let lastId = 0;
  let why: 'gone' | 'late' | 'stopped' = 'gone';
  let isGone = false;

  const goneError = (name: CallName): VaultError => {
    const how = { gone: 'has crashed', late: `did not answer \`${name}\` in time and was ended`, stopped: 'was stopped' }[why];
    return new VaultError('KMSInternalException', `module \`${module}\` ${how}; connect the key store again with \`keystead kms connect-custom-key-store\``, { details: { module } });
  };
  const end = (reason: typeof why): void => {
    if (isGone) return;
    isGone = true;
    why = reason;
    child.kill();
    for (const { name, reject, timer } of waiting.values()) {
      clearTimeout(timer);
      reject(goneError(name));
    }
    waiting.clear();
    for (const { name, reject, drop } of queue.splice(0)) {
      drop();
      reject(goneError(name));
    }
  };
  const next = (): void => {
    while (!isGone && waiting.size < AT_ONCE) {
      const queued = queue.shift();
      if (!queued) return;
      queued.send();
    }
  };
  const gone = child.exited.then(() => {
    end('gone');
  });

  child.onFrame((frame) => {
    const given = decodeToParent(frame);
    const call = given && waiting.get(given.id);
    // An answer that nobody waits for is a lie about one that somebody does.
    if (!given || !call) return end('gone');
    waiting.delete(given.id);
    clearTimeout(call.timer);
    next();
    if ('failure' in given.message) return call.reject(new CallFailed(given.message.failure));
    const reply = CALLS[call.name].reply.safeParse(given.message.reply);
    if (reply.success) return call.resolve({ reply: reply.data as never, parts: given.parts });
    call.reject(goneError(call.name));
    end('gone');
  });

  return {
    gone,
    get isGone() {
      return isGone;
    },
    call: (name, request, parts = []) =>
      new Promise((resolve, reject) => {
        if (isGone) return reject(goneError(name));
        if (queue.length >= MOST_QUEUED) return reject(new VaultError('ThrottlingException', `module \`${module}\` has more to do than it can; try again in a moment`, { details: { module } }));
        const id = (lastId = (lastId + 1) >>> 0);
        const frame = encode(id, { call: name, request }, parts);
        const send = (): void => {
          // Where a token has one session, a call waits there until a longer one that was sent before is done.
          const own = limitOf(name, limits);
          const longer = Math.max(0, ...Array.from(waiting.values(), (other) => limitOf(other.name, limits)).filter((limit) => limit > own));
          const timer = setTimeout(() => { end('late'); }, own + longer);
          timer.unref();
          waiting.set(id, { name, resolve, reject, timer });
          try {
            child.send(frame);
          } catch {
            end('gone');
          }
        };
        queue.push({ name, reject, send, drop: () => { frame.fill(0); } });
        next();
      }),
    async stop() {
      end('stopped');
      await child.exited;
    },
  };
}
