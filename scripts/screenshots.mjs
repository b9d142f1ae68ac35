/** `npm run screenshots`: takes the pictures of the README anew. Needs an installed Chromium. */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { ROOT, ensure } from './ensure.mjs';

ensure('start');
const { buildIfStale } = await import('./build.mjs');
await buildIfStale();
const { status } = spawnSync(process.execPath, [join(ROOT, 'scripts/run-ts.mjs'), 'test/e2e/screenshots.ts'], { cwd: ROOT, stdio: 'inherit' });
process.exitCode = status ?? 1;
