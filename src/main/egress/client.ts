/** The parent's side of the process that opens outward connections: one for each rotation, killed at its end, when it took too long, or lied. */
import { SecretBytes } from '../../shared/model/secret-bytes.ts';
import type { Child, ProcessHost } from '../platform/ports.ts';
import { changes, failureOf } from './messages.ts';
import type { Egress, EgressAnswer, EgressOrder, EgressSession, FailureCode, Values } from './port.ts';
import { type Given, type ToParent, decodeToParent, encode, encodeOrder } from './protocol.ts';

/** The child keeps the time limit itself; this is what it gets on top to say so. Milliseconds. */
const GRACE_MS = 2000;
/** What it gets to end a program that it runs, when it is cancelled. */
const CANCEL_MS = 1000;

export interface EgressOptions {
  readonly host: ProcessHost;
  /** Calls once, unless cancelled by the function that it returns. */
  readonly after: (ms: number, fire: () => void) => () => void;
  /** Ends what runs below a process, and it: a program of the owner's would outlive the one that started it. Default: the process alone. */
  readonly killTree?: (pid: number) => void;
}

export function createEgress({ host, after, killTree = () => undefined }: EgressOptions): Egress {
  const kill = (child: Child): void => {
    killTree(child.pid);
    child.kill();
  };
  const children = new Set<Child>();
  // Which opening of the vault it is; undefined between lock and unlock.
  let opening: object | undefined = {};
  const spawn = (of: object | undefined): Child => {
    // INVARIANT: a session that was opened before lock starts nothing after it.
    if (of === undefined || of !== opening) throw new Error('the vault was locked');
    const child = host.spawn('egress');
    children.add(child);
    void child.exited.then(() => children.delete(child));
    return child;
  };
  return {
    begin() {
      opening = {};
    },
    open() {
      const of = opening;
      return openSession({ spawn: () => spawn(of), after, kill });
    },
    async endAll() {
      opening = undefined;
      const ending = [...children];
      for (const child of ending) kill(child);
      await Promise.all(ending.map(({ exited }) => exited));
    },
  };
}

const failed = (order: EgressOrder, code: FailureCode): EgressAnswer => ({ ok: false, failure: failureOf({ code, place: 'run', uncertain: changes(order) }), connections: [] });

function answerOf({ message, value }: { readonly message: ToParent; readonly value: Uint8Array }): EgressAnswer {
  if (message.kind === 'done') {
    const { notes, connections, theirs, value: said } = message;
    return { ok: true, notes, connections, ...(theirs ? { theirs } : {}), ...(said ? { value: { kind: said.kind, bytes: SecretBytes.take(value) } } : {}) };
  }
  const { connections, ...rest } = message;
  return { ok: false, failure: failureOf(rest), connections };
}

function openSession({ spawn, after, kill }: { readonly spawn: () => Child; readonly after: EgressOptions['after']; readonly kill: (child: Child) => void }): EgressSession {
  let child: Child | undefined;
  let running: Promise<unknown> | undefined;
  let cancel: (() => void) | undefined;

  const end = async (): Promise<void> => {
    const ending = child;
    child = undefined;
    if (ending) kill(ending);
    await ending?.exited;
  };

  async function ask(order: EgressOrder, values: Values, signal: AbortSignal): Promise<EgressAnswer> {
    if (signal.aborted) return { ok: false, failure: failureOf({ code: 'cancelled', place: 'prepare', uncertain: false }), connections: [] };
    try {
      child ??= spawn();
    } catch {
      return failed(order, 'stopped');
    }
    const asked = child;
    const timers: (() => void)[] = [];
    let stop: () => void = () => undefined;
    try {
      const answer = await new Promise<EgressAnswer>((settle) => {
        const later = (ms: number, code: FailureCode): void => { timers.push(after(ms, () => { settle(failed(order, code)); })); };
        asked.onFrame((frame) => {
          const message = decodeToParent(frame);
          settle(message ? answerOf(message) : failed(order, 'answer-malformed'));
        });
        void asked.exited.then(() => { settle(failed(order, 'stopped')); });
        stop = () => {
          later(CANCEL_MS, 'cancelled');
          try {
            asked.send(encode({ kind: 'cancel' }));
          } catch {
            settle(failed(order, 'cancelled'));
          }
        };
        cancel = stop;
        signal.addEventListener('abort', stop);
        later(order.timeMs + GRACE_MS, 'timed-out');
        try {
          asked.send(withValues(order, values));
        } catch {
          settle(failed(order, 'stopped'));
        }
      });
      // One that said `failed` goes on to be of use; one that was cut off does not.
      if (!answer.ok && ['stopped', 'timed-out', 'cancelled', 'answer-malformed'].includes(answer.failure.code)) await end();
      return answer;
    } finally {
      signal.removeEventListener('abort', stop);
      cancel = undefined;
      for (const clear of timers) clear();
    }
  }

  return {
    run(order, values, { signal }) {
      const next = (running ?? Promise.resolve()).then(() => ask(order, values, signal));
      running = next;
      return next;
    },
    async close() {
      cancel?.();
      await running;
      await end();
    },
  };
}

/** The secrets are borrowed for as long as it takes to copy them into the frame. */
function withValues(order: EgressOrder, values: Values): Uint8Array {
  const { current, previous, pending, master, signer, token, value } = values;
  const given: Partial<Record<keyof Given, Uint8Array>> = {};
  const lend = (rest: readonly (readonly [keyof Given, Values[keyof Values]])[]): Uint8Array => {
    const [first, ...others] = rest;
    if (!first) return encodeOrder(order, given);
    const [role, secret] = first;
    if (!secret) return lend(others);
    return secret.borrow((bytes) => {
      given[role] = bytes;
      return lend(others);
    });
  };
  return lend([['current', current], ['previous', previous], ['pending', pending], ['master', master], ['signer', signer], ['token', token], ['value', value]]);
}
