// @vitest-environment happy-dom
/** The pictures of UI.md sections 3 and 4: their shapes are pure functions, and each has a text or a table beside it. */
import { createHash } from 'node:crypto';
import { cleanup, render } from '@testing-library/react';
import fc from 'fast-check';
import { createElement } from 'react';
import { afterEach, describe, expect, it } from 'vitest';
import { ChainRail } from '../../../src/renderer/pictures/chain-rail.tsx';
import { cuts, cutsOf } from '../../../src/renderer/pictures/cuts.ts';
import { glyphPath, KeyGlyph, SIZES } from '../../../src/renderer/pictures/key-glyph.tsx';
import { DecisionPath } from '../../../src/renderer/pictures/decision-path.tsx';
import { changesOf, gatesOf } from '../../../src/renderer/trail/path.ts';
import { Misfit } from '../../../src/renderer/pictures/misfit.tsx';
import { RequestStrip } from '../../../src/renderer/pictures/request-strip.tsx';
import { seamOf, segmentPath } from '../../../src/renderer/pictures/seam.ts';
import { CELL_MS, cellsOf, CELLS } from '../../../src/renderer/pictures/strip.ts';
import { Timeline } from '../../../src/renderer/pictures/timeline.tsx';
import { sha256 } from '../../../src/renderer/sha256.ts';

afterEach(cleanup);
const ID = '7c1e44a2-5d0b-4f5e-9a53-0b6d2f81c9e4';

describe('the bitting', () => {
  it('is made of SHA-256 as FIPS 180-4 has it, for texts of every length around a block', () => {
    for (const length of [0, 1, 3, 55, 56, 63, 64, 65, 119, 120, 200]) {
      const text = 'é'.repeat(length % 2) + 'a'.repeat(length);
      expect(Buffer.from(sha256(text)).toString('hex')).toBe(createHash('sha256').update(text).digest('hex'));
    }
  });

  it('takes bytes mod 8, moves an equal one by three, and keeps neighbours within four', () => {
    expect(cuts(Uint8Array.of(1, 9, 4, 12), 4)).toEqual([1, 4, 7, 4]);
    expect(cuts(Uint8Array.of(0, 7), 2)).toEqual([0, 4]);
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 8, maxLength: 32 }), fc.integer({ min: 1, max: 8 }), (seed, n) => {
        const depths = cuts(seed, n);
        expect(depths).toHaveLength(n);
        depths.forEach((depth, i) => {
          expect(depth).toBeGreaterThanOrEqual(0);
          expect(depth).toBeLessThanOrEqual(7);
          if (i > 0) expect(Math.abs(depth - depths[i - 1]!)).toBeLessThanOrEqual(4);
          if (i > 0) expect(depth).not.toBe(depths[i - 1]);
        });
      }),
    );
  });

  it('is the same for the same public id, on whole pixels but for the ring and the hole', () => {
    expect(cutsOf(ID, 8)).toEqual(cutsOf(ID, 8));
    for (const size of ['S', 'M', 'L'] as const) {
      const { path, width } = glyphPath(ID, size);
      expect(width).toBe(2 * SIZES[size].ring + 1 + SIZES[size].n * (SIZES[size].tooth + SIZES[size].gap) + SIZES[size].gap);
      const blade = path.slice(path.lastIndexOf('M'));
      expect(blade).not.toContain('.');
      expect(blade.match(/V/g)).toHaveLength(2 * SIZES[size].n + 1);
    }
  });

  it('is decoration: its word stands beside it', () => {
    const { container } = render(createElement(KeyGlyph, { publicId: ID, size: 'L', state: 'PendingDeletion' }));
    expect(container.querySelector('[aria-hidden="true"] svg')).not.toBeNull();
    expect(container.querySelectorAll('path')).toHaveLength(2);
  });
});

