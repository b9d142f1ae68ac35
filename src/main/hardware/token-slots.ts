/**
 * Key slots that a token's key opens: the key is made, and asked for what it makes of a slot's challenge. Each time in a module's process
 * of its own, which gets the one PIN and is killed before the answer is used.
 *
 * Defends against: a header that names a library of an attacker's. The header is proven only by what the key makes, so until then a module
 * is loaded only where root alone could have put it there, or where whoever unlocks says its SHA-256; and never when its file has changed.
 * A key that leaves its token opens no vault: it is refused when the slot is made. Does not: keep PIN or factor.
 */
import { timingSafeEqual } from 'node:crypto';
import { instant } from '../../shared/model/ids.ts';
import { VaultError } from '../../shared/model/errors.ts';
import type { SecretBytes } from '../../shared/model/secret-bytes.ts';
import { CKM } from '../backends/pkcs11/cryptoki.ts';
import { nameToken } from '../backends/pkcs11/errors.ts';
import { lacks } from '../backends/pkcs11/mechanisms.ts';
import { isGuarded } from '../backends/pkcs11/protocol.ts';
import { hex, wipe } from '../crypto/bytes.ts';
import { Hardware, type HardwarePorts, type Place } from './hardware.ts';
import { lookAtModule } from './module-file.ts';
import { readSlotUri, slotUri } from './slot-uri.ts';

const ROOT = 0;
const FACTOR_LENGTH = 32;
const SPEC = 'HMAC_256';
const USAGE = 'GENERATE_VERIFY_MAC';
const INSIST = 'keystead unlock --token --last-try';

export interface TokenAnswerer {
  readonly pin: SecretBytes;
  /** Try even where one more wrong PIN locks the token. */
  readonly lastTry: boolean;
  /** What whoever asks says that the module's SHA-256 is, hex; needed where others than root could have put the module there. */
  readonly moduleSha256: string | undefined;
}

export interface NewSlotKey {
  readonly uri: string;
  /** What the key makes of the challenge: 32 bytes, the receiver's to wipe. */
  readonly factor: Uint8Array;
}

export interface TokenSlots {
  /** What a slot's key makes of its challenge: 32 bytes, the receiver's to wipe. HeaderRefusedException, ModuleRefusedException, and what a token refuses. */
  factor(uri: string, challenge: Uint8Array, by: TokenAnswerer): Promise<Uint8Array>;
  /** A key for slots of this vault, one for all of them, and what it makes of the challenge, twice and in two processes. */
  make(place: Place, vaultId: string, challenge: Uint8Array, by: Omit<TokenAnswerer, 'moduleSha256'>, id: Uint8Array): Promise<NewSlotKey>;
  /** Kills what runs. */
  end(): Promise<void>;
}

