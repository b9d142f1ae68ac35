/** Bitwarden's JSON export, of a person or an organisation, not encrypted. Source: bitwarden.com/help/condition-bitwarden-import, "Condition a JSON". */
import { isObject } from '../../shared/wire/json.ts';
import { objectIn, objectsIn, textIn, type Members } from './json.ts';
import type { ImportNote } from '../../shared/model/import-formats.ts';
import { distinct, ImportFailure, textField, type Parsed, type ParsedField } from './parsed.ts';
import { seedField } from './one-time-seed.ts';

export const isBitwarden = (document: Members): boolean => typeof document['encrypted'] === 'boolean' && (Array.isArray(document['items']) || document['encrypted'] || 'encKeyValidation_DO_NOT_EDIT' in document);

/** Of a custom field: its value is another field's. */
const LINKED = 3;

const textsIn = (members: Members): readonly ParsedField[] => Object.entries(members).flatMap(([name, value]) => (typeof value === 'string' && value !== '' ? [textField(name, value)] : []));

function fieldsOf(item: Members): readonly ParsedField[] {
  const login = objectIn(item, 'login');
  const seed = seedField(textIn(login, 'totp'));
  const custom = objectsIn(item, 'fields').flatMap((field) => {
    const value = textIn(field, 'value');
    return field['type'] === LINKED || value === '' ? [] : [textField(textIn(field, 'name') || 'field', value)];
  });
  return distinct([
    ...['username', 'password'].flatMap((name) => (textIn(login, name) === '' ? [] : [textField(name, textIn(login, name))])),
    ...(seed ? [seed] : []),
    ...objectsIn(login, 'uris').flatMap((uri) => (textIn(uri, 'uri') === '' ? [] : [textField('url', textIn(uri, 'uri'))])),
    ...textsIn(objectIn(item, 'card')),
    ...textsIn(objectIn(item, 'identity')),
    ...textsIn(objectIn(item, 'sshKey')),
    ...custom,
    ...(textIn(item, 'notes') === '' ? [] : [textField('notes', textIn(item, 'notes'))]),
  ]);
}

export function parseBitwarden(document: Members): Parsed {
  if (document['encrypted'] !== false) throw new ImportFailure('bitwarden-encrypted');
  const folders = new Map([...objectsIn(document, 'folders'), ...objectsIn(document, 'collections')].map((folder) => [textIn(folder, 'id'), textIn(folder, 'name')]));
  const notes = new Set<ImportNote>();
  const items = document['items'];
  if (!Array.isArray(items) || !items.every(isObject)) throw new ImportFailure('bitwarden-without-items');
  const entries = items.flatMap((item) => {
    if (objectsIn(item, 'passwordHistory').length > 0) notes.add('history-left');
    if (objectsIn(item, 'attachments').length > 0) notes.add('attachments-left');
    if (objectsIn(objectIn(item, 'login'), 'fido2Credentials').length > 0) notes.add('passkeys-left');
    if (textIn(item, 'deletedDate') !== '') {
      notes.add('deleted-left');
      return [];
    }
    const fields = fieldsOf(item);
    if (fields.some(({ name }) => name === 'one-time-code')) notes.add('unusual-one-time-codes');
    if (fields.length === 0) {
      notes.add('empty-left');
      return [];
    }
    const [collection] = Array.isArray(item['collectionIds']) ? (item['collectionIds'] as readonly unknown[]) : [];
    const folder = folders.get(textIn(item, 'folderId')) ?? (typeof collection === 'string' ? folders.get(collection) : undefined) ?? '';
    return [{ path: [...folder.split('/').filter((part) => part !== ''), textIn(item, 'name')], fields }];
  });
  return { format: 'bitwarden-json', shape: 'entries', entries, notes: [...notes] };
}
