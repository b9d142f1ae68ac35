/** One conversation with one caller: bytes → message → `Request` → `Result` → bytes. The doors that carry JSON share it. */
import type { DoorName } from '../../shared/api/operation.ts';
import { VaultError } from '../../shared/model/errors.ts';
import type { ErrorBody } from '../../shared/model/errors.ts';
import type { RequestId } from '../../shared/model/ids.ts';
import { disposeSecrets } from '../../shared/model/secret-bytes.ts';
import { PROTOCOL_VERSION, readClientMessage } from '../../shared/wire/messages.ts';
import type { ClientMessage, EventMessage, Progress, ReplyMessage, ServerHelloMessage } from '../../shared/wire/messages.ts';
import type { Evidence, Result } from '../kernel/request.ts';
import type { DoorPort, Refusal } from './port.ts';
import type { TokenBucket } from '../../shared/model/token-bucket.ts';

/** Least time between two progress events of one call, apart from the last one. */
const PROGRESS_SPACING_MS = 100;

export interface SessionOptions {
  readonly port: DoorPort;
  readonly door: DoorName;
  readonly inFlight: number;
  readonly bucket: TokenBucket;
  /** For the counters: a user id or a window id. */
  readonly peer: number;
  /** A message as what goes out over this door: framed or bare. Throws VaultError for what cannot be written. */
  readonly encode: (message: ReplyMessage | EventMessage | ServerHelloMessage) => Uint8Array;
  /** Takes ownership of the bytes and wipes them once they are gone. Never throws. */
  readonly send: (bytes: Uint8Array) => void;
  /** Whether events should be dropped for now, because the caller does not read. */
  readonly congested: () => boolean;
  /** The caller cannot be talked to, or only makes noise: the door ends the conversation after what was sent. */
  readonly giveUp: () => void;
}

interface Call {
  readonly controller: AbortController;
  readonly settled: Promise<void>;
}

export class Session {
  readonly #options: SessionOptions;
  readonly #calls = new Map<number, Call>();
  #unsubscribe: (() => void) | undefined;
  #greeted = false;
  #gone = false;
  #throttled = 0;

  constructor(options: SessionOptions) {
    this.#options = options;
  }

  /** Calls that are not answered yet. */
  get inFlight(): number {
    return this.#calls.size;
  }

  /** Calls turned away for their rate since the last one that was not. */
  get throttled(): number {
    return this.#throttled;
  }

  /** Sends the server's hello. */
  greet(): void {
    this.#greeted = true;
    this.#send({ hello: this.#options.port.hello() });
  }

  /** Takes one message, hostile or not, and ownership of its bytes: they are wiped once they are no longer needed. Never throws. */
  receive(bytes: Uint8Array, evidence: Evidence): void {
    const message = this.#gone ? undefined : readClientMessage(bytes);
    if (message?.kind === 'request') {
      this.#request(message, bytes, evidence);
      return;
    }
    bytes.fill(0);
    if (message?.kind === 'cancel') this.#cancel(message.id);
    else if (message?.kind === 'hello') this.#hello(message.version, message.events);
    else if (message) this.#malformed(message.id, message.error);
  }

  /** Answers something that never became a message: the door's own refusals. */
  refuse(reason: Refusal, error: VaultError): void {
    this.#refuse(null, reason, error.toBody());
  }

