// @vitest-environment happy-dom
/** What is typed is worked for once the frame that shows it is painted, and of several letters in one frame only the last. */
import { act, cleanup, renderHook } from '@testing-library/react';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { usePainted } from '../../../src/renderer/painted.ts';

const frames: (() => void)[] = [];
beforeEach(() => {
  vi.useFakeTimers();
  frames.length = 0;
  vi.stubGlobal('requestAnimationFrame', (callback: () => void) => frames.push(callback));
  vi.stubGlobal('cancelAnimationFrame', (id: number) => { frames[id - 1] = () => undefined; });
});
afterEach(() => {
  cleanup();
  vi.useRealTimers();
  vi.unstubAllGlobals();
});
const paint = (): void => { for (const callback of frames.splice(0)) callback(); };
const later = (): Promise<void> => act(async () => { await vi.advanceTimersByTimeAsync(1); });

it('gives a value once the frame after it is painted', async () => {
  const seen: string[] = [];
  const { rerender } = renderHook(({ typed }) => { const value = usePainted(typed); seen.push(value); return value; }, { initialProps: { typed: '' } });
  rerender({ typed: 's' });
  await later();
  expect(seen.at(-1)).toBe('');
  paint();
  expect(seen.at(-1)).toBe('');
  await later();
  expect(seen.at(-1)).toBe('s');
});

it('leaves out what was overtaken within a frame', async () => {
  const seen = new Set<string>();
  const { rerender, result } = renderHook(({ typed }) => { const value = usePainted(typed); seen.add(value); return value; }, { initialProps: { typed: '' } });
  for (const typed of ['s', 'se', 'ser']) rerender({ typed });
  paint();
  await later();
  expect([result.current, [...seen]]).toEqual(['ser', ['', 'ser']]);
});
