/** What a request does outside of the store, done once although its unit of work may run again. */

const done = new WeakMap<object, Promise<unknown>>();

/**
 * The outcome of `work` for this request: of its first run. A unit that is run again, since what it read has changed meanwhile, gives no PIN
 * a second time, erases nothing a second time, and does not wait for a token while it holds up all other writing. Once per handler.
 */
export function once<T>(call: object, work: () => Promise<T>): Promise<T> {
  const known = done.get(call) as Promise<T> | undefined;
  if (known) return known;
  const made = work();
  done.set(call, made);
  return made;
}
