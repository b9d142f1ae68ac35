/** What handlers of remotes are given: the way to one, and where its credentials are kept. The sealer alone has the secret access key. */
import { base64ToBytes, bytesToBase64 } from '../../shared/wire/base64.ts';
import { fromHex } from '../crypto/bytes.ts';
import type { Egress } from '../egress/port.ts';
import { createRemotes } from '../egress/remotes.ts';
import type { RemotePorts } from '../operations/secret-remotes.ts';
import type { RemoteRecord, Remotes } from '../secrets/remote-port.ts';
import { openOrThrow, type Vault } from '../vault/vault.ts';

/** What the sealer keeps them as: no client's access key has this form. */
const keptAs = ({ name, accessKeyId }: Pick<RemoteRecord, 'name' | 'accessKeyId'>): string => `remote/${name}/${accessKeyId}`;
const keptBytes = (text: string): Uint8Array => base64ToBytes(text) ?? fromHex('');

/** `remotes`: in place of real ones. */
export function createRemotePorts({ vault, egress, now, remotes }: { readonly vault: () => Vault; readonly egress: Egress; readonly now: () => number; readonly remotes: Remotes | undefined }): RemotePorts {
  const sealer = () => openOrThrow(vault()).sealer;
  return {
    remotes: remotes ?? createRemotes({
      egress,
      now,
      signingKey: async (remote, scope) =>
        await sealer().call('signingKey', {
          accessKeyId: keptAs(remote),
          sealed: keptBytes(remote.sealed),
          ...(remote.sealedToken === undefined ? {} : { sessionToken: keptBytes(remote.sealedToken) }),
          scope,
        }),
    }),
    async keepRemoteKey(remote, given, sessionToken) {
      const accessKeyId = keptAs(remote);
      const { sealed, secret } = await given.borrow((bytes) => sealer().call('newAccessKey', { accessKeyId, secret: bytes }));
      secret.fill(0);
      if (!sessionToken) return { sealed: bytesToBase64(sealed) };
      const token = await sessionToken.borrow((bytes) => sealer().call('keepSessionToken', { accessKeyId, sessionToken: bytes }));
      return { sealed: bytesToBase64(sealed), sealedToken: bytesToBase64(token.sealed) };
    },
  };
}
