/** What this domain keeps in the store. */
import { isAccessKeyId, isClientName, instant } from '../../shared/model/ids.ts';
import { indexedKind } from '../store/collection.ts';
import { encodeJson, malformed, readFields } from '../store/strict.ts';
import type { AuthorityRecord, ClientRecord } from './client.ts';

const BASE64 = /^(?:[A-Za-z0-9+/]{4})+(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;
const isBase64 = (value: unknown): value is string => typeof value === 'string' && BASE64.test(value);
const isTime = (value: unknown): value is number => typeof value === 'number' && Number.isFinite(value);

/** Everything but the sealed secret is in memory while unlocked: a request is looked up by its access key. */
export type ClientEntry = Omit<ClientRecord, 'name' | 'sealed'>;

export const CLIENTS = indexedKind<ClientRecord, ClientEntry>({
  table: 'clients',
  schema: 1,
  what: 'a client',
  key: ({ name }) => name,
  encode: encodeJson,
  decode(_schema, plain) {
    const { name, role, created, accessKeyId, sealed, keyCreated } = readFields('clients', plain, ['name', 'role', 'created', 'accessKeyId', 'sealed', 'keyCreated'], []);
    if (
      !(typeof name === 'string' && isClientName(name)) ||
      !(role === 'user' || role === 'administrator') ||
      !(typeof accessKeyId === 'string' && isAccessKeyId(accessKeyId)) ||
      !isBase64(sealed) ||
      !isTime(created) ||
      !isTime(keyCreated)
    ) {
      throw malformed('clients');
    }
    return { name, role, created: instant(created), accessKeyId, sealed, keyCreated: instant(keyCreated) };
  },
  entry: ({ role, created, accessKeyId, keyCreated }) => ({ role, created, accessKeyId, keyCreated }),
});

export const AUTHORITIES = indexedKind<AuthorityRecord, { readonly created: number }>({
  table: 'certificates',
  schema: 1,
  what: 'a certificate authority',
  key: ({ name }) => name,
  encode: encodeJson,
  decode(_schema, plain) {
    const { name, certificate, publicKey, sealed, created } = readFields('certificates', plain, ['name', 'certificate', 'publicKey', 'sealed', 'created'], []);
    if (typeof name !== 'string' || name === '' || !isBase64(certificate) || !isBase64(publicKey) || !isBase64(sealed) || !isTime(created)) throw malformed('certificates');
    return { name, certificate, publicKey, sealed, created: instant(created) };
  },
  entry: ({ created }) => ({ created }),
});
