/**
 * What a module host does: the calls of `protocol.ts` on one loaded module.
 *
 * Defends against: two objects under one name, a key that is not what was asked for (it is destroyed
 * again), sessions shared between operations. Does not: survive a module that crashes or hangs; that is why it runs in a process of its own.
 */
import { keySpecOf } from '../../../shared/model/algorithms.ts';
import { wipe } from '../../crypto/bytes.ts';
import { pinOf, type Answer, type Calls } from './calls.ts';
import { createCertificates } from './certificates.ts';
import { CKA, CKF, CKO, CKR, CKU, LOST, type Cryptoki, type Handle } from './cryptoki.ts';
import { tryCurves } from './curve-trial.ts';
import { GENERATORS } from './mechanisms.ts';
import { found, loggedOut, wrongPin } from './host-failure.ts';
import { isClusterKey, isGuarded, keyOf, MOST_LISTED, type CallName, type RequestOf, type TokenName } from './protocol.ts';
import { createObjects } from './objects.ts';
import { KeptPins } from './pins.ts';
import { codeOf, Sessions } from './sessions.ts';
import { createSlots } from './slots.ts';
import { createTrust } from './trust.ts';
import { createUses } from './uses.ts';
import { tryToWrap } from './wrap-test.ts';
import { pairTemplates, secretTemplate } from './templates.ts';

