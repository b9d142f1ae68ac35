/**
 * KeePass's XML export (2.x), of KeePassXC too. No document type and no entities but XML's own five and characters by number: a file with
 * others is refused before it is parsed. Source: keepass.info "Import / Export", KeePassXC's KdbxXmlWriter.
 */
import { XMLParser, XMLValidator } from 'fast-xml-parser';
import { isObject } from '../../shared/wire/json.ts';
import type { ImportNote } from '../../shared/model/import-formats.ts';
import { MOST_ELEMENTS_DEEP } from './limits.ts';
import { distinct, ImportFailure, textField, type Parsed, type ParsedEntry, type ParsedField } from './parsed.ts';
import { lineAt } from './text.ts';
import { oneTimeAddress, SEED_NAME } from './one-time-seed.ts';
import { objectsIn, type Members } from './json.ts';

const LISTS: ReadonlySet<string> = new Set(['Group', 'Entry', 'String', 'Binary']);
const ENTITIES: ReadonlyMap<string, string> = new Map([['lt', '<'], ['gt', '>'], ['amp', '&'], ['quot', '"'], ['apos', "'"]]);
const FIELD_NAMES: ReadonlyMap<string, string> = new Map([['UserName', 'username'], ['Password', 'password'], ['URL', 'url'], ['Notes', 'notes']]);

function decoded(text: string): string {
  return text.replace(/&([^;&]{1,12});|&/g, (_whole, name?: string) => {
    const own = name === undefined ? undefined : ENTITIES.get(name);
    if (own !== undefined) return own;
    const [, hex, decimal] = /^#(?:x([0-9a-fA-F]{1,6})|(\d{1,7}))$/.exec(name ?? '') ?? [];
    const code = hex === undefined ? Number(decimal) : Number.parseInt(hex, 16);
    if (!(code > 0 && code <= 0x10ffff) || (code >= 0xd800 && code <= 0xdfff)) throw new ImportFailure('xml-entity');
    return String.fromCodePoint(code);
  });
}

/** Of an element that is text, with or without attributes. */
const textOf = (value: unknown): string => (typeof value === 'string' ? decoded(value) : isObject(value) && typeof value['#text'] === 'string' ? decoded(value['#text']) : '');

/** KeePassXC's `otp`, KeePass 2.47's `TimeOtp-…`, the plug-ins' `TOTP Seed` and `TOTP Settings`: all into one field. */
function withSeed(fields: readonly ParsedField[]): readonly ParsedField[] {
  const of = (name: string): string => fields.find((field) => field.name === name)?.value ?? '';
  const [period = '', digits = ''] = of('TOTP Settings').split(/[;,]/);
  const address = oneTimeAddress(of('otp')) ?? oneTimeAddress(of('TimeOtp-Secret-Base32'), { algorithm: of('TimeOtp-Algorithm'), digits: of('TimeOtp-Length'), period: of('TimeOtp-Period') }) ?? (/^\d*$/.test(digits) ? oneTimeAddress(of('TOTP Seed'), { period, digits }) : undefined);
  if (address === undefined) return fields;
  const source = new Set(['otp', 'TimeOtp-Secret-Base32', 'TimeOtp-Algorithm', 'TimeOtp-Length', 'TimeOtp-Period', 'TOTP Seed', 'TOTP Settings']);
  return [...fields.filter(({ name }) => !source.has(name)), textField(SEED_NAME, address)];
}

function entryOf(entry: Members, folders: readonly string[]): ParsedEntry | undefined {
  let title = '';
  const fields: ParsedField[] = [];
  for (const one of objectsIn(entry, 'String')) {
    const key = textOf(one['Key']);
    const given = one['Value'];
    if (isObject(given) && given['@Protected'] === 'True') throw new ImportFailure('keepass-encrypted');
    const value = textOf(given);
    if (key === 'Title') title = value;
    else if (value !== '') fields.push(textField(FIELD_NAMES.get(key) ?? (key || 'field'), value));
  }
  return fields.length === 0 ? undefined : { path: [...folders, title], fields: distinct(withSeed(fields)) };
}

export function parseKeePass(text: string): Parsed {
  const declared = /<!(?:DOCTYPE|ENTITY|ELEMENT|ATTLIST)/i.exec(text);
  if (declared) throw new ImportFailure('xml-document-type', lineAt(text, declared.index));
  // eslint-disable-next-line @typescript-eslint/no-deprecated -- its successor is a package of its own, for the same function
  const valid = XMLValidator.validate(text);
  if (valid !== true) throw new ImportFailure('xml-malformed', valid.err.line);
  let document: unknown;
  try {
    document = new XMLParser({
      ignoreAttributes: false,
      attributeNamePrefix: '@',
      parseTagValue: false,
      parseAttributeValue: false,
      trimValues: false,
      processEntities: false,
      ignoreDeclaration: true,
      ignorePiTags: true,
      maxNestedTags: MOST_ELEMENTS_DEEP,
      isArray: (name) => LISTS.has(name),
    }).parse(text);
  } catch {
    throw new ImportFailure('xml-too-deep');
  }
  const file = isObject(document) ? document['KeePassFile'] : undefined;
  if (!isObject(file)) throw new ImportFailure('keepass-root');
  const bin = isObject(file['Meta']) && textOf(file['Meta']['RecycleBinEnabled']) !== 'False' ? textOf(file['Meta']['RecycleBinUUID']) : '';
  const notes = new Set<ImportNote>();
  const entries: ParsedEntry[] = [];
  const visit = (group: Members, folders: readonly string[]): void => {
    if (bin !== '' && textOf(group['UUID']) === bin) {
      if (objectsIn(group, 'Entry').length > 0 || objectsIn(group, 'Group').length > 0) notes.add('deleted-left');
      return;
    }
    for (const entry of objectsIn(group, 'Entry')) {
      if (objectsIn(entry, 'Binary').length > 0) notes.add('attachments-left');
      if (isObject(entry['History']) && objectsIn(entry['History'], 'Entry').length > 0) notes.add('history-left');
      const one = entryOf(entry, folders);
      if (one) entries.push(one);
      else notes.add('empty-left');
    }
    for (const child of objectsIn(group, 'Group')) visit(child, [...folders, textOf(child['Name'])]);
  };
  // The outermost group is the database: its name is no folder of it.
  const root = file['Root'];
  for (const group of isObject(root) ? objectsIn(root, 'Group') : []) visit(group, []);
  return { format: 'keepass-xml', shape: 'entries', entries, notes: [...notes] };
}
