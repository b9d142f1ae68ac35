/**
 * Other programs' files of secrets, read into names and values. Runs in a process of its own (`entry.ts`), one for each file, which is
 * killed when it has answered: a file is hostile bytes, and what a parser makes of it are strings, which only the end of a process erases.
 *
 * Defends against: a file that hangs, exhausts or takes over the vault that reads it; a value in an error; two readings of one file
 * (duplicate keys, broken UTF-8, entities, aliases). Does not: know what is in the vault, or decide what is written.
 */
import type { ImportFormat, ImportNote } from '../../shared/model/import-formats.ts';
import { REASONS, type Reason } from './reasons.ts';

/** `json`: the value is JSON that is no string (a number, a list), and stays that in an object of fields. */
export interface ParsedField {
  readonly name: string;
  readonly kind: 'text' | 'json';
  readonly value: string;
}

/** `path`: folders and title, the outermost first; empty for the one set of fields that the whole file is. */
export interface ParsedEntry {
  readonly path: readonly string[];
  /** From 1, where the format has lines. */
  readonly line?: number;
  readonly fields: readonly ParsedField[];
}

/** `fields`: one set of names and values, as a `.env` is. `entries`: several things with fields of their own. */
export interface Parsed {
  readonly format: ImportFormat;
  readonly shape: 'fields' | 'entries';
  readonly entries: readonly ParsedEntry[];
  readonly notes: readonly ImportNote[];
}

/** Why a file is not taken: an entry of the table of reasons, and where. */
export class ImportFailure extends Error {
  override readonly name = 'ImportFailure';
  readonly reason: Reason;
  /** From 1. */
  readonly line: number | undefined;
  constructor(reason: Reason, line?: number) {
    super(REASONS[reason]);
    this.reason = reason;
    this.line = line;
  }

  /** The reason in words. */
  get why(): string {
    return this.message;
  }
}

/** The same fields with names that are there once: a second `password` is `password-2`. */
export function distinct(fields: readonly ParsedField[]): readonly ParsedField[] {
  const seen = new Set<string>();
  return fields.map((field) => {
    let { name } = field;
    for (let count = 2; seen.has(name); count++) name = `${field.name}-${String(count)}`;
    seen.add(name);
    return name === field.name ? field : { ...field, name };
  });
}

export const textField = (name: string, value: string): ParsedField => ({ name, kind: 'text', value });
