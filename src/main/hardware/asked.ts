/** Which processes of modules are being asked something just now: none of those begins anew meanwhile. */
export class Asked {
  readonly #calls = new Map<string, number>();

  has(key: string): boolean {
    return this.#calls.has(key);
  }

  async during<T>(key: string, work: () => Promise<T>): Promise<T> {
    this.#calls.set(key, (this.#calls.get(key) ?? 0) + 1);
    try {
      return await work();
    } finally {
      const left = (this.#calls.get(key) ?? 1) - 1;
      if (left === 0) this.#calls.delete(key);
      else this.#calls.set(key, left);
    }
  }
}
