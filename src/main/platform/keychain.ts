import { VaultError } from '../../shared/model/errors.ts';
import { encodeRequest, takeReply, type KeychainReply, type Operation, type Outcome } from './keychain-format.ts';
import { noLog, type Log } from './log.ts';
import type { Child, Keychain, ProcessHost } from './ports.ts';

export interface KeychainOptions {
  readonly host: ProcessHost;
  readonly log?: Log;
  /** Under which the entries are kept; `keystead` unless a test says otherwise. */
  readonly service?: string;
  /** Milliseconds for one call; 8 s, which no dialogue is answered in. */
  readonly limit?: number;
  /** Milliseconds for one call that may ask the person; 60 s. */
  readonly promptLimit?: number;
}

export interface SystemKeychain extends Keychain {
  /** The same keychain with time for a person to answer its dialogue: only in answer to something they have just asked for. */
  prompting(): Keychain;
}

type Failure = Exclude<Outcome, 'ok' | 'absent'> | 'crashed' | 'timeout';

const INSTALL =
  process.platform === 'linux'
    ? 'sudo apt-get install -y build-essential libsecret-1-dev && npm_config_build_from_source=true npm ci'
    : 'npm_config_build_from_source=true npm ci';

/** Why, and what to do. */
const REASONS: Readonly<Record<Failure, string>> = {
  'no-module': `the keychain module is not installed, type: \`${INSTALL}\``,
  'no-library': 'the library libsecret is not installed, type: `sudo apt-get install -y libsecret-1-0`',
  'no-bus': 'there is no session bus and so no keychain: run this in your desktop session, or use a vault without a device secret',
  locked: 'the keychain is locked: unlock it (log in to your desktop, or open its password manager) and try again, or use the recovery code',
  failed: 'the keychain refused: check that a secret service (gnome-keyring, KWallet, KeePassXC) runs, or use the recovery code',
  crashed: 'the keychain stopped in the middle, as a locked one may: unlock it and try again, or use the recovery code',
  timeout: 'the keychain did not answer in time, as one waiting for its password does: unlock it and try again, or use the recovery code',
};

/** Names that an entry can have: at most 200 of these characters. */
const NAME = /^[A-Za-z0-9:._-]{1,200}$/;

/**
 * The system's keychain (Secret Service, macOS Keychain, Windows Credential Manager) behind one helper process for each
 * call. Every failure is KeychainUnavailableException whose `reason` detail is one of `Failure`. Values are returned
 * off-heap and belong to the caller; `set` copies its value and leaves the caller's alone.
 */
export function createKeychain(options: KeychainOptions): SystemKeychain {
  const { host, log = noLog, service = 'keystead', limit = 8_000, promptLimit = 60_000 } = options;

  const within = (milliseconds: number): Keychain => {
    const call = async (operation: Operation, name: string, value: Uint8Array = new Uint8Array()): Promise<KeychainReply> => {
      if (operation !== 'probe' && !NAME.test(name)) throw new VaultError('ValidationException', `\`${name}\` cannot be the name of a keychain entry`);
      const reply = await ask(host, encodeRequest({ operation, service, name, value }), milliseconds);
      if (typeof reply !== 'string' && (reply.outcome === 'ok' || reply.outcome === 'absent')) return reply;
      const reason: Failure = typeof reply === 'string' ? reply : (reply.outcome as Failure);
      log.event('keychain.failed', { operation, reason });
      throw new VaultError('KeychainUnavailableException', REASONS[reason], { details: { reason } });
    };
    return {
      async probe() {
        try {
          await call('probe', '');
          return { available: true };
        } catch (error) {
          if (error instanceof VaultError) return { available: false, reason: error.message };
          throw error;
        }
      },
      async get(name) {
        const { outcome, value } = await call('get', name);
        return outcome === 'absent' ? undefined : value;
      },
      async set(name, value) {
        if (value.length === 0) throw new VaultError('ValidationException', `the keychain entry \`${name}\` cannot be empty: remove it instead`);
        await call('set', name, value);
      },
      async remove(name) {
        await call('remove', name);
      },
    };
  };
  return { ...within(limit), prompting: () => within(promptLimit) };
}

/** One call to one helper, which is gone when this resolves. Wipes `request`. Never rejects but with `spawn`'s error. */
async function ask(host: ProcessHost, request: Uint8Array, milliseconds: number): Promise<KeychainReply | 'crashed' | 'timeout'> {
  let child: Child;
  try {
    child = host.spawn('keychain');
  } catch (error) {
    request.fill(0);
    throw error;
  }
  let timer: NodeJS.Timeout | undefined;
  const answer = await new Promise<KeychainReply | 'crashed' | 'timeout'>((resolve) => {
    timer = setTimeout(() => resolve('timeout'), milliseconds);
    void child.exited.then(() => resolve('crashed'));
    child.onFrame((frame) => resolve(takeReply(frame) ?? 'crashed'));
    try {
      child.send(request);
    } catch {
      resolve('crashed');
    }
  });
  clearTimeout(timer);
  child.kill();
  await child.exited;
  return answer;
}
