/**
 * `.env` files: `NAME=value` lines, `export` in front, `#` comments. Grammar: dotenv (github.com/motdotla/dotenv, README "Rules"), with the
 * escapes of its double quotes that python-dotenv and Ruby's dotenv have too (`\n \r \t \" \\ \$`). Values in `'` and `` ` `` are taken as they
 * stand, all three kinds of quote may go over lines. `${NAME}` is not expanded: what it would be depends on where it runs.
 */
import { ImportFailure, textField, type Parsed, type ParsedField } from './parsed.ts';
import { lineAt } from './text.ts';

const NAME = /^(?:export[ \t]+)?([A-Za-z_][A-Za-z0-9_.-]*)[ \t]*=[ \t]*/;
const ESCAPES: Readonly<Record<string, string>> = { n: '\n', r: '\r', t: '\t', '"': '"', '\\': '\\', $: '$' };
const REFERENCE = /\$\{?[A-Za-z_]/;

const lineEnd = (text: string, from: number): number => {
  const end = text.indexOf('\n', from);
  return end === -1 ? text.length : end;
};

/** The index of the quote that ends what begins after `from`. */
function closing(text: string, quote: string, from: number): number {
  for (let at = from + 1; at < text.length; at++) {
    if (quote === '"' && text.charAt(at) === '\\') at++;
    else if (text.charAt(at) === quote) return at;
  }
  throw new ImportFailure('quote-open', lineAt(text, from));
}

const unescaped = (text: string): string => text.replace(/\\(.)/gs, (whole, one: string) => ESCAPES[one] ?? whole);

/** Without a comment behind it, which stands after a space. */
const plain = (line: string): string => line.replace(/(?:^|[ \t]+)#.*$/, '').trim();

export function parseDotenv(given: string): Parsed {
  const text = given.replace(/\r\n?/g, '\n');
  const fields: ParsedField[] = [];
  let references = false;
  let line = 1;
  for (let at = 0; at < text.length; ) {
    const end = lineEnd(text, at);
    const content = text.slice(at, end).trim();
    if (content === '' || content.startsWith('#')) {
      at = end + 1;
      line++;
      continue;
    }
    const indent = text.slice(at, end).length - text.slice(at, end).trimStart().length;
    const head = NAME.exec(text.slice(at + indent, end));
    if (!head) throw new ImportFailure('no-assignment', line);
    const [whole, name = ''] = head;
    const from = at + indent + whole.length;
    const quote = text.charAt(from);
    if (from < end && (quote === '"' || quote === "'" || quote === '`')) {
      const close = closing(text, quote, from);
      const raw = text.slice(from + 1, close);
      const after = lineEnd(text, close);
      const rest = text.slice(close + 1, after).trim();
      if (rest !== '' && !rest.startsWith('#')) throw new ImportFailure('behind-quote', lineAt(text, close));
      references ||= quote === '"' && REFERENCE.test(raw.replace(/\\./gs, ''));
      fields.push(textField(name, quote === '"' ? unescaped(raw) : raw));
      at = after + 1;
      line += text.slice(from, after).split('\n').length;
    } else {
      const value = plain(text.slice(from, end));
      references ||= REFERENCE.test(value);
      fields.push(textField(name, value));
      at = end + 1;
      line++;
    }
  }
  if (fields.length === 0) throw new ImportFailure('no-assignments');
  return { format: 'dotenv', shape: 'fields', entries: [{ path: [], fields }], notes: references ? ['references-unexpanded'] : [] };
}