describe('the request strip', () => {
  const at = 1_790_000_000_000;
  it('has 96 cells that end with the present quarter of an hour, and levels by the busiest', () => {
    const events = [...Array.from({ length: 8 }, () => ({ time: at - 1, result: 'ok' as const })), { time: at - CELL_MS, result: 'failed' as const }, { time: at - CELL_MS, result: 'denied' as const }, { time: at - 2 * 86_400_000, result: 'ok' as const }];
    const cells = cellsOf(events, at);
    expect(cells).toHaveLength(CELLS);
    expect(cells.at(-1)).toMatchObject({ allowed: 8, denied: 0, level: 4 });
    expect(cells.at(-2)).toMatchObject({ allowed: 1, denied: 1, level: 1 });
    expect(cells.slice(0, -2).every((cell) => cell.level === 0)).toBe(true);
    expect(cells.at(-1)!.from + CELL_MS).toBeGreaterThan(at);
  });

  it('says the same in a name and in a table', () => {
    const { getByRole, getAllByRole } = render(createElement(RequestStrip, { at, events: [{ time: at, result: 'ok' }, { time: at, result: 'denied' }] }));
    expect(getByRole('img').getAttribute('aria-label')).toBe('1 request and 1 denial in the last 24 hours');
    expect(getAllByRole('row').at(-1)?.textContent).toMatch(/11$/);
  });
});

describe('the chain rail', () => {
  it('cuts both sides of a seam alike, so that neighbours meet', () => {
    const seam = seamOf('18204:1:a');
    expect(seam).toHaveLength(3);
    for (const offset of seam) expect(Math.abs(offset)).toBeLessThanOrEqual(3.5 * 1.55);
    const upper = segmentPath(undefined, seam);
    const lower = segmentPath(seam, undefined);
    for (const offset of seam) {
      expect(upper).toContain(` ${(36 - 1.25 + offset).toFixed(1)}`);
      expect(lower).toContain(` ${(1.25 + offset).toFixed(1)}`);
    }
  });

  it('names what is no ordinary record', () => {
    for (const [tone, name] of [['record', 'record'], ['denied', 'denied'], ['checkpoint', 'checkpoint'], ['broken', 'does not fit'], ['doubt', 'in doubt']] as const) {
      const { getByRole, unmount } = render(createElement(ChainRail, { own: 'a', newer: 'b', last: false, tone }));
      expect(getByRole('img').getAttribute('aria-label')).toBe(name);
      unmount();
    }
  });

  it('shows a misfit with both numbers', () => {
    const { getByRole } = render(createElement(Misfit, { found: 'Record 18,199', intact: 'Record 18,198' }));
    expect(getByRole('img').textContent).toBe('Record 18,199, foundRecord 18,198, intact');
  });
});

