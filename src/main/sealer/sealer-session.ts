/**
 * The one session of a sealer: sealed until a header is opened or made, then unsealed until the process ends. What other calls may
 * see of it is `Session`; the header and database calls see the parts.
 */
import { VaultError } from '../../shared/model/errors.ts';
import type { Random } from '../platform/ports.ts';
import type { ReplyOf, RequestOf, SealerMethod } from '../seal/protocol.ts';
import { Database } from './database.ts';
import type { HeldHeader } from './held-header.ts';
import { releaseHeader } from './held-header.ts';
import { OpenVault } from './open-vault.ts';
import { Reseal } from './reseal.ts';
import type { Session, Unsealed } from './session.ts';

/** Handlers that see the whole session. */
export type SealerHandlers<M extends SealerMethod> = {
  readonly [K in M]: (session: SealerSession, request: RequestOf<K>) => ReplyOf<K> | Promise<ReplyOf<K>>;
};

interface Parts {
  readonly vault: OpenVault;
  readonly database: Database;
  readonly reseal: Reseal;
}

export class SealerSession implements Session {
  readonly random: Random;
  #parts: Parts | undefined;
  #wiped = false;

  constructor(random: Random) {
    this.random = random;
  }

  get #open(): Parts {
    if (!this.#parts) throw new VaultError('VaultLockedException', 'the vault is locked; unlock it first');
    return this.#parts;
  }

  get unsealed(): Unsealed {
    return this.#open.vault;
  }
  get vault(): OpenVault {
    return this.#open.vault;
  }
  get database(): Database {
    return this.#open.database;
  }
  get reseal(): Reseal {
    return this.#open.reseal;
  }

  /** Throws InternalException when a vault is open, or was. */
  checkSealed(): void {
    if (this.#parts || this.#wiped) throw new VaultError('InternalException', 'this sealer has held a vault already; lock it and start another');
  }

  /** Takes the header over; wipes it when another call was first. */
  unseal(header: HeldHeader, isNew: boolean): void {
    try {
      this.checkSealed();
    } catch (error) {
      releaseHeader(header);
      throw error;
    }
    const vault = new OpenVault(this.random, header, isNew);
    const database = new Database(vault);
    this.#parts = { vault, database, reseal: new Reseal(vault, database) };
  }

  /** Overwrites every key that is held here. The session stays sealed for good. */
  wipe(): void {
    this.#parts?.vault.wipe();
    this.#parts = undefined;
    this.#wiped = true;
  }
}
