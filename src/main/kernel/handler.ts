/** What a handler is given and what it gives back. The map of handlers is exhaustive by type. */
import type { DoorName, ErrorOf, InputOf, Operation, OutputOf } from '../../shared/api/operation.ts';
import type { Instant, RequestId } from '../../shared/model/ids.ts';
import type { KeyUseName } from '../../shared/model/key-uses.ts';
import type { Progress } from '../../shared/wire/messages.ts';
import type { Position } from '../trail/port.ts';
import type { Principal } from './authenticate.ts';
import type { Resource } from './resolve.ts';

export interface Call<O extends Operation = Operation> {
  readonly requestId: RequestId;
  readonly principal: Principal;
  readonly door: DoorName;
  readonly at: Instant;
  /** The request's; absent: the vault's own. */
  readonly region: string | undefined;
  readonly resource: Resource;
  /** Of an operation that takes from one resource and gives to another; empty for all others. */
  readonly destination: Resource;
  readonly signal: AbortSignal;
  readonly progress: (progress: Progress) => void;
  /** This request's own intent in the trail; absent while there is no trail (no vault yet). */
  readonly intent: Position | undefined;
  /** Whether policy lets the caller do this too, to a resource that the handler has found: nothing is recorded of it. */
  allows(action: string, resource: Resource): boolean;
  /** Records with the outcome that this resource (ARN; of an object on a token its URI, RFC 7512) was reached too: one that the input did not name. */
  touched(arn: string): void;
  /** Records with the outcome that this token was asked, where it was more than one, and what it said. */
  attempted(attempt: { readonly token: string; readonly outcome: string }): void;
  /** Records with the outcome that this setting was changed, which is too long to be recorded: from what to what, by digests. Nothing where the two are one. */
  changed(setting: string, from: string | undefined, to: string | undefined): void;
  /** A key (ARN) that was used and is not the request's resource: counted as its last use when the request succeeds. */
  used(operation: KeyUseName, arn: string): void;
  readonly uses: readonly { readonly operation: KeyUseName; readonly arn: string }[];
  /** Its unit of work begins, perhaps again: forgets what an attempt before has touched, changed and used, of which nothing was kept. */
  anew(): void;
  /** Throws one of the errors that the operation declares: another code does not compile. */
  fail(code: ErrorOf<O>, message: string, details?: Readonly<Record<string, string>>): never;
}

/** `Rights`: what each effect may touch; defined where the domains are known (operations/). */
export type Handler<O extends Operation, Rights> = (input: InputOf<O>, call: Call<O>, rights: Rights) => Promise<OutputOf<O>> | OutputOf<O>;

/** One operation with its handler, the types of both already checked against each other and erased. */
export interface Registered {
  readonly operation: Operation;
  readonly handler: Handler<Operation, never>;
}

/** What step 8 gives back. `committed`: a committed mutation's outcome, already built inside its transaction. */
export interface Executed {
  readonly output: Readonly<Record<string, unknown>>;
  readonly committed?: { readonly outcome: Uint8Array; delivered(): void };
  /** Where a control operation has left database and header; so that neither can be put back behind what the trail has seen. */
  readonly reached?: { readonly epoch: number; readonly headerEpoch: number };
}

/** Step 8: runs the handler with the rights of its effect; a `write` inside one unit of work. */
export type Execute = (
  registered: Registered,
  input: Readonly<Record<string, unknown>>,
  call: Call,
  outcome: (epoch: number) => Uint8Array,
) => Promise<Executed>;
