/** What a handler of each effect may touch. A handler declared `read` has no way to write. */
import type { Effect, Operation } from '../../shared/api/operation.ts';
import type { OPERATIONS } from '../../shared/api/index.ts';
import type { Realm } from '../../shared/model/ids.ts';
import type { Handler } from '../kernel/handler.ts';
import type { KeyBackend } from '../keyring/ports.ts';
import type { Reader, Writer } from '../store/port.ts';

interface Reading {
  readonly realm: Realm;
  /** 32 lower-case hexadecimal digits. */
  readonly vaultId: string;
  readonly reader: Reader;
}
interface Using extends Reading {
  readonly keys: KeyBackend;
}
interface Writing extends Using {
  readonly writer: Writer;
  /** Runs once the unit of work is committed, and is waited for; never where it fails or is run again. Must not throw. */
  readonly afterwards: (act: () => unknown) => void;
  /** Runs where what was done outside of the store is to be taken back: the unit failed, and it is waited for, or is run `again`. Must not throw. */
  readonly undone: (act: (again: boolean) => unknown) => void;
}

export interface Rights {
  readonly read: Reading;
  readonly use: Using;
  readonly write: Writing;
  /** Control handlers act on the vault itself, given to them when they are made. */
  readonly control: object;
}

type All = typeof OPERATIONS;
type ServiceOf<N> = N extends `${infer S}:${string}` ? S : never;

export type HandlerOf<O extends Operation> = Handler<O, Rights[O['effect'] & Effect]>;

/** Every handler of one service: a missing one does not compile, nor one too many. */
export type HandlersOf<S extends string> = { readonly [N in keyof All as ServiceOf<N> extends S ? N : never]: HandlerOf<All[N]> };
