import { describe, expect, it } from 'vitest';
import { usualDecision, type ImportRow } from '../../../src/renderer/secrets/import-data.ts';

const row = (Row: number, Name: string, State: ImportRow['State']): ImportRow => ({ Row, Name, State }) as ImportRow;
const ROWS = [row(0, 'new', 'New'), row(1, 'new', 'Duplicate'), row(2, 'held', 'Different'), row(3, 'held', 'Duplicate'), row(4, 'same', 'Same'), row(5, 'same', 'Duplicate'), row(6, 'doomed', 'Deleting'), row(7, 'doomed', 'Duplicate')];

describe('what becomes of a row that clashes, unless somebody says otherwise', () => {
  it('of a .env: the last of two counts, and nothing that the vault had is replaced', () => {
    const usual = usualDecision(ROWS, true);
    expect(ROWS.filter((one) => usual(one) !== 'Skip').map((one) => [one.Row, usual(one)])).toEqual([[1, 'Replace']]);
  });

  it('of another export: two entries of one name are two secrets', () => {
    const usual = usualDecision(ROWS, false);
    expect(ROWS.map(usual)).toEqual(['Skip', 'Keep', 'Skip', 'Keep', 'Skip', 'Keep', 'Skip', 'Keep']);
  });
});
