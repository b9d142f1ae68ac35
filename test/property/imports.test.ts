/** Readers of other programs' files: what is written comes back, and hostile bytes end in a value or in an ImportFailure that quotes nothing. */
import fc from 'fast-check';
import { expect, it } from 'vitest';

import { parseImport } from '../../src/main/imports/parse.ts';
import { ImportFailure } from '../../src/main/imports/parsed.ts';

const RUNS = Number(process.env['KEYSTEAD_PROPERTY_RUNS'] ?? 300);
const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const fieldsOf = (text: string) => parseImport(bytes(text)).entries.map(({ fields }) => fields.map(({ name, value }) => [name, value]));

const value = fc.string({ unit: 'grapheme', maxLength: 40 }).filter((text) => !text.includes('\0') && !text.includes('\r'));
const name = fc.stringMatching(/^[A-Z_][A-Z0-9_]{0,12}$/);
const pairs = fc.uniqueArray(fc.tuple(name, value), { minLength: 1, maxLength: 8, selector: ([one]) => one });

it('reads a .env back, however its values are quoted', () => {
  const quoted = (text: string): string => `"${text.replace(/["\\$]/g, (one) => `\\${one}`).replace(/\n/g, '\\n')}"`;
  const multiline = (text: string): string => `"${text.replace(/["\\$]/g, (one) => `\\${one}`)}"`;
  fc.assert(
    fc.property(pairs, fc.boolean(), fc.constantFrom('', 'export ', '  '), ([...given], asLines, before) => {
      const text = given.map(([one, its]) => `${before}${one}=${asLines ? multiline(its) : quoted(its)} # x`).join('\n');
      expect(fieldsOf(text)).toEqual([given]);
    }),
    { numRuns: RUNS },
  );
});

it('reads JSON, CSV and XML back', () => {
  const cell = (text: string): string => `"${text.replaceAll('"', '""')}"`;
  const xml = (text: string): string => text.replace(/[<>&"'\p{Cc}]/gu, (one) => `&#${String(one.codePointAt(0))};`);
  fc.assert(
    fc.property(pairs, (given) => {
      const filled = given.filter(([, its]) => its !== '');
      expect(fieldsOf(JSON.stringify(Object.fromEntries(given)))).toEqual([given]);
      if (filled.length === 0) return;
      const csv = `Title,Password,OTPAuth\n${filled.map(([one, its]) => `${one},${cell(its)},`).join('\n')}`;
      expect(fieldsOf(csv)).toEqual(filled.map(([, its]) => [['password', its]]));
      const entry = filled.map(([one, its]) => `<String><Key>${one}</Key><Value>${xml(its)}</Value></String>`).join('');
      expect(fieldsOf(`<KeePassFile><Root><Group><Entry>${entry}</Entry></Group></Root></KeePassFile>`)).toEqual([filled]);
    }),
    { numRuns: RUNS },
  );
});

/** Pieces that the grammars are made of, and one that must never be seen again. */
const SECRET = 'hunter2zz';
const piece = fc.constantFrom('{', '}', '[', ']', '"', "'", '`', ':', ',', '\n', '\r\n', '=', '#', ' ', '\\', '\\u', 'd800', '\0', '\u2028', 'A', 'a: ', '- ', '&x ', '*x', '!t ', '---\n', '<', '>', '</', '<KeePassFile>', '<Root>', '<Group>', '<Entry>', '<String>', '<!DOCTYPE x [', '&amp;', '&#0;', 'Title,Password,OTPAuth\n', '{"encrypted":false,"items":[', '"id":"a","title":"b","category":"c","vault":{"id":"d"},"fields":[', 'export ', '$', '${A}', SECRET, '\ufeff', '\ud800');
const hostile = fc.oneof(
  { weight: 4, arbitrary: fc.array(piece, { maxLength: 60 }).map((parts) => bytes(parts.join(''))) },
  { weight: 1, arbitrary: fc.uint8Array({ maxLength: 200 }) },
  { weight: 2, arbitrary: fc.tuple(fc.constantFrom('{"a":"', 'A="', '<KeePassFile><Root><Group><Entry><String><Key>a</Key><Value>', 'a: "', 'Title,Password,OTPAuth\na,"'), fc.array(piece, { maxLength: 20 })).map(([begun, parts]) => bytes(begun + parts.join(''))) },
);

it('ends hostile bytes in a whole answer, or a failure without a word of theirs', () => {
  fc.assert(
    fc.property(hostile, (given) => {
      try {
        const { entries } = parseImport(given);
        expect(entries.length).toBeGreaterThan(0);
        for (const { fields } of entries) for (const field of fields) expect(field.name !== '' && field.name.isWellFormed() && field.value.isWellFormed() && !field.value.includes('\0')).toBe(true);
      } catch (error) {
        if (!(error instanceof ImportFailure)) throw error;
        expect(error.why).not.toContain(SECRET);
        if (error.line !== undefined) expect(error.line).toBeGreaterThanOrEqual(1);
      }
    }),
    { numRuns: RUNS * 10 },
  );
});
