/**
 * Plaintext and key bytes outside V8's heap. The bytes are private, lent to a callback, and wiped by `using`; the object
 * prints as `[secret]` in JSON, templates and `util.inspect`.
 *
 * Why a class: V8 keeps typed arrays of up to 64 bytes inside its own heap and copies them at will, so the bytes of an
 * ordinary small `Uint8Array` survive `fill(0)`. Here each secret has an `ArrayBuffer` of its own, which V8 does not move.
 *
 * What JavaScript cannot promise: copies made by whatever the bytes are lent to (a cipher's key schedule, a string, a
 * kernel's pipe buffer), pages swapped out, and memory freed without being cleared. Only the death of a process is
 * dependable; see SECURITY.md.
 */
const inspect = Symbol.for('nodejs.util.inspect.custom');

export class SecretBytes implements Disposable {
  #bytes: Uint8Array<ArrayBuffer> | undefined;

  private constructor(bytes: Uint8Array<ArrayBuffer>) {
    this.#bytes = bytes;
  }

  /** `length` zero bytes, to be filled through `borrow`. */
  static allocate(length: number): SecretBytes {
    return new SecretBytes(new Uint8Array(new ArrayBuffer(length)));
  }

  /** Copies `source` off-heap and wipes `source`. */
  static take(source: Uint8Array): SecretBytes {
    const secret = SecretBytes.copy(source);
    source.fill(0);
    return secret;
  }

  /** Copies `source` off-heap; the caller keeps its own copy and the duty to wipe it. */
  static copy(source: Uint8Array): SecretBytes {
    const bytes = new Uint8Array(new ArrayBuffer(source.byteLength));
    bytes.set(source);
    return new SecretBytes(bytes);
  }

  /** Number of bytes; 0 after disposal. */
  get length(): number {
    return this.#bytes?.byteLength ?? 0;
  }

  get disposed(): boolean {
    return this.#bytes === undefined;
  }

  /** Lends the bytes for the length of the callback (or of the promise that it returns). Throws after disposal. */
  borrow<T>(use: (bytes: Uint8Array<ArrayBuffer>) => T): T {
    if (this.#bytes === undefined) throw new TypeError('secret bytes were used after they were wiped');
    return use(this.#bytes);
  }

  [Symbol.dispose](): void {
    this.#bytes?.fill(0);
    this.#bytes = undefined;
  }

  toJSON(): string {
    return '[secret]';
  }
  toString(): string {
    return '[secret]';
  }
  [Symbol.toPrimitive](): string {
    return '[secret]';
  }
  [inspect](): string {
    return '[secret]';
  }
}

/** Whether there is a secret among the values of an input or output, or in the objects and lists among them. */
export const holdsSecret = (values: object): boolean =>
  Object.values(values).some((value: unknown) => value instanceof SecretBytes || (typeof value === 'object' && value !== null && !ArrayBuffer.isView(value) && holdsSecret(value)));

/** Wipes every secret among the values of an input or output, and in the objects and lists among them. */
export function disposeSecrets(values: object): void {
  for (const value of Object.values(values) as unknown[]) {
    if (value instanceof SecretBytes) value[Symbol.dispose]();
    else if (typeof value === 'object' && value !== null && !ArrayBuffer.isView(value)) disposeSecrets(value);
  }
}
