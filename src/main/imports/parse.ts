/** What a file is, found by its content, and what is in it. Pure. */
import { isObject } from '../../shared/wire/json.ts';
import { isBitwarden, parseBitwarden } from './bitwarden.ts';
import { csvFormat, parseCsv } from './csv-exports.ts';
import { parseDotenv } from './dotenv.ts';
import { parseMembers, readJson, readJsonDocuments } from './json.ts';
import { parseKeePass } from './keepass.ts';
import { isItem, parseOnePassword } from './onepassword.ts';
import { MOST_ENTRIES, MOST_FIELDS, MOST_NAME } from './limits.ts';
import { ImportFailure, type Parsed, type ParsedEntry } from './parsed.ts';
import type { Reason } from './reasons.ts';
import { textOf } from './text.ts';
import { parseYaml } from './yaml.ts';

const ASSIGNMENT = /^(?:export[ \t]+)?[A-Za-z_][A-Za-z0-9_.-]*[ \t]*=/;
const YAML_BEGINNING = /^(?:---|%YAML|- |[^\s#&*!|>%@`{}[\],][^\n]*?:(?:\s|$)|"[^"\n]*":\s|'[^'\n]*':\s)/;

/** Mostly it is one. Whatever else it is is told where its documents are taken apart. */
function readJsonObjects(text: string): readonly unknown[] {
  try {
    return [readJson(text)];
  } catch (error) {
    if (error instanceof ImportFailure) return readJsonDocuments(text);
    throw error;
  }
}

function parseJsonFamily(text: string): Parsed {
  const first = text.trimStart().charAt(0);
  const document = first === '[' ? readJson(text) : undefined;
  const documents = document === undefined ? readJsonObjects(text) : Array.isArray(document) ? (document as readonly unknown[]) : [];
  const objects = documents.filter(isObject);
  const [only] = objects;
  if (!only) throw new ImportFailure(documents.length === 0 ? 'nothing' : 'no-object');
  if (objects.length === documents.length && isItem(only)) return parseOnePassword(objects);
  if (documents.length > 1 || first === '[') throw new ImportFailure('json-list');
  return isBitwarden(only) ? parseBitwarden(only) : parseMembers('json', only);
}

function recognised(text: string): Parsed {
  const beginning = text.trimStart();
  if (beginning === '') throw new ImportFailure('nothing');
  if (beginning.startsWith('<')) return parseKeePass(text);
  if (beginning.startsWith('{') || beginning.startsWith('[')) return parseJsonFamily(text);
  if (csvFormat(text) !== undefined) return parseCsv(text);
  const lines = text.split(/\r\n?|\n/);
  const line = lines.findIndex((one) => one.trim() !== '' && !one.trimStart().startsWith('#'));
  if (line === -1) throw new ImportFailure('nothing');
  const content = (lines[line] ?? '').trimStart();
  if (ASSIGNMENT.test(content)) return parseDotenv(text);
  if (YAML_BEGINNING.test(content)) return parseYaml(text);
  throw new ImportFailure('unknown', line + 1);
}

/** What no reader lets through, whichever it is. */
function checked(parsed: Parsed): Parsed {
  const { entries } = parsed;
  if (entries.length === 0) throw new ImportFailure('nothing');
  if (entries.length > MOST_ENTRIES) throw new ImportFailure('too-many-entries');
  const refuse = (reason: Reason, { line }: ParsedEntry): never => {
    throw new ImportFailure(reason, line);
  };
  let fields = 0;
  for (const entry of entries) {
    fields += entry.fields.length;
    if (fields > MOST_FIELDS) refuse('too-many-values', entry);
    for (const part of entry.path) if (!part.isWellFormed()) refuse('name-half-character', entry);
    for (const { name, value } of entry.fields) {
      if (name === '') refuse('name-empty', entry);
      if (name.length > MOST_NAME) refuse('name-too-long', entry);
      if (name.includes('\0') || value.includes('\0')) refuse('value-nul', entry);
      if (!name.isWellFormed() || !value.isWellFormed()) refuse('value-half-character', entry);
    }
  }
  return parsed;
}

/** Throws ImportFailure. */
export function parseImport(bytes: Uint8Array): Parsed {
  try {
    return checked(recognised(textOf(bytes)));
  } catch (error) {
    if (error instanceof RangeError) throw new ImportFailure('too-deep');
    throw error;
  }
}
