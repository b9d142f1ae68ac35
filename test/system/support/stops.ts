/** What a test has started, stopped in the opposite order: also when what was to come after it could not be started. */
export interface Stops {
  /** Gives back what was started. */
  later<T>(started: T, stop: (started: T) => Promise<unknown>): T;
  all(): Promise<void>;
}

export function stops(): Stops {
  const acts: (() => Promise<unknown>)[] = [];
  return {
    later(started, stop) {
      acts.push(() => stop(started));
      return started;
    },
    async all() {
      for (const act of acts.reverse()) await act();
    },
  };
}
