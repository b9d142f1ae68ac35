/** One after the other, for each name. */
export class Turns {
  readonly #last = new Map<string, Promise<unknown>>();

  /** Runs `work` when those before it have ended, however they did. Rejects with the signal's reason where it is aborted before its turn. */
  take<T>(name: string, signal: AbortSignal, work: () => Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      const cancel = (): void => { reject(signal.reason as Error); };
      signal.addEventListener('abort', cancel);
      const turn = (this.#last.get(name) ?? Promise.resolve()).then(async () => {
        signal.removeEventListener('abort', cancel);
        signal.throwIfAborted();
        return work();
      });
      this.#last.set(name, turn.catch(() => undefined));
      turn.then(resolve, reject);
    });
  }
}