export function tokenSlots(ports: Pick<HardwarePorts, 'startHost' | 'uid' | 'now'>): TokenSlots {
  const running = new Set<Hardware>();

  async function apart<T>(use: (hardware: Hardware) => Promise<T>): Promise<T> {
    const hardware = new Hardware({ ...ports, changed: () => undefined });
    running.add(hardware);
    try {
      return await use(hardware);
    } catch (error) {
      throw advised(error);
    } finally {
      running.delete(hardware);
      await hardware.end();
    }
  }

  async function answer(hardware: Hardware, place: Place, id: string, challenge: Uint8Array): Promise<Uint8Array> {
    const { parts } = await hardware.ask(place, 'sign', { token: place.token, id, use: { mechanism: CKM.SHA256_HMAC, kind: 'plain' } }, [challenge]);
    const [factor] = parts;
    if (parts.length !== 1 || factor?.byteLength !== FACTOR_LENGTH) throw new VaultError('KMSInternalException', `${nameToken(place.token)} answered with something that is no HMAC-SHA256`);
    return factor;
  }

  const slots: TokenSlots = {
    async factor(uri, challenge, { pin, lastTry, moduleSha256 }) {
      const name = readSlotUri(uri);
      if (!name) throw new VaultError('HeaderRefusedException', 'the token slot names its key in a way that this program does not write; use another way to unlock');
      const { path, sha256, token, id } = name;
      const file = await lookAtModule(path, ROOT);
      if (file.path !== path || file.sha256 !== sha256) throw new VaultError('ModuleRefusedException', `module \`${path}\` is another file than when the token slot was made, and was not loaded; unlock another way, agree to the module, and add the slot again`, { details: { sha256: file.sha256 } });
      if (file.warnings.length > 0 && moduleSha256 !== sha256) throw new VaultError('ModuleRefusedException', `module \`${path}\` was not loaded: others than root can put a file there (${file.warnings.join('; ')}), and a locked vault cannot know which is yours; if you know that its SHA-256 is \`${sha256}\`, give it with \`keystead unlock --token --module-sha256\``, { details: { sha256, vouch: 'true' } });
      return apart(async (hardware) => {
        const place: Place = { module: { path, sha256, added: instant(0) }, token };
        await hardware.login(place, pin, { lastTry, insist: INSIST });
        return answer(hardware, place, id, challenge);
      });
    },

    async make(place, vaultId, challenge, by, fresh) {
      const { token, module } = place;
      if (module.parameters !== undefined) throw new VaultError('UnsupportedOperationException', `module \`${module.path}\` wants parameters, which a locked vault cannot vouch for; use a token of another module`);
      const made = await apart(async (hardware) => {
        await hardware.login(place, by.pin, { lastTry: by.lastTry, insist: 'keystead slot add --type token --new-token-last-try' });
        const why = lacks(await hardware.offer(place), SPEC, USAGE);
        if (why !== undefined) throw new VaultError('UnsupportedOperationException', `${nameToken(token)} ${why}, and opens a vault only by an HMAC; use another token`);
        const id = await keyFor(hardware, place, vaultId, hex(fresh));
        return { id, factor: await answer(hardware, place, id, challenge) };
      });
      const uri = slotUri({ token, id: made.id, path: module.path, sha256: module.sha256 });
      try {
        const again = await slots.factor(uri, challenge, { ...by, moduleSha256: module.sha256 });
        if (timingSafeEqual(made.factor, again)) return { uri, factor: again };
        wipe(again);
      } finally {
        wipe(made.factor);
      }
      throw new VaultError('KMSInternalException', `${nameToken(token)} gave two answers to one question; it can open nothing`);
    },

    async end() {
      await Promise.all([...running].map((hardware) => hardware.end()));
    },
  };
  return slots;
}

/** The key for slots of this vault that is there, from an earlier slot or from one that was cut off, or a new one. It must not leave the token. */
async function keyFor(hardware: Hardware, place: Place, vaultId: string, fresh: string): Promise<string> {
  const { token } = place;
  const label = `keystead unlock ${vaultId}`;
  const { reply } = await hardware.ask(place, 'keys', { token });
  const known = reply.keys.find((key) => key.label === label && key.spec === SPEC && key.uses.includes(USAGE) && isGuarded(key.stated));
  const id = known?.id ?? fresh;
  if (!known) await hardware.ask(place, 'generate', { token, spec: SPEC, usage: USAGE, id, label });
  const { allowed, unknown } = (await hardware.ask(place, 'wrapTest', { token, id })).reply;
  // What another mechanism refuses says nothing of one that failed.
  if (allowed.length === 0 && unknown.length === 0) return id;
  if (!known) await hardware.ask(place, 'destroy', { token, id });
  if (allowed.length === 0) throw new VaultError('UnsupportedOperationException', `${nameToken(token)} failed when it was asked to wrap a key out, and did not refuse to, so nobody knows whether a copy could open the vault without it; use another token`);
  throw new VaultError('UnsupportedOperationException', `${nameToken(token)} lets its keys out when it is asked to wrap them, so a copy could open the vault without it; use another token`);
}

/** The same, in the words of somebody who has no vault open. */
function advised(error: unknown): unknown {
  if (!(error instanceof VaultError)) return error;
  const { code, message, details } = error;
  const same = details === undefined ? {} : { details };
  if (code === 'VaultLockedException') return new VaultError('CancelledException', 'the vault was locked while its token was asked');
  if (code === 'KMSInternalException' && details?.['module'] !== undefined) return new VaultError(code, `module \`${details['module']}\` crashed or hung while the token's key was asked for; check it with the tools of its vendor, or use another way to unlock`, same);
  if (code === 'KeyUnavailableException') return new VaultError(code, `${message}; or use another way to unlock`, same);
  return error;
}
