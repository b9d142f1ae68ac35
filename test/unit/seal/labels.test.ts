import { expect, it } from 'vitest';
import { LABELS } from '../../../src/main/seal/labels.ts';

it('has labels that are unique and no prefix of one another', () => {
  const texts = Object.values(LABELS).map((label) => new TextDecoder().decode(label));
  for (const [i, one] of texts.entries()) {
    expect(one).toMatch(/^keystead\/[a-z-]+\/1$/);
    for (const [j, other] of texts.entries()) if (i !== j) expect(other.startsWith(one)).toBe(false);
  }
});