  /** The caller is gone, or is to be: its calls are aborted, and whatever they still answer is wiped and dropped. */
  end(): void {
    this.#gone = true;
    this.#unsubscribe?.();
    this.#unsubscribe = undefined;
    for (const { controller } of this.#calls.values()) controller.abort();
  }

  /** Resolves when no call is in flight; never rejects. */
  async settled(): Promise<void> {
    while (this.#calls.size > 0) await Promise.all(Array.from(this.#calls.values(), (call) => call.settled));
  }

  #request(message: ClientMessage & { kind: 'request' }, bytes: Uint8Array, evidence: Evidence): void {
    const { id } = message;
    const refusal = this.#refusalOf(id);
    if (refusal) {
      bytes.fill(0);
      // An answer under an id that is in flight would be taken for that call's.
      this.#refuse(this.#calls.has(id) ? null : id, refusal.reason, refusal.error.toBody());
      return;
    }
    const controller = new AbortController();
    // The call is known before dispatch begins, which may answer at once.
    const settled = Promise.resolve().then(() => this.#run(message, bytes, evidence, controller));
    this.#calls.set(id, { controller, settled });
  }

  #refusalOf(id: number): { reason: Refusal; error: VaultError } | undefined {
    const { bucket, port, inFlight } = this.#options;
    if (bucket.take(port.clock.monotonic()) < 0) {
      this.#throttled++;
      return { reason: 'rate', error: throttling('too many calls a second; wait and try again') };
    }
    this.#throttled = 0;
    if (this.#calls.has(id)) {
      return { reason: 'malformed', error: new VaultError('ValidationException', `call \`${String(id)}\` is still in flight; number each call anew`) };
    }
    if (this.#calls.size >= inFlight) {
      return { reason: 'in-flight', error: throttling(`more than ${String(inFlight)} calls in flight; wait for answers and try again`) };
    }
    return undefined;
  }

  // INVARIANT: every call that got into #calls leaves it here, its bytes are wiped, and it is answered once unless the caller is gone.
  async #run(message: ClientMessage & { kind: 'request' }, bytes: Uint8Array, evidence: Evidence, controller: AbortController): Promise<void> {
    const { port, door } = this.#options;
    const id = port.newRequestId();
    let result: Result;
    try {
      result = await port.dispatch({
        id,
        door,
        evidence,
        operation: message.op,
        input: message.input,
        signal: controller.signal,
        abort: () => { controller.abort(); },
        ...(message.region === undefined ? {} : { region: message.region }),
        ...(message.progress ? { progress: this.#progressOf(message.id) } : {}),
      });
    } catch {
      result = internal(id);
    }
    bytes.fill(0);
    this.#calls.delete(message.id);
    if (!this.#gone) this.#reply(message.id, result);
    if (result.ok) disposeSecrets(result.output);
  }

  #reply(id: number, result: Result): void {
    try {
      const { requestId } = result;
      this.#options.send(
        this.#options.encode(
          result.ok ? { id, ok: true, output: result.output, requestId } : { id, ok: false, error: result.error, requestId },
        ),
      );
    } catch (error) {
      const tooLarge = error instanceof VaultError && error.code === 'RequestTooLargeException';
      this.#send({ id, ok: false, error: tooLarge ? error.toBody() : internalBody(), requestId: result.requestId });
    }
  }

  #progressOf(call: number): (progress: Progress) => void {
    const { port, congested } = this.#options;
    let last = Number.NEGATIVE_INFINITY;
    return (progress) => {
      const now = port.clock.monotonic();
      if (this.#gone || !this.#calls.has(call) || congested()) return;
      if (now - last < PROGRESS_SPACING_MS && progress.done < progress.total) return;
      last = now;
      this.#send({ event: 'progress', call, progress });
    };
  }

  #cancel(id: number): void {
    const call = this.#calls.get(id);
    if (call) call.controller.abort();
    // A cancel that crossed its answer is common and costs nothing to ignore; endless ones are noise.
    else if (this.#options.bucket.take(this.#options.port.clock.monotonic()) < 0) this.#options.giveUp();
  }

  #hello(version: number, events: boolean): void {
    const { port, bucket, giveUp, congested } = this.#options;
    if (version !== PROTOCOL_VERSION) {
      const error = new VaultError('ValidationException', `this vault speaks version \`${String(PROTOCOL_VERSION)}\`; use its own command line`);
      this.#refuse(null, 'malformed', error.toBody());
      giveUp();
      return;
    }
    if (bucket.take(port.clock.monotonic()) < 0) {
      giveUp();
      return;
    }
    this.#unsubscribe?.();
    this.#unsubscribe = undefined;
    if (!this.#greeted) this.greet();
    if (!events) return;
    this.#unsubscribe = port.subscribe((event) => {
      // Progress belongs to the caller of the operation, who has it from its own call.
      if (event.event !== 'progress' && !congested()) this.#send({ event: event.event, ...(event.id === undefined ? {} : { id: event.id }) });
    });
  }

  #malformed(id: number | null, error: ErrorBody): void {
    const { bucket, port, giveUp } = this.#options;
    const noise = bucket.take(port.clock.monotonic()) < 0;
    this.#refuse(id !== null && this.#calls.has(id) ? null : id, 'malformed', error);
    if (noise) giveUp();
  }

  #refuse(id: number | null, reason: Refusal, error: ErrorBody): void {
    const { port, door, peer } = this.#options;
    port.refused(door, reason, peer);
    this.#send({ id, ok: false, error, requestId: port.newRequestId() });
  }

  #send(message: ReplyMessage | EventMessage | ServerHelloMessage): void {
    if (!this.#gone) this.#options.send(this.#options.encode(message));
  }
}

const throttling = (message: string): VaultError => new VaultError('ThrottlingException', message, { details: { retryAfterSeconds: '1' } });

const internalBody = (): ErrorBody => ({ code: 'InternalException', message: 'the vault failed inside; its diagnostic log says more' });
const internal = (requestId: RequestId): Result => ({ ok: false, requestId, error: internalBody() });
