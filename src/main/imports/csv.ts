/** Comma-separated values. RFC 4180, with line ends of any kind; KeePass 1.x writes `\"` and `\\` where the RFC has `""`. */
import { ImportFailure } from './parsed.ts';

export interface CsvRow {
  /** From 1: where it begins. */
  readonly line: number;
  readonly cells: readonly string[];
}

/** `most`: no more rows than these are read. A quote that is never closed, or something behind one that is, is an ImportFailure. */
export function readCsv(text: string, { backslashes = false, most = Infinity }: { readonly backslashes?: boolean; readonly most?: number } = {}): readonly CsvRow[] {
  const rows: CsvRow[] = [];
  let line = 1;
  let at = 0;
  while (at < text.length && rows.length < most) {
    const begun = line;
    const cells: string[] = [];
    for (;;) {
      let cell = '';
      if (text.charAt(at) === '"') {
        const opened = line;
        for (at++; ; ) {
          if (at >= text.length) throw new ImportFailure('quote-open', opened);
          const stop = nextOf(text, at, backslashes);
          cell += text.slice(at, stop);
          for (let index = text.indexOf('\n', at); index !== -1 && index < stop; index = text.indexOf('\n', index + 1)) line++;
          at = stop;
          if (at >= text.length) continue;
          const escaped = backslashes ? text.charAt(at) === '\\' : text.charAt(at) === '"' && text.charAt(at + 1) === '"';
          if (!escaped) break;
          cell += text.charAt(at + 1);
          at += 2;
        }
        at++;
        if (at < text.length && !/[,\r\n]/.test(text.charAt(at))) throw new ImportFailure('behind-quote', line);
      } else {
        const start = at;
        while (at < text.length && !/[,\r\n]/.test(text.charAt(at))) at++;
        cell = text.slice(start, at);
        if (cell.includes('"')) throw new ImportFailure('quote-within', line);
      }
      cells.push(cell);
      if (text.charAt(at) !== ',') break;
      at++;
    }
    if (text.charAt(at) === '\r') at++;
    if (text.charAt(at) === '\n') at++;
    line++;
    if (cells.length > 1 || cells[0] !== '') rows.push({ line: begun, cells });
  }
  return rows;
}

function nextOf(text: string, from: number, backslashes: boolean): number {
  const quote = text.indexOf('"', from);
  const end = quote === -1 ? text.length : quote;
  if (!backslashes) return end;
  const slash = text.indexOf('\\', from);
  return slash === -1 || slash > end ? end : slash;
}