describe('the way of a request', () => {
  const event = { Index: 1, Time: 0, Kind: 'outcome', Operation: 'kms:Decrypt', Door: 'cli', Principal: 'owner:uid-1000' } as const;
  const states = (fields: Readonly<Record<string, unknown>>): string => (gatesOf({ ...event, ...fields }, 'Decrypt') ?? []).map(({ name, state }) => `${name}: ${state}`).join(', ');

  it('ends where it was stopped, and nothing after that is reached', () => {
    expect(states({ Result: 'ok', Note: 'allowed:owner/OwnerMayDoAll' })).toBe('Door and identity: ok, Request rules: ok, Policy: ok, Decrypt: ok');
    expect(states({ Result: 'denied', Error: 'AccessDeniedException', Note: 'rule:rate' })).toBe('Door and identity: ok, Request rules: stopped, Policy: notReached, Decrypt: notReached');
    expect(states({ Result: 'denied', Error: 'AccessDeniedException', Note: 'allowed:owner/all, denied:key/OnlyBilling' })).toBe('Door and identity: ok, Request rules: ok, Policy: stopped, Decrypt: notReached');
    expect(states({ Result: 'denied', Error: 'AccessDeniedException', Note: 'nothing-allows' })).toBe('Door and identity: ok, Request rules: ok, Policy: stopped, Decrypt: notReached');
    expect(states({ Result: 'denied', Error: 'AccessDeniedException', Note: 'allowed:owner/all, not-approved:ask' })).toBe('Door and identity: ok, Request rules: ok, Policy: ok, Approval: stopped, Decrypt: notReached');
    expect(states({ Result: 'ok', Note: 'allowed:owner/all, approved:ask, allowed:owner/all' })).toBe('Door and identity: ok, Request rules: ok, Policy: ok, Approval: ok, Decrypt: ok');
    expect(states({ Result: 'failed', Error: 'InvalidCiphertextException', Note: 'allowed:owner/all' })).toBe('Door and identity: ok, Request rules: ok, Policy: ok, Decrypt: stopped');
    expect(states({ Result: 'failed', Error: 'ValidationException' })).toBe('Door and identity: ok, Request rules: ok, Form of the request: stopped, Policy: notReached, Decrypt: notReached');
  });

  it('is there for the end of a request only', () => {
    expect(gatesOf({ ...event, Kind: 'intent' }, 'Decrypt')).toBeUndefined();
    expect(gatesOf({ ...event, Kind: 'note', Note: 'torn-tail:4' }, 'Decrypt')).toBeUndefined();
  });

  it('names what was changed, of a request that was done', () => {
    const Note = 'allowed:owner/all, changed:CertificateAuthority:none:ab12';
    expect(changesOf({ ...event, Result: 'ok', Note })).toEqual([{ setting: 'CertificateAuthority', from: undefined, to: 'ab12' }]);
    expect(changesOf({ ...event, Result: 'failed', Note })).toEqual([]);
    expect(states({ Result: 'ok', Note })).toBe('Door and identity: ok, Request rules: ok, Policy: ok, Decrypt: ok');
  });

  it('never says that something was reached after what stopped it', () => {
    const reason = fc.constantFrom('rule:a', 'allowed:p/s', 'denied:p/s', 'nothing-allows', 'policy-error:p', 'approved:r', 'not-approved:r', 'what:else');
    fc.assert(
      fc.property(fc.array(reason, { maxLength: 5 }), fc.constantFrom('ok', 'denied', 'failed'), (reasons, Result) => {
        const path = (gatesOf({ ...event, Result, Note: reasons.join(', ') }, 'Decrypt') ?? []).map(({ state }) => state);
        const stopped = path.indexOf('stopped');
        if (stopped >= 0) expect(path.slice(stopped + 1).every((state) => state === 'notReached')).toBe(true);
        else expect(path).not.toContain('notReached');
      }),
    );
  });

  it('has a word for each gate’s state beside its mark', () => {
    const gates = gatesOf({ ...event, Result: 'denied', Error: 'AccessDeniedException', Note: 'rule:vault-is-locked' }, 'Decrypt') ?? [];
    const { getByRole } = render(createElement(DecisionPath, { gates }));
    expect(getByRole('list', { name: 'The way of the request' }).textContent).toContain('Request rules, stoppedThe vault was locked');
  });
});

it('the trail in time has the same in words and in a table', () => {
  const timeline = { Start: 1_700_000_000, BinSeconds: 60, Requests: [3, 0, 1], Checkpoints: [1, 0, 0] };
  const { getByRole, container } = render(createElement(Timeline, { timeline, broken: false }));
  expect(getByRole('img').getAttribute('aria-label')).toMatch(/^4 requests and 1 signed checkpoint since /);
  expect(container.querySelectorAll('rect')).toHaveLength(2);
  expect(container.querySelectorAll('circle')).toHaveLength(1);
  expect([...container.querySelectorAll('tbody tr')].map((row) => [...row.querySelectorAll('td')].slice(1).map((cell) => cell.textContent))).toEqual([['3', '1'], ['1', '0']]);
});