export function createDevice(p11: Cryptoki): Calls {
  const tokens = new Map<string, Sessions>();
  const pins = new KeptPins();
  /** Handles of keys by token and CKA_ID; good until the token is logged out. */
  const handles = new Map<string, Handle>();
  /** Calls that a session works for or waits for. */
  let running = 0;

  const forget = (token: TokenName): void => {
    tokens.delete(keyOf(token));
    for (const key of handles.keys()) if (key.startsWith(`${keyOf(token)}\n`)) handles.delete(key);
  };

  function logOut(token: TokenName): void {
    const known = tokens.get(keyOf(token));
    forget(token);
    if (!known) return;
    known.logout();
    p11.C_CloseAllSessions(known.slot);
  }

  function sessionsOf(token: TokenName): Sessions {
    const sessions = tokens.get(keyOf(token));
    if (!sessions) throw loggedOut();
    return sessions;
  }

  const slots = createSlots(p11);
  const { slotOf, once } = slots;
  const objects = createObjects(p11);
  const { find, read, statedOf, publicKeyOf, factsOf } = objects;

  /** Runs with a session of a token that is logged in. */
  async function within<T>(token: TokenName, work: (session: Handle) => Promise<T> | T): Promise<T> {
    running += 1;
    try {
      return await sessionsOf(token).run(work);
    } catch (error) {
      const code = codeOf(error);
      if (code !== undefined && LOST.has(code)) forget(token);
      throw error;
    } finally {
      running -= 1;
    }
  }

  const certificates = createCertificates({ objects, within });

  function handleOf(session: Handle, token: TokenName, id: string): Handle {
    const name = `${keyOf(token)}\n${id}`;
    const known = handles.get(name);
    if (known) return known;
    const value = Buffer.from(id, 'hex');
    const keys = [CKO.PRIVATE_KEY, CKO.SECRET_KEY].flatMap((type) => find(session, [{ type: CKA.CLASS, value: type }, { type: CKA.ID, value }]));
    const [key] = keys;
    if (key === undefined) throw found('absent');
    // Two keys under one id: nobody can say which of them was meant.
    if (keys.length > 1) throw found('ambiguous');
    handles.set(name, key);
    return key;
  }

  /** With the key's handle; one that is no longer good is looked up anew the next time. */
  const withKey = <T>(token: TokenName, id: string, work: (session: Handle, key: Handle) => Promise<T>): Promise<T> =>
    within(token, async (session) => {
      try {
        return await work(session, handleOf(session, token, id));
      } catch (error) {
        const code = codeOf(error);
        if (code === CKR.KEY_HANDLE_INVALID || code === CKR.OBJECT_HANDLE_INVALID) handles.delete(`${keyOf(token)}\n${id}`);
        throw error;
      }
    });

  function login({ token, again }: RequestOf<'login'>, [pin]: readonly Uint8Array[]): Answer<'login'> {
    const known = tokens.get(keyOf(token));
    if (known && !again) {
      const judged = pin ? pins.judge(keyOf(token), pin) : 'right';
      if (judged === 'right') return { reply: {} };
      if (judged === 'wrong') throw wrongPin();
      // From now on the token itself counts.
      logOut(token);
      throw loggedOut();
    }
    const slot = slotOf(token);
    if (known) {
      known.logout();
      forget(token);
      p11.C_CloseAllSessions(slot);
    }
    const kept = pins.get(keyOf(token));
    const given = pin ?? kept;
    if (!given) throw loggedOut();
    const sessions = new Sessions(p11, slot, p11.C_GetTokenInfo(slot).maxSessionCount);
    try {
      sessions.login(pinOf(given));
    } catch (error) {
      p11.C_CloseAllSessions(slot);
      // One that was changed meanwhile: tried again by itself it would use up the token's patience.
      if (given === kept) pins.drop(keyOf(token));
      throw error;
    }
    if (given !== kept) pins.keep(keyOf(token), given);
    tokens.set(keyOf(token), sessions);
    return { reply: {} };
  }

  return {
    ...slots.calls,

    async curves({ token }) {
      const known = tokens.get(keyOf(token));
      if (known) return { reply: await within(token, (session) => tryCurves(p11, known.slot, session, true)) };
      const slot = slotOf(token);
      const session = p11.C_OpenSession(slot, CKF.SERIAL_SESSION | CKF.RW_SESSION);
      try {
        return { reply: await tryCurves(p11, slot, session, false) };
      } finally {
        p11.C_CloseSession(session);
      }
    },

    rescan() {
      if (tokens.size > 0) throw found('busy');
      slots.begin();
      return { reply: {} };
    },

    setPin({ token }, [old, fresh]) {
      const known = tokens.get(keyOf(token));
      const slot = known?.slot ?? slotOf(token);
      once(slot, (session) => {
        if (known === undefined) p11.C_Login(session, CKU.USER, pinOf(old));
        p11.C_SetPIN(session, pinOf(old), pinOf(fresh));
        if (known === undefined) p11.C_Logout(session);
        if (fresh && (known !== undefined || pins.get(keyOf(token)))) pins.keep(keyOf(token), fresh);
      });
      return { reply: {} };
    },

    login,

    logout({ token }) {
      logOut(token);
      return { reply: {} };
    },

    generate: ({ token, spec, usage, id, label, cluster }) =>
      within(token, async (session) => {
        const name = { id: Buffer.from(id, 'hex'), label };
        const { family } = keySpecOf(spec);
        const isSecret = family === 'symmetric' || family === 'hmac';
        const mechanism = { mechanism: GENERATORS[family as keyof typeof GENERATORS] };
        const made: Handle[] = [];
        if (isSecret) made.push(await p11.C_GenerateKeyAsync(session, mechanism, secretTemplate(spec, usage, name, cluster)));
        else {
          const templates = pairTemplates(spec, usage, name, cluster);
          const pair = await p11.C_GenerateKeyPairAsync(session, mechanism, templates.public, templates.private);
          made.push(pair.privateKey, pair.publicKey);
        }
        const [key] = made;
        if (!key) throw found('internal');
        const said = statedOf(session, key);
        const spki = isSecret ? undefined : publicKeyOf(session, key, name.id);
        if ((cluster === true ? isClusterKey(said) : isGuarded(said)) && (isSecret || spki)) return { reply: { stated: said }, ...(spki ? { parts: [spki] } : {}) };
        for (const object of made) p11.C_DestroyObject(session, object);
        throw found('refused');
      }),

    keys: ({ token }) =>
      within(token, (session) => {
        const classOf = (value: number): Handle[] => find(session, [{ type: CKA.CLASS, value }]);
        const keys = [...classOf(CKO.PRIVATE_KEY), ...classOf(CKO.SECRET_KEY)].slice(0, MOST_LISTED).map((key) => factsOf(session, key));
        return { reply: { keys } };
      }),
    ...certificates.calls,

    describe: ({ token, id }) =>
      withKey(token, id, (session, key) => {
        const facts = factsOf(session, key);
        const own = Buffer.from(id, 'hex');
        const spki = facts.class === 'private' ? (publicKeyOf(session, key, own) ?? certificates.publicKeyOf(session, own)) : undefined;
        return Promise.resolve({ reply: facts, ...(spki ? { parts: [spki] } : {}) });
      }),
    wrapTest: ({ token, id }) => withKey(token, id, async (session, key) => ({ reply: await tryToWrap(p11, sessionsOf(token).slot, session, key) })),
    ...createUses({ p11, read, withKey }),

    destroy: ({ token, id }) =>
      withKey(token, id, (session, key) => {
        const pairs = find(session, [{ type: CKA.CLASS, value: CKO.PUBLIC_KEY }, { type: CKA.ID, value: Buffer.from(id, 'hex') }]);
        for (const object of [key, ...pairs]) p11.C_DestroyObject(session, object);
        handles.delete(`${keyOf(token)}\n${id}`);
        return Promise.resolve({ reply: {} });
      }),
    check: ({ token }) => {
      sessionsOf(token);
      slotOf(token);
      return { reply: {} };
    },
    async restart({ token }) {
      if ([...tokens.keys()].some((name) => name !== keyOf(token))) throw found('busy');
      // A module that is ended under a call takes this process along.
      while (running > 0) await new Promise((resolve) => setTimeout(resolve, 20));
      tokens.clear();
      handles.clear();
      slots.begin();
      login({ token, again: false }, []);
      return { reply: {} };
    },
    ...createTrust({ p11, objects, within, withKey, slotOf, once, forget: (token, id) => { handles.delete(`${keyOf(token)}\n${id}`); } }),
    random: ({ token, length }) => within(token, (session) => ({ reply: {}, parts: [p11.C_GenerateRandom(session, Buffer.alloc(length))] })),
  };
}

/** Runs one call of the wire: what is asked for is parsed, and parts are wiped once it is over. */
export async function perform(device: Calls, name: CallName, request: unknown, parts: readonly Uint8Array[]): Promise<Answer<CallName>> {
  try {
    return await (device[name] as (request: unknown, parts: readonly Uint8Array[]) => Promise<Answer<CallName>>)(request, parts);
  } finally {
    wipe(...parts);
  }
}
