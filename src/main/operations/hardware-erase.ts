/**
 * `hardware:` handlers that delete a key store with what this vault made for it on its tokens.
 *
 * INVARIANT: nothing is deleted on a token before the key store's end is committed. A key that is being made in it meanwhile has no record yet, and looks
 * like one that nobody wants; after the commit its making fails instead.
 */
import { counted } from '../../shared/model/counted.ts';
import { VaultError } from '../../shared/model/errors.ts';
import type { Output } from '../../shared/api/index.ts';
import { nameToken } from '../backends/pkcs11/errors.ts';
import { keyOf, MOST_LISTED } from '../backends/pkcs11/protocol.ts';
import { answering } from '../hardware/cluster-keys.ts';
import { assertStore } from '../hardware/connection.ts';
import type { Hardware, Place } from '../hardware/hardware.ts';
import { KEY_STORES, tokensOf, type ClusterRecord, type KeyStoreRecord } from '../hardware/kinds.ts';
import { samePlace } from '../hardware/processes.ts';
import { clusterIdOf, digestOfObjects, isOwnTokenKey, labelOfStore, objectUri } from '../hardware/token-names.ts';
import { keysIn, placesOfStore, storeOf, type Stored } from './kms-key-stores.ts';
import type { HandlersOf } from './rights.ts';
import { forgetPinOf } from './sealed-pin.ts';

type Listed = Output<'hardware:EraseKeyStore'>['Deleted'][number];
interface Found {
  readonly place: Place;
  readonly shown: Listed;
}

/** What a cluster has of its own on one of its tokens: CKA_ID and what it is. */
export function ownOf({ members }: ClusterRecord, { token }: Pick<Place, 'token'>): readonly (readonly [id: string, kind: Listed['Kind']])[] {
  const id = clusterIdOf(token);
  return members.flatMap((member): readonly (readonly [string, Listed['Kind']])[] =>
    clusterIdOf(member) === id ? [[member.wrapper, 'wrappingKey'], [member.transport.id, 'transportKey']] : [[member.wrapper, 'copyOfWrappingKey'], [member.transport.id, 'publicTransportKey']],
  );
}

/** On a token that answers. KMSInvalidStateException where another of the store's does not: what is on that one would be left over. */
async function objectsOf(hardware: Hardware, reader: Stored, store: KeyStoreRecord, vaultId: string): Promise<readonly Found[]> {
  const { cluster } = store;
  const known = new Set((await keysIn(reader, store.id)).map((key) => key.hardware?.id));
  const there = cluster ? answering({ hardware, store }) : [hardware.placeOf(store.id)];
  const away = (await placesOfStore(reader, store)).find((place) => !there.some((one) => samePlace(one, place)));
  if (away) throw new VaultError('KMSInvalidStateException', `${nameToken(away.token)} does not answer, so nothing can be deleted on it; put it back, or leave what is on the tokens there with \`keystead kms delete-custom-key-store\``);
  const found = await Promise.all(
    there.map(async (place) => {
      const { token } = place;
      const at = { CloudHsmClusterId: clusterIdOf(token), Token: token.label };
      const { keys } = (await hardware.ask(place, 'keys', { token })).reply;
      if (keys.length >= MOST_LISTED) throw new VaultError('KMSInvalidStateException', `${nameToken(token)} holds ${String(MOST_LISTED)} keys or more, and no more than that are looked at, so nobody can say what would be deleted; delete what is not needed with the tools of the token’s vendor first`);
      const own = new Map(cluster ? ownOf(cluster, place) : []);
      const made = keys.filter((key) => isOwnTokenKey(vaultId, key) && !known.has(key.id));
      const twice = made.find((one) => keys.some((other) => other !== one && other.id === one.id));
      if (twice) throw new VaultError('KMSInvalidStateException', `${nameToken(token)} has more than one key of the id \`${twice.id}\`, and whatever has an id is deleted together; take away what is not this vault’s with the tools of the token’s vendor first`);
      const held = new Set((await hardware.ask(place, 'holds', { token, ids: [...own.keys()], halves: true })).reply.held);
      return [
        ...made.map(({ id, label }): Found => ({ place, shown: { ...at, Id: id, Label: label, Kind: 'key' } })),
        ...[...own].filter(([id]) => held.has(id)).map(([id, kind]): Found => ({ place, shown: { ...at, Id: id, Label: labelOfStore(store.id), Kind: kind } })),
      ];
    }),
  );
  return found.flat().sort((a, b) => Number(a.shown.Kind !== 'key') - Number(b.shown.Kind !== 'key'));
}

/** In the trail, by label and id, keys first; its record has room for these, and the digest for all. */
const MOST_NAMED = 40;

const digestOf = (found: readonly Found[]): string => digestOfObjects(found.map(({ shown }) => [shown.CloudHsmClusterId, shown.Id, shown.Kind, shown.Label]));

export const hardwareEraseHandlers = (now: () => Hardware): Pick<HandlersOf<'hardware'>, 'hardware:ListKeyStoreObjects' | 'hardware:EraseKeyStore'> => ({
  'hardware:ListKeyStoreObjects': async (input, _call, { reader, vaultId }) => {
    const hardware = now();
    const store = await storeOf(reader, input.CustomKeyStoreId);
    assertStore(store.name, hardware.connection(store.id).state, 'createKey');
    const found = await objectsOf(hardware, reader, store, vaultId);
    return { Objects: found.map(({ shown }) => shown), Digest: digestOf(found), Keys: (await keysIn(reader, store.id)).length };
  },

  'hardware:EraseKeyStore': async (input, call, { writer, vaultId, afterwards }) => {
    const hardware = now();
    const store = await storeOf(writer, input.CustomKeyStoreId);
    assertStore(store.name, hardware.connection(store.id).state, 'createKey');
    const keys = await keysIn(writer, store.id);
    if (keys.length > 0) return call.fail('CustomKeyStoreHasCMKsException', `key store \`${store.name}\` has ${counted(keys.length, 'key')}; schedule their deletion first with \`keystead kms schedule-key-deletion\`, and wait until they are gone`);
    if (input.Confirm !== store.name) return call.fail('KMSInvalidStateException', `what is deleted on a token is gone for ever: type the name of the key store, \`${store.name}\`, as \`Confirm\` if you mean it; \`keystead hardware list-key-store-objects\` shows what is deleted`);
    const found = await objectsOf(hardware, writer, store, vaultId);
    if (input.Digest !== digestOf(found)) return call.fail('KMSInvalidStateException', `what would be deleted is not what \`Digest\` was given for: ${String(found.length)} objects by now; look again with \`keystead hardware list-key-store-objects\``);
    for (const { place, shown } of found.slice(0, MOST_NAMED)) call.touched(objectUri(place.token, shown.Id, shown.Label));
    writer.of(KEY_STORES).remove(store.id);
    for (const token of tokensOf(store)) await forgetPinOf(writer, token);
    const answer: { Deleted: Listed[]; Left: (Listed & { Reason: string })[] } = { Deleted: [], Left: [] };
    afterwards(async () => {
      for (const { place, shown } of found) {
        try {
          await hardware.ask(place, 'discard', { token: place.token, ids: [shown.Id] });
          answer.Deleted.push(shown);
          hardware.notRecorded.get(keyOf(place.token))?.delete(shown.Id);
        } catch (error) {
          answer.Left.push({ ...shown, Reason: error instanceof VaultError ? error.message : 'failed' });
        }
      }
      await hardware.disconnect(store).catch(() => undefined);
    });
    return answer;
  },
});
