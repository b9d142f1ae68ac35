/**
 * YAML 1.2, core schema. One document of plain scalars, maps and lists: aliases, anchors, tags of its own, directives and duplicate keys are
 * refused. A number that would be written otherwise than it stands (`0123`, `1.10`, `0x1f`) stays the text that it was.
 */
import { isMap, isScalar, isSeq, LineCounter, parseAllDocuments, type Node } from 'yaml';
import { parseMembers } from './json.ts';
import { MOST_DEPTH } from './limits.ts';
import { ImportFailure, type Parsed } from './parsed.ts';

/** Looked for in front of the parser, which goes into the depth by calling itself. */
function refuseDeep(text: string): void {
  let depth = 0;
  let line = 1;
  for (const one of text) {
    if (one === '\n') line++;
    else if (one === '[' || one === '{') depth++;
    else if ((one === ']' || one === '}') && depth > 0) depth--;
    // Brackets in quotes count, too: so many of one kind are in no value that people write by hand.
    if (depth > MOST_DEPTH * 8) throw new ImportFailure('deeper-than-limit', line);
  }
  const block = /^(?:[ \t]*-[ \t]){33,}/m.exec(text);
  if (block) throw new ImportFailure('deeper-than-limit', text.slice(0, block.index).split('\n').length);
}

export function parseYaml(text: string): Parsed {
  refuseDeep(text);
  const lines = new LineCounter();
  const lineOf = (offset: number | undefined): number | undefined => (offset === undefined ? undefined : lines.linePos(offset).line);
  let documents;
  try {
    documents = parseAllDocuments(text, { version: '1.2', schema: 'core', uniqueKeys: true, strict: true, prettyErrors: false, logLevel: 'silent', lineCounter: lines, merge: false, customTags: [] });
  } catch {
    throw new ImportFailure('yaml-unreadable');
  }
  if (!Array.isArray(documents) || documents.length === 0) throw new ImportFailure('nothing');
  const [document, second] = documents;
  if (second) throw new ImportFailure('yaml-documents', lineOf(second.range[0]));
  const [problem] = [...(document?.errors ?? []), ...(document?.warnings ?? [])];
  if (problem) throw new ImportFailure(problem.code === 'DUPLICATE_KEY' ? 'name-twice' : problem.code === 'TAG_RESOLVE_FAILED' ? 'yaml-tag' : 'yaml-malformed', lineOf(problem.pos[0]));

  const valueOf = (node: unknown, depth: number): unknown => {
    if (node === null) return null;
    const { range, anchor, tag } = node as Node & { readonly anchor?: string };
    const line = lineOf(range?.[0]);
    if (depth > MOST_DEPTH) throw new ImportFailure('deeper-than-limit', line);
    if (anchor !== undefined) throw new ImportFailure('yaml-anchor', line);
    if (tag !== undefined && !tag.startsWith('tag:yaml.org,2002:')) throw new ImportFailure('yaml-tag', line);
    if (isScalar(node)) {
      const { value, source } = node;
      if (typeof value === 'number' || typeof value === 'bigint') return typeof value === 'number' && String(value) === source ? value : (source ?? '');
      if (typeof value === 'string' || typeof value === 'boolean' || value === null) return value;
      throw new ImportFailure('value-not-plain', line);
    }
    if (isSeq(node)) return node.items.map((item) => valueOf(item, depth + 1));
    if (isMap(node)) {
      const members: Record<string, unknown> = {};
      for (const { key, value } of node.items) {
        const name = isScalar(key) && key.value !== null ? (typeof key.value === 'string' ? key.value : (key.source ?? '')) : undefined;
        if (name === undefined || name === '') throw new ImportFailure('name-not-text', lineOf((key as Node | null)?.range?.[0]) ?? line);
        if ((key as { readonly anchor?: string }).anchor !== undefined) throw new ImportFailure('yaml-anchor', line);
        if (name === '__proto__' || name === 'constructor' || name === 'prototype') throw new ImportFailure('name-not-allowed', line);
        if (Object.hasOwn(members, name)) throw new ImportFailure('name-twice', lineOf((key as Node | null)?.range?.[0]));
        members[name] = valueOf(value, depth + 1);
      }
      return members;
    }
    throw new ImportFailure('yaml-alias', line);
  };
  return parseMembers('yaml', valueOf(document?.contents ?? null, 0));
}
