/** Counts of a scan as a table: which needle, where, in which state. */
import type { Hit } from './memory.ts';

/** Needles of one kind, whatever stands in brackets behind them. */
const kindOf = (needle: string): string => needle.replace(/ \(.*\)$/, '').replace(/^refused: .*/, 'refused secrets').replace(/^(blind|table) key .*/, '$1 keys').replace(/^trail K.*/, 'trail K(0) to K(7)');

export class Figures {
  readonly #counts = new Map<string, Map<string, number>>();
  readonly #columns: string[] = [];

  /** Every needle that was looked for has a row, found or not. */
  add(column: string, needles: readonly { readonly name: string }[], hits: readonly Hit[]): void {
    if (!this.#columns.includes(column)) this.#columns.push(column);
    for (const { name } of needles) this.#count(kindOf(name), column, 0);
    for (const { needle } of hits) this.#count(kindOf(needle), column, 1);
  }

  #count(row: string, column: string, more: number): void {
    const counts = this.#counts.get(row) ?? new Map<string, number>();
    counts.set(column, (counts.get(column) ?? 0) + more);
    this.#counts.set(row, counts);
  }

  toString(): string {
    const width = Math.max(...[...this.#counts.keys()].map((name) => name.length));
    const line = (name: string, cells: readonly string[]): string => `${name.padEnd(width)}  ${cells.map((cell, i) => cell.padStart(this.#columns[i]?.length ?? 0)).join('  ')}\n`;
    const rows = [...this.#counts].map(([name, counts]) => line(name, this.#columns.map((column) => String(counts.get(column) ?? '-'))));
    return line('', this.#columns) + rows.join('');
  }
}
