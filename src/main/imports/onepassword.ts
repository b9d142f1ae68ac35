/**
 * 1Password's command line: `op item get NAME --format json`, one or many documents, or a list of them. Source:
 * developer.1password.com/docs/cli/item-template-json and the output of `op` 2.
 */
import { objectIn, objectsIn, textIn, type Members } from './json.ts';
import type { ImportNote } from '../../shared/model/import-formats.ts';
import { distinct, ImportFailure, textField, type Parsed, type ParsedField } from './parsed.ts';
import { seedField } from './one-time-seed.ts';

/** What every item of `op` has, with or without its fields. */
export const isItem = (item: Members): boolean => typeof item['id'] === 'string' && typeof item['title'] === 'string' && typeof item['category'] === 'string' && typeof objectIn(item, 'vault')['id'] === 'string';

const NAMES: ReadonlyMap<string, string> = new Map([['USERNAME', 'username'], ['PASSWORD', 'password'], ['NOTES', 'notes']]);

function fieldOf(field: Members): ParsedField | undefined {
  const value = textIn(field, 'value');
  if (value === '') return undefined;
  if (field['type'] === 'OTP') return seedField(value);
  const label = textIn(field, 'label') || textIn(field, 'id');
  const section = textIn(objectIn(field, 'section'), 'label');
  const name = NAMES.get(textIn(field, 'purpose')) ?? label;
  return textField(section === '' ? name || 'field' : `${section}/${name}`, value);
}

export function parseOnePassword(items: readonly Members[]): Parsed {
  if (!items.some((item) => Array.isArray(item['fields']))) {
    throw new ImportFailure('op-without-values');
  }
  const notes = new Set<ImportNote>();
  const entries = items.flatMap((item) => {
    if (!isItem(item)) throw new ImportFailure('op-others');
    if (objectsIn(item, 'files').length > 0) notes.add('attachments-left');
    const fields = objectsIn(item, 'fields').flatMap((field) => fieldOf(field) ?? []);
    if (fields.some(({ name }) => name === 'one-time-code')) notes.add('unusual-one-time-codes');
    const urls = objectsIn(item, 'urls').map((url) => textIn(url, 'href')).filter((url) => url !== '');
    const all = [...fields, ...urls.map((url) => textField('url', url))];
    if (all.length === 0) {
      notes.add('empty-left');
      return [];
    }
    return [{ path: [textIn(objectIn(item, 'vault'), 'name'), textIn(item, 'title')].filter((part) => part !== ''), fields: distinct(all) }];
  });
  return { format: '1password-json', shape: 'entries', entries, notes: [...notes] };
}
