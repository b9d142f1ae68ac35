/** Reads the memory of other processes, as root, and looks for many patterns at once. */
import { closeSync, openSync, readFileSync, readSync } from 'node:fs';
import type { Form, Pattern } from './needles.ts';

export interface Hit {
  readonly pid: number;
  readonly needle: string;
  readonly form: Form;
  readonly address: number;
  /** What the kernel says is mapped there. */
  readonly mapping: string;
  /** What stands around it, printable characters only: for finding out who left it. */
  readonly around: string;
}

export interface Scan {
  readonly hits: readonly Hit[];
  /** Bytes that were read. */
  readonly bytes: number;
}

interface Mapping {
  readonly start: number;
  readonly end: number;
  readonly name: string;
}

const WINDOW = 1024 * 1024;
const PAGE = 4096;

/** Every readable mapping but the kernel's own pages. */
function mappings(pid: number): readonly Mapping[] {
  const lines = readFileSync(`/proc/${String(pid)}/maps`, 'utf8').split('\n');
  return lines.flatMap((line) => {
    const match = /^([0-9a-f]+)-([0-9a-f]+) r\S+ \S+ \S+ \S+ *(.*)$/.exec(line);
    const [, start = '', end = '', name = ''] = match ?? [];
    return !match || name === '[vvar]' || name === '[vsyscall]' ? [] : [{ start: Number.parseInt(start, 16), end: Number.parseInt(end, 16), name: name === '' ? '[anonymous]' : name }];
  });
}

/** Says so when it may not: a scan that sees nothing must not look like one that found nothing. */
export function demandRoot(): void {
  if (process.platform !== 'linux' || process.geteuid?.() !== 0) {
    throw new Error('this test reads the memory of other processes: run it as root on Linux (`sudo npx vitest run --project system`)');
  }
}

/** Whether any page of the range is in memory or in swap (bits 63 and 62 of its entry): an address space is mostly empty. */
function hasPages(pagemap: number, start: number, end: number): boolean {
  const first = Math.floor(start / PAGE);
  const entries = Buffer.alloc((Math.ceil(end / PAGE) - first) * 8);
  if (readSync(pagemap, entries, 0, entries.length, first * 8) !== entries.length) return true;
  for (let at = 7; at < entries.length; at += 8) if (entries[at]! >= 0x40) return true;
  return false;
}

/** `visit` gets each window with the address of its first byte; windows of one mapping overlap by `overlap` bytes. */
export function readMemory(pid: number, overlap: number, visit: (window: Buffer, address: number, mapping: Mapping) => void): number {
  demandRoot();
  const window = Buffer.allocUnsafeSlow(WINDOW);
  const memory = openSync(`/proc/${String(pid)}/mem`, 'r');
  const pagemap = openSync(`/proc/${String(pid)}/pagemap`, 'r');
  let total = 0;
  try {
    for (const mapping of mappings(pid)) {
      for (let at = mapping.start; at < mapping.end; ) {
        let length = Math.min(WINDOW, mapping.end - at);
        if (!hasPages(pagemap, at, at + length)) {
          at += length === mapping.end - at ? length : length - overlap;
          continue;
        }
        try {
          length = readSync(memory, window, 0, length, at);
        } catch (error) {
          // A page that went away since, or one of a device: EIO. Everything else is a failure of the scan.
          if ((error as NodeJS.ErrnoException).code !== 'EIO') throw error;
          break;
        }
        visit(window.subarray(0, length), at, mapping);
        total += length;
        if (at + length >= mapping.end) break;
        at += Math.max(1, length - overlap);
      }
    }
  } finally {
    closeSync(memory);
    closeSync(pagemap);
    window.fill(0);
  }
  return total;
}

const BITS = 32 - 20;

/** Calls `found` for each place in `bytes`. By the first four bytes of each pattern, so that one pass serves thousands. */
function matcher(patterns: readonly Pattern[]): (bytes: Buffer, found: (pattern: Pattern, at: number) => void) => void {
  const marked = new Uint8Array(1 << (32 - BITS));
  const byWord = new Map<number, Pattern[]>();
  for (const pattern of patterns) {
    const word = Buffer.from(pattern.bytes.subarray(0, 4)).readInt32LE();
    marked[Math.imul(word, 0x9e3779b1) >>> BITS] = 1;
    byWord.set(word, [...(byWord.get(word) ?? []), pattern]);
  }
  return (bytes, found) => {
    let word = 0;
    for (let at = 0; at < bytes.length; at++) {
      word = (word >>> 8) | (bytes[at]! << 24);
      if (marked[Math.imul(word, 0x9e3779b1) >>> BITS] === 0 || at < 3) continue;
      for (const pattern of byWord.get(word) ?? []) {
        const start = at - 3;
        const end = start + pattern.bytes.length;
        if (end <= bytes.length && bytes.compare(pattern.bytes, 0, pattern.bytes.length, start, end) === 0) found(pattern, start);
      }
    }
  };
}

/** Looks in bytes that are at hand: files, arguments. What it finds, in words. */
export function finder(patterns: readonly Pattern[]): (bytes: Buffer) => readonly string[] {
  const match = matcher(patterns);
  return (bytes) => {
    const found = new Set<string>();
    match(bytes, ({ needle, form }) => found.add(`${needle} as ${form}`));
    return [...found];
  };
}

export function scan(pid: number, patterns: readonly Pattern[]): Scan {
  const match = matcher(patterns);
  const longest = Math.max(...patterns.map(({ bytes }) => bytes.length));
  const found = new Map<string, Hit>();
  const bytes = readMemory(pid, longest, (window, address, { name }) => {
    match(window, ({ needle, form, bytes: pattern }, start) => {
      const around = window.toString('latin1', Math.max(0, start - 64), start + pattern.length + 64).replace(/[^ -~]/g, '.');
      // Windows overlap: the same place may be seen twice.
      found.set(`${String(address + start)}/${needle}/${form}`, { pid, needle, form, address: address + start, mapping: name, around });
    });
  });
  return { hits: [...found.values()], bytes };
}

/** Hits by needle, for a message: `password: raw×2 base64×1`. Empty when there are none. */
export function summary(hits: readonly Hit[]): Readonly<Record<string, string>> {
  const counts = new Map<string, Map<string, number>>();
  for (const { needle, form } of hits) {
    const forms = counts.get(needle) ?? new Map<string, number>();
    forms.set(form, (forms.get(form) ?? 0) + 1);
    counts.set(needle, forms);
  }
  return Object.fromEntries([...counts].map(([needle, forms]) => [needle, [...forms].map(([form, count]) => `${form}×${String(count)}`).join(' ')]));
}
