/**
 * The bridge, as it runs inside the page: `window.keystead`, with exactly `invoke` and `on`. Both hosts run this code, one in the
 * page's own world before any script of the page, the other in the preload.
 *
 *   invoke(op, input, region?)
 *                      → a promise of `{ok: true, output, requestId}` or `{ok: false, error, requestId}`; it never rejects. The n-th
 *                        call of a page has the number n. `invoke('call:Cancel', {Call: n})` ends a call that is under way, which is
 *                        still answered, once.
 *   on(listener)       → calls it with `{event, id?}`, and for progress `{event: 'progress', call, progress}`, in the order in which
 *                        they happened, until the function that it returns is called.
 *
 * Only JSON text crosses to main. Everything of the language that this needs is taken before the page's own scripts run, so that a
 * page which changes prototypes changes nothing here.
 */

export interface Bridge {
  readonly invoke: (op: unknown, input?: unknown, region?: unknown) => Promise<unknown>;
  readonly on: (listener: unknown) => () => void;
}

export interface BridgeEnds {
  readonly bridge: Bridge;
  /** One message of main, JSON text. */
  readonly receive: (text: string) => void;
}

/** As the door has it: a longer message could only be refused without its number, and would never be answered. */
const MAX_BYTES = 1024 * 1024;
const CANCEL = 'call:Cancel';

/** `post` brings JSON text to main and may throw when main is gone. */
export function createBridge(post: (text: string) => void): BridgeEnds {
  const { parse, stringify } = JSON;
  const { freeze, create } = Object;
  const PromiseOf = Promise;
  const { apply, deleteProperty } = Reflect;
  // Called with `apply`, since the page may replace it later.
  const charCodeAt = String.prototype.charCodeAt;
  // Neither has a prototype that the page could change.
  const waiting = create(null) as Record<number, ((answer: unknown) => void) | undefined>;
  const listeners = create(null) as Record<number, ((event: unknown) => void) | undefined>;
  let lastCall = 0;
  let lastListener = 0;
  let greeted = false;

  const failed = (code: string, message: string): unknown => ({ ok: false, requestId: '', error: { code, message } });
  const settled = (answer: unknown): Promise<unknown> => new PromiseOf((resolve) => resolve(answer));

  const isOver = (text: string): boolean => {
    if (text.length > MAX_BYTES) return true;
    if (text.length <= MAX_BYTES / 3) return false;
    let bytes = text.length;
    for (let at = 0; at < text.length; at++) {
      const code = apply(charCodeAt, text, [at]);
      // A surrogate pair is four bytes in two units, so two for each.
      bytes += code < 0x80 ? 0 : code < 0x800 || (code >= 0xd800 && code < 0xe000) ? 1 : 2;
    }
    return bytes > MAX_BYTES;
  };

  const bridge: Bridge = freeze({
    invoke(op: unknown, input: unknown = {}, region?: unknown) {
      const id = ++lastCall;
      let text: string;
      try {
        if (typeof op !== 'string') throw new TypeError('not text');
        if (op === CANCEL) {
          post(stringify({ id: (input as { readonly Call?: unknown } | null)?.Call, cancel: true }));
          return settled({ ok: true, requestId: '', output: {} });
        }
        text = stringify({ id, op, input, progress: true, region });
      } catch {
        return settled(failed('SerializationException', 'a call is the name of an operation and an input that json can hold'));
      }
      if (isOver(text)) return settled(failed('RequestTooLargeException', `a call of more than ${MAX_BYTES} bytes; send less at a time`));
      return new PromiseOf((resolve) => {
        waiting[id] = resolve;
        try {
          post(text);
        } catch {
          waiting[id] = undefined;
          resolve(failed('InternalException', 'the vault cannot be reached; close the window and open it again'));
        }
      });
    },
    on(listener: unknown) {
      if (typeof listener !== 'function') return () => {};
      const key = ++lastListener;
      listeners[key] = listener as (event: unknown) => void;
      if (!greeted) {
        greeted = true;
        try {
          post(stringify({ hello: { version: 1, events: true } }));
        } catch {
          // Main is gone: there are no events.
        }
      }
      return () => {
        deleteProperty(listeners, key);
      };
    },
  });

  const receive = (text: string): void => {
    const message = parse(text) as { id?: unknown; ok?: unknown; output?: unknown; error?: unknown; requestId?: unknown; event?: unknown };
    if (typeof message.event === 'string') {
      for (const key in listeners) {
        try {
          listeners[key]?.(message);
        } catch {
          // One listener that throws does not keep the others from hearing.
        }
      }
      return;
    }
    if (typeof message.id !== 'number') return;
    const resolve = waiting[message.id];
    deleteProperty(waiting, message.id);
    const { ok, output, error, requestId } = message;
    resolve?.(ok === true ? { ok, requestId, output } : { ok: false, requestId, error });
  };

  return { bridge, receive };
}
