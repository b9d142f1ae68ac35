/** Which modules are being asked something just now: none of those is loaded anew meanwhile. */
export class Asked {
  readonly #calls = new Map<string, number>();

  has(path: string): boolean {
    return this.#calls.has(path);
  }

  async during<T>(path: string, work: () => Promise<T>): Promise<T> {
    this.#calls.set(path, (this.#calls.get(path) ?? 0) + 1);
    try {
      return await work();
    } finally {
      const left = (this.#calls.get(path) ?? 1) - 1;
      if (left === 0) this.#calls.delete(path);
      else this.#calls.set(path, left);
    }
  }
}
