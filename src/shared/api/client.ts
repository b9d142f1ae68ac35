/**
 * `createClient(transport)`: one typed method per operation (`client.kms.encrypt(input)`), derived from the declarations.
 * A method resolves with a value in every case; it rejects only when the transport itself breaks its contract.
 */
import type { z } from 'zod';
import type { ErrorCode } from '../model/errors.ts';
import type { Progress } from '../wire/messages.ts';
import { NAMES, type Failure, type Name, type OperationNamed, type Output } from './index.ts';

export interface CallOptions {
  readonly signal?: AbortSignal;
  readonly progress?: (progress: Progress) => void;
  /** Region that the call is for; absent: the vault's own. */
  readonly region?: string;
}

export interface CallError<Code extends ErrorCode = ErrorCode> {
  readonly code: Code;
  readonly message: string;
  readonly details?: Readonly<Record<string, string>>;
}

export type Answer<T, Code extends ErrorCode = ErrorCode> =
  | { readonly ok: true; readonly requestId: string; readonly output: T }
  | { readonly ok: false; readonly requestId: string; readonly error: CallError<Code> };

/** Carries one request. `input` is as the schema's input type; the transport encodes it and decodes the output by its declaration. */
export interface Transport {
  call(name: Name, input: Readonly<Record<string, unknown>>, options: CallOptions): Promise<Answer<Readonly<Record<string, unknown>>>>;
}

type ServiceOf<N extends Name> = N extends `${infer S}:${string}` ? S : never;
type MethodOf<N extends Name, S extends string> = N extends `${S}:${infer M}` ? Uncapitalize<M> : never;
type NameOf<S extends string, M extends string> = Extract<Name, `${S}:${Capitalize<M>}`>;
type CallInput<N extends Name> = z.input<OperationNamed<N>['input']>;

type Method<N extends Name> =
  Record<string, never> extends CallInput<N>
    ? (input?: CallInput<N>, options?: CallOptions) => Promise<Answer<Output<N>, Failure<N>>>
    : (input: CallInput<N>, options?: CallOptions) => Promise<Answer<Output<N>, Failure<N>>>;

export type Client = {
  readonly [S in ServiceOf<Name>]: { readonly [M in MethodOf<Name, S>]: Method<NameOf<S, M>> };
};

export function createClient(transport: Transport): Client {
  const client: Record<string, Record<string, unknown>> = {};
  for (const name of NAMES) {
    const [service = '', operation = ''] = name.split(':');
    const method = `${operation.charAt(0).toLowerCase()}${operation.slice(1)}`;
    (client[service] ??= {})[method] = (input: Readonly<Record<string, unknown>> = {}, options: CallOptions = {}) => transport.call(name, input, options);
  }
  return client as unknown as Client;
}
