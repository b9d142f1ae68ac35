/**
 * The sealer: the one place that holds the root key, the table keys and the software private keys.
 *
 * What it does: answers the narrow calls of `seal/protocol.ts`, one session per process. What it defends against: a main process, or
 * an npm package in it, that would rather have the keys than ask for their use; and keys that outlive a lock, since the process is
 * killed then. What it does not do: decide who may do what (main does), know the time (every time is an argument), read or
 * write a file, or open a connection.
 *
 * In a process of its own in the product (`entry.ts`), in this one in tests (`createSealer`); both speak the same frames.
 */
import { VaultError } from '../../shared/model/errors.ts';
import { wipe } from '../crypto/bytes.ts';
import type { Random } from '../platform/ports.ts';
import { createSealerClient } from '../seal/client.ts';
import type { ReplyOf, RequestOf, Sealer, SealerMethod } from '../seal/protocol.ts';
import { type Message, decodeMessage, encodeError, encodeReply, encodeWiped, frameId } from '../seal/wire.ts';
import { databaseCalls } from './database-calls.ts';
import { headerCalls } from './header-calls.ts';
import { importCalls } from './import-calls.ts';
import { keptCalls } from './kept-calls.ts';
import { keyCalls } from './key-calls.ts';
import { loopback } from './loopback.ts';
import { forgetMaterials } from './materials.ts';
import { type SealerHandlers, SealerSession } from './sealer-session.ts';
import { trailCalls } from './trail-calls.ts';

/** Complete by type: a call without a handler does not compile. */
const calls: SealerHandlers<SealerMethod> = { ...headerCalls, ...databaseCalls, ...keyCalls, ...importCalls, ...keptCalls, ...trailCalls };

/** Calls that keep bytes of a request beyond the call; what they keep is no secret. All others see views of a frame that is then wiped. */
const KEEPS: ReadonlySet<SealerMethod | undefined> = new Set<SealerMethod>(['trailBegin', 'trailFeed', 'trailFinish']);

/** The plaintexts and codes in a reply, fresh from the handler: wiped once they are in the frame. */
const SECRETS: { readonly [M in SealerMethod]?: (reply: ReplyOf<M>) => readonly (Uint8Array | undefined)[] } = {
  createHeader: ({ recoveryCodes }) => recoveryCodes,
  addSlot: ({ recoveryCode }) => [recoveryCode],
  replaceSlot: ({ recoveryCode }) => [recoveryCode],
  openRows: ({ plain }) => plain,
  random: ({ bytes }) => [bytes],
  decrypt: (reply) => (reply.missing ? [] : [reply.plaintext]),
  generateDataKey: (reply) => (reply.missing ? [] : [reply.plaintext]),
  generateDataKeys: (reply) => (reply.missing ? [] : reply.keys.map(({ plaintext }) => plaintext)),
  deriveSharedSecret: (reply) => (reply.missing ? [] : [reply.secret]),
  encapsulate: ({ secret }) => [secret],
  decapsulate: (reply) => (reply.missing ? [] : [reply.secret]),
  generateDataKeyPair: (reply) => (reply.missing ? [] : [reply.privateKey]),
  newAccessKey: ({ secret }) => [secret],
  signingKey: ({ key, sessionToken }) => (sessionToken ? [key, sessionToken] : [key]),
  openPin: ({ pin }) => [pin],
};

export interface SealerHost {
  /** Takes ownership of the frame. Never throws: a frame that is no message is answered with an error. */
  readonly receive: (frame: Uint8Array) => void;
  /** Overwrites what is held; every later call is refused. */
  readonly wipe: () => void;
}

type AnyHandler = (session: SealerSession, request: unknown) => object | Promise<object>;
type AnySecrets = (reply: object) => readonly (Uint8Array | undefined)[];

/** An error that may leave: a VaultError as it is, anything else without its words, which might quote what it failed on. */
function errorFrame(id: number, error: unknown, method?: SealerMethod): Uint8Array {
  const known = error instanceof VaultError ? error : new VaultError('InternalException', `the sealer failed on \`${String(method)}\`; report this as a fault`);
  return encodeError(id, known.toBody());
}

function replyFrame(id: number, method: SealerMethod, reply: object): Uint8Array {
  // Method and reply type belong together by the table's type; the generic call loses that.
  const secrets = SECRETS[method] as AnySecrets | undefined;
  try {
    return encodeReply(id, reply);
  } catch (error) {
    return errorFrame(id, error, method);
  } finally {
    if (secrets) wipe(...secrets(reply));
  }
}

/** `send` takes ownership of its frame. */
export function createSealerHost(options: { readonly random: Random; readonly send: (frame: Uint8Array) => void }): SealerHost {
  const { random, send } = options;
  const session = new SealerSession(random);

  const wipeAll = (): void => {
    forgetMaterials(session);
    session.wipe();
  };

  const answer = (id: number, method: SealerMethod, frame: Uint8Array, body: RequestOf<SealerMethod>): void => {
    const finish = (reply: Uint8Array): void => {
      wipe(frame);
      send(reply);
    };
    try {
      const reply = (calls[method] as AnyHandler)(session, body);
      if (!(reply instanceof Promise)) {
        finish(replyFrame(id, method, reply));
        return;
      }
      reply.then(
        (value: object) => {
          finish(replyFrame(id, method, value));
        },
        (error: unknown) => {
          finish(errorFrame(id, error, method));
        },
      );
    } catch (error) {
      finish(errorFrame(id, error, method));
    }
  };

  return {
    wipe: wipeAll,
    receive(frame) {
      let message: Message;
      try {
        message = decodeMessage(frame, (method) => (KEEPS.has(method) ? 'copies' : 'views'));
      } catch (error) {
        const id = frameId(frame) ?? 0;
        wipe(frame);
        send(errorFrame(id, error));
        return;
      }
      if (message.method) {
        answer(message.id, message.method, frame, message.body as RequestOf<SealerMethod>);
        return;
      }
      wipe(frame);
      if (message.kind !== 'wipe') return;
      wipeAll();
      send(encodeWiped());
    },
  };
}

/** A sealer in this process, through the same frames as the real one: for tests. */
export const createSealer = (options: { readonly random: Random }): Sealer =>
  createSealerClient(loopback((send) => createSealerHost({ random: options.random, send })));
