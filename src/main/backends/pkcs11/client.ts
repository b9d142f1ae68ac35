/**
 * The parent's side of a module host. Every call has a time limit; a host that does not answer in time, breaks the protocol or dies is
 * gone for good, and so is every login in it. Nothing is asked again by itself: a signature may have been made.
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

const limitOf = (name: CallName, limits: Limits): number => (name === 'generate' ? limits.generate : name === 'load' || name === 'initToken' ? limits.start : limits.call);

interface Waiting {
  readonly name: CallName;
  readonly resolve: (answer: Answer<never>) => void;
  readonly reject: (error: Error) => void;
  readonly timer: NodeJS.Timeout;
}

/** `module`: how messages name it. */
export function createModuleHost(child: Child, module: string, limits: Limits = LIMITS): ModuleHost {
  const waiting = new Map<number, Waiting>();
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
  };
  const gone = child.exited.then(() => {
    end('gone');
  });

  child.onFrame((frame) => {
    const given = decodeToParent(frame);
    const call = given && waiting.get(given.id);
    if (!given || !call) return given ? undefined : end('gone');
    waiting.delete(given.id);
    clearTimeout(call.timer);
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
        const id = (lastId = (lastId + 1) >>> 0);
        const timer = setTimeout(() => { end('late'); }, limitOf(name, limits));
        timer.unref();
        waiting.set(id, { name, resolve, reject, timer });
        try {
          child.send(encode(id, { call: name, request }, parts));
        } catch {
          end('gone');
        }
      }),
    async stop() {
      end('stopped');
      await child.exited;
    },
  };
}
