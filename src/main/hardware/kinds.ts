/** What this domain keeps in the store: modules that their owner agreed to, and key stores. Never a PIN. */
import { instant, type Instant } from '../../shared/model/ids.ts';
import { indexedKind } from '../store/collection.ts';
import { encodeJson, malformed, readFields } from '../store/strict.ts';

export interface ModuleRecord {
  /** Real path of the library. */
  readonly path: string;
  /** SHA-256 of the file that was agreed to, hex. */
  readonly sha256: string;
  readonly added: Instant;
  /** For C_Initialize. */
  readonly parameters?: string;
}

/** One key store: one token, found by what is printed on it. */
export interface KeyStoreRecord {
  /** `cks-` and 17 hexadecimal digits. */
  readonly id: string;
  readonly name: string;
  /** Path of the module. */
  readonly module: string;
  readonly serial: string;
  readonly label: string;
  readonly created: Instant;
}

const isTime = (value: unknown): value is number => typeof value === 'number' && Number.isFinite(value);
const isText = (value: unknown): value is string => typeof value === 'string';

export const MODULES = indexedKind<ModuleRecord, ModuleRecord>({
  table: 'modules',
  schema: 1,
  what: 'a module',
  key: ({ path }) => path,
  encode: encodeJson,
  decode(_schema, plain) {
    const { path, sha256, added, parameters } = readFields('modules', plain, ['path', 'sha256', 'added'], ['parameters']);
    if (!isText(path) || !isText(sha256) || !/^[0-9a-f]{64}$/.test(sha256) || !isTime(added) || !(parameters === undefined || isText(parameters))) throw malformed('modules');
    return { path, sha256, added: instant(added), ...(parameters === undefined ? {} : { parameters }) };
  },
  entry: (record) => record,
});

export const KEY_STORES = indexedKind<KeyStoreRecord, KeyStoreRecord>({
  table: 'key_stores',
  schema: 1,
  what: 'a key store',
  key: ({ id }) => id,
  encode: encodeJson,
  decode(_schema, plain) {
    const { id, name, module, serial, label, created } = readFields('key_stores', plain, ['id', 'name', 'module', 'serial', 'label', 'created'], []);
    if (!isText(id) || !/^cks-[0-9a-f]{17}$/.test(id) || !isText(name) || !isText(module) || !isText(serial) || !isText(label) || !isTime(created)) throw malformed('key_stores');
    return { id, name, module, serial, label, created: instant(created) };
  },
  entry: (record) => record,
});
