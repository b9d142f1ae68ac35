/** `npm run bench [-- FIGURE …]`: makes the checkout ready, builds, measures. */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { ROOT, ensure } from './ensure.mjs';

ensure('start');
const { buildIfStale } = await import('./build.mjs');
await buildIfStale();
const { status } = spawnSync(process.execPath, [join(ROOT, 'scripts/run-ts.mjs'), 'bench/main.ts', ...process.argv.slice(2)], { cwd: ROOT, stdio: 'inherit' });
process.exitCode = status ?? 1;
