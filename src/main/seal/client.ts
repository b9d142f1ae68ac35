/**
 * The sealer as main sees it: calls multiplexed over one child process. See `protocol.ts` for what each call does.
 *
 * A request's frame is wiped once it is written; the bytes in the request stay the caller's, which wipes its own password. A reply's
 * byte strings are views of one off-heap frame, the caller's to wipe where they are secret; a frame without a reply in it is wiped here.
 * When the process is gone, for whatever reason, every call that waits rejects with SealerStoppedException.
 */
import { VaultError } from '../../shared/model/errors.ts';
import type { Child } from '../platform/ports.ts';
import type { ReplyOf, RequestOf, Sealer, SealerMethod } from './protocol.ts';
import { type Message, decodeMessage, encodeRequest, encodeWipe, errorOf } from './wire.ts';

/** Milliseconds that `stop` waits for the sealer to say that it has wiped itself. Its death follows in any case. */
const WIPE_PATIENCE = 100;

interface Waiting {
  readonly resolve: (reply: never) => void;
  readonly reject: (error: VaultError) => void;
}

const stopped = (): VaultError => new VaultError('SealerStoppedException', 'the sealer process has stopped; unlock the vault and try again');

class SealerClient implements Sealer {
  readonly gone: Promise<void>;
  readonly #child: Child;
  readonly #waiting = new Map<number, Waiting>();
  #lastId = 0;
  #closed = false;
  #stopping: Promise<void> | undefined;
  #wiped: () => void = () => undefined;

  constructor(child: Child) {
    this.#child = child;
    child.onFrame((frame) => {
      this.#receive(frame);
    });
    this.gone = child.exited.then(() => {
      this.#close();
    });
  }

  call<M extends SealerMethod>(method: M, request: RequestOf<M>): Promise<ReplyOf<M>> {
    return new Promise((resolve, reject) => {
      if (this.#closed) {
        reject(stopped());
        return;
      }
      const id = this.#nextId();
      const frame = encodeRequest(id, method, request);
      this.#waiting.set(id, { resolve, reject });
      try {
        this.#child.send(frame);
      } catch (error) {
        this.#waiting.delete(id);
        frame.fill(0);
        reject(error instanceof VaultError ? error : stopped());
      }
    });
  }

  stop(): Promise<void> {
    this.#stopping ??= this.#stop();
    return this.#stopping;
  }

  async #stop(): Promise<void> {
    const wasClosed = this.#closed;
    this.#close();
    if (!wasClosed) await this.#wipe();
    this.#child.kill();
    await this.#child.exited;
  }

  async #wipe(): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    const answer = new Promise<void>((resolve) => {
      this.#wiped = resolve;
      timer = setTimeout(resolve, WIPE_PATIENCE);
    });
    try {
      this.#child.send(encodeWipe());
      await Promise.race([answer, this.#child.exited]);
    } catch {
      // It has exited already: there is nothing left to wipe.
    } finally {
      clearTimeout(timer);
    }
  }

  #nextId(): number {
    do this.#lastId = this.#lastId === 0xffff_ffff ? 1 : this.#lastId + 1;
    while (this.#waiting.has(this.#lastId));
    return this.#lastId;
  }

  #receive(frame: Uint8Array): void {
    let message: Message;
    try {
      message = decodeMessage(frame, () => 'views');
    } catch {
      // A sealer that does not speak the protocol is not to be reasoned with.
      frame.fill(0);
      this.#close();
      this.#child.kill();
      return;
    }
    if (message.kind === 'wiped') this.#wiped();
    const waiting = this.#waiting.get(message.id);
    if (!waiting) {
      // Nobody will look at it: the call was given up when the vault was locked.
      frame.fill(0);
      return;
    }
    this.#waiting.delete(message.id);
    if (message.kind === 'reply') waiting.resolve(message.body as never);
    else waiting.reject(message.kind === 'error' ? errorOf(message.body) : stopped());
  }

  #close(): void {
    this.#closed = true;
    const waiting = [...this.#waiting.values()];
    this.#waiting.clear();
    for (const { reject } of waiting) reject(stopped());
  }
}

/** Takes the child over: it alone sends, receives and kills from now on. */
export const createSealerClient = (child: Child): Sealer => new SealerClient(child);
