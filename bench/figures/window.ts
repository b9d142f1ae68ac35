/**
 * The window in the Chromium host: how soon it is there, what a call costs it, and how it bears many keys. The built program but for its
 * entry, which is bundled anew with a way in for Playwright; what is timed is timed by the page itself.
 */
import { gzipSync } from 'node:zlib';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { socketPath } from '../../src/shared/model/paths.ts';
import { openChromiumWindow } from '../../test/e2e/support/chromium-window.ts';
import { makeHome, type Home } from '../../test/e2e/support/home.ts';
import type { OpenedWindow } from '../../test/e2e/support/opened-window.ts';
import { median, percentile, type Bench, type Figure } from '../harness.ts';
import { Caller, PASSWORD } from '../vault.ts';
import { fill } from './large-vault.ts';

const ROUNDS = 5;
const CALLERS = 32;

export const window: Figure = {
  name: 'window',
  async run(bench: Bench) {
    const home = makeHome();
    try {
      await coldStart(home, bench);
      const opened = await openChromiumWindow(home, []);
      try {
        await openVault(home, opened, bench);
      } finally {
        await opened.close();
      }
    } finally {
      home.remove();
    }
  },
};

export function callers(home: Home, count: number): Promise<Caller[]> {
  const tmp = home.folder;
  const path = socketPath({ platform: process.platform, env: home.env, home: home.folder, tmp, uid: process.geteuid?.() ?? 0 }, createHash('sha256').update(home.vault).digest('hex'));
  return Promise.all(Array.from({ length: count }, () => Caller.connect(path)));
}

/** Milliseconds since the epoch at which the page first painted something: its first screen, since nothing is shown before that. */
async function painted(page: Page): Promise<number> {
  const at = await page.waitForFunction(() => {
    const [first] = performance.getEntriesByName('first-contentful-paint');
    return first && performance.timeOrigin + first.startTime;
  });
  return (await at.jsonValue()) ?? Number.NaN;
}

async function coldStart(home: Home, { report }: Bench): Promise<void> {
  const took: number[] = [];
  let size = 0;
  let fonts = 0;
  for (let round = 0; round <= ROUNDS; round += 1) {
    const opened = await openChromiumWindow(home, []);
    const page = await opened.page(); 
    if (round === 0) {
      // The first one makes the vault; its files are read from the disk for the first time.
      const [caller] = await callers(home, 1);
      await caller?.call('vault:Create', { Password: PASSWORD, Factors: 'password', RecoveryCode: false });
      caller?.close(); 
    } else {
      await page.getByText('is locked').waitFor(); 
      took.push((await painted(page)) - opened.startedAt);
      const names = await page.evaluate(() => performance.getEntriesByType('resource').map(({ name }) => new URL(name).pathname));
      const files = ['/index.html', ...new Set(names.filter((name) => name !== '/favicon.ico'))].map((name) => [name, readFileSync(join(process.cwd(), 'dist/renderer', name))] as const);
      fonts = files.reduce((sum, [name, bytes]) => sum + (name.endsWith('.woff2') ? bytes.length : 0), 0);
      size = files.reduce((sum, [name, bytes]) => sum + (name.endsWith('.woff2') ? 0 : gzipSync(bytes).length), 0);
    }
    await opened.close();
  }
  report({ figure: 'window: cold start to the unlock screen', value: median(took), unit: 'ms', target: { atMost: 1500 }, rounds: took, note: 'from the start of the process to the first paint' });
  report({ figure: 'window: first screen, gzipped', value: (size + fonts) / 1024, unit: 'kB', target: { atMost: 350 }, note: `${(fonts / 1024).toFixed(0)} kB of it fonts` });
}

async function openVault(home: Home, opened: OpenedWindow, { keys, report, say }: Bench): Promise<void> {
  const lanes = await callers(home, CALLERS);
  const [caller] = lanes;
  if (!caller) throw new Error('no caller');
  await caller.call('vault:Unlock', { Password: PASSWORD });
  const { RecoveryCode } = await caller.call('vault:AddSlot', { Type: 'recovery', Password: PASSWORD });
  const code = Buffer.from(String(RecoveryCode), 'base64').toString('utf8');
  let page = await opened.page();
  await page.getByText('No keys yet').waitFor(); 

  const calls = await roundTrips(page);
  report({ figure: 'window: vault:Status, round trip p50', value: median(calls), unit: 'ms', target: { atMost: 1.5 }, note: `p95 ${percentile(calls, 0.95).toFixed(2)} ms, of ${String(calls.length)}` });

  say(`${String(keys)} keys are made`);
  await fill(lanes, 0, keys);
  const shown: number[] = [];
  for (let round = 0; round < ROUNDS; round += 1) {
    page = await opened.renewed(() => caller.call('vault:Lock'));
    shown.push(await unlockToFirstRows(page, code));
  }
  report({ figure: `window: unlock to the first rows, ${keys.toLocaleString('en-US')} keys`, value: median(shown), unit: 'ms', target: { atMost: 400 }, rounds: shown, note: 'by recovery code, apart from the KDF' });

  for (const each of lanes) each.close();
}

const roundTrips = (page: Page): Promise<number[]> =>
  page.evaluate(async () => {
    const bridge = (globalThis as unknown as { keystead: { invoke(operation: string, input: object): Promise<unknown> } }).keystead;
    const took: number[] = [];
    // The window's door takes so many a second; this is a call, and not a load.
    for (let call = 0; call < 220; call += 1) {
      const started = performance.now();
      await bridge.invoke('vault:Status', {});
      if (call >= 20) took.push(performance.now() - started);
      await new Promise((done) => setTimeout(done, 20));
    }
    return took;
  });

/** From Enter to a frame with keys in it. */
async function unlockToFirstRows(page: Page, code: string): Promise<number> {
  await page.getByText('Use the recovery code').click();
  await page.getByLabel('Recovery code', { exact: true }).fill(code);
  await page.evaluate(() => {
    const at = { entered: 0, shown: 0 };
    Object.assign(globalThis, { benchAt: at });
    addEventListener('keydown', () => { at.entered = performance.now(); }, { capture: true, once: true });
    const seen = new MutationObserver(() => {
      if (!document.querySelector('[role=listbox] [role=option]')) return;
      seen.disconnect();
      requestAnimationFrame(() => { setTimeout(() => { at.shown = performance.now(); }); });
    });
    seen.observe(document.body, { subtree: true, childList: true });
  });
  await page.keyboard.press('Enter');
  const took = await page.waitForFunction(() => {
    const { entered, shown } = (globalThis as unknown as { benchAt: { entered: number; shown: number } }).benchAt;
    return shown > 0 ? shown - entered : undefined;
  }, undefined, { timeout: 60_000 });
  return (await took.jsonValue()) ?? Number.NaN;
}
