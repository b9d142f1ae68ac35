/** What a file is, found by its content, and what is in it. Pure. */
import { isObject } from '../../shared/wire/json.ts';
import { isBitwarden, parseBitwarden } from './bitwarden.ts';
import { csvFormat, parseCsv } from './csv-exports.ts';
import { parseDotenv } from './dotenv.ts';
import { parseMembers, readJson, readJsonDocuments } from './json.ts';
import { parseKeePass } from './keepass.ts';
import { isItem, parseOnePassword } from './onepassword.ts';
import { ImportFailure, MOST_ENTRIES, MOST_FIELDS, MOST_NAME, type Parsed, type ParsedEntry } from './parsed.ts';
import { textOf } from './text.ts';
import { parseYaml } from './yaml.ts';

const NOTHING = 'there is nothing in it';
const ASSIGNMENT = /^(?:export[ \t]+)?[A-Za-z_][A-Za-z0-9_.-]*[ \t]*=/;
const YAML_BEGINNING = /^(?:---|%YAML|- |[^\s#&*!|>%@`{}[\],][^\n]*?:(?:\s|$)|"[^"\n]*":\s|'[^'\n]*':\s)/;

function parseJsonFamily(text: string): Parsed {
  const first = text.trimStart().charAt(0);
  const document = first === '[' ? readJson(text) : undefined;
  const documents = document === undefined ? readJsonDocuments(text) : Array.isArray(document) ? (document as readonly unknown[]) : [];
  const objects = documents.filter(isObject);
  const [only] = objects;
  if (!only) throw new ImportFailure(documents.length === 0 ? NOTHING : 'the outermost thing must be an object of names and values');
  if (objects.length === documents.length && isItem(only)) return parseOnePassword(objects);
  if (documents.length > 1 || first === '[') throw new ImportFailure('it is a list, and not one of items of 1Password’s `op`: give an object of names and values');
  return isBitwarden(only) ? parseBitwarden(only) : parseMembers('json', only);
}

function recognised(text: string): Parsed {
  const beginning = text.trimStart();
  if (beginning === '') throw new ImportFailure(NOTHING);
  if (beginning.startsWith('<')) return parseKeePass(text);
  if (beginning.startsWith('{') || beginning.startsWith('[')) return parseJsonFamily(text);
  if (csvFormat(text) !== undefined) return parseCsv(text);
  const lines = text.split(/\r\n?|\n/);
  const line = lines.findIndex((one) => one.trim() !== '' && !one.trimStart().startsWith('#'));
  if (line === -1) throw new ImportFailure(NOTHING);
  const content = (lines[line] ?? '').trimStart();
  if (ASSIGNMENT.test(content)) return parseDotenv(text);
  if (YAML_BEGINNING.test(content)) return parseYaml(text);
  throw new ImportFailure('it is no `.env`, JSON, YAML, or export of 1Password, Bitwarden or KeePass that Keystead knows', line + 1);
}

/** What no reader lets through, whichever it is. */
function checked(parsed: Parsed): Parsed {
  const { entries } = parsed;
  if (entries.length === 0) throw new ImportFailure(NOTHING);
  if (entries.length > MOST_ENTRIES) throw new ImportFailure(`it has more than ${String(MOST_ENTRIES)} entries: divide it`);
  const refuse = (why: string, { line }: ParsedEntry): never => {
    throw new ImportFailure(why, line);
  };
  let fields = 0;
  for (const entry of entries) {
    fields += entry.fields.length;
    if (fields > MOST_FIELDS) refuse(`it has more than ${String(MOST_FIELDS)} values: divide it`, entry);
    for (const part of entry.path) if (!part.isWellFormed()) refuse('a name has half a character (a lone surrogate)', entry);
    for (const { name, value } of entry.fields) {
      if (name === '') refuse('a name is empty', entry);
      if (name.length > MOST_NAME) refuse(`a name is longer than ${String(MOST_NAME)}`, entry);
      if (name.includes('\0') || value.includes('\0')) refuse('a value has a NUL, which no text has', entry);
      if (!name.isWellFormed() || !value.isWellFormed()) refuse('a value has half a character (a lone surrogate)', entry);
    }
  }
  return parsed;
}

/** Throws ImportFailure. */
export function parseImport(bytes: Uint8Array): Parsed {
  try {
    return checked(recognised(textOf(bytes)));
  } catch (error) {
    if (error instanceof RangeError) throw new ImportFailure('it is nested too deep');
    throw error;
  }
}
