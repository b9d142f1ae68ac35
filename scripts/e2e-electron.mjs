/**
 * `npm run e2e:electron [-- SPEC …]`: the window's end-to-end specs in a real Electron. Its binary does not come with its package; where it is
 * missing, or cannot run, this says so and fails.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT, ensure } from './ensure.mjs';

const SPECS = ['test/e2e/window.test.ts', 'test/e2e/window-keyboard.test.ts'];

/** @param {string} text @returns {never} */
function stop(text) {
  process.stderr.write(`${text}\n`);
  process.exit(1);
}

/** As `src/main/hosts/electron/find.ts`: asking the package itself would start a download. */
function hasElectron() {
  const folder = join(ROOT, 'node_modules/electron');
  const path = join(folder, 'path.txt');
  return existsSync(path) && existsSync(join(folder, 'dist', readFileSync(path, 'utf8').trim()));
}

ensure('start');
if (!hasElectron()) stop('the specs did not run: Electron’s binary is not installed; type:\n  node node_modules/electron/install.js');
if (process.getuid?.() === 0) stop('the specs did not run: Electron’s sandbox does not run as root; be another user');
if (process.platform === 'linux' && !process.env.DISPLAY && !process.env.WAYLAND_DISPLAY) stop('the specs did not run: Electron needs a display; type:\n  xvfb-run -a npm run e2e:electron');
const { buildIfStale } = await import('./build.mjs');
await buildIfStale();
const given = process.argv.slice(2);
const { status } = spawnSync(join(ROOT, 'node_modules/.bin/vitest'), ['run', '--project', 'system', ...(given.length > 0 ? given : SPECS)], {
  cwd: ROOT,
  stdio: 'inherit',
  env: { ...process.env, NODE_ENV: 'test', KEYSTEAD_E2E_HOST: 'electron' },
});
process.exitCode = status ?? 1;
