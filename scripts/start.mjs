/** `npm start [-- ARGUMENT …]`: makes the checkout ready and runs the vault in the foreground until Ctrl-C. */
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT, ensure } from './ensure.mjs';

ensure('start');
const { buildIfStale } = await import('./build.mjs');
await buildIfStale();
const program = join(ROOT, 'dist', 'main', 'serve.mjs');
if (!existsSync(program)) throw new Error('dist/main/serve.mjs was not built');

process.stdout.write(`
Keystead runs here until Ctrl-C; this version has no window. Talk to it from a second terminal in this folder:
  npx keystead init        make a vault (asks for a password, shows the recovery code once)
  npx keystead unlock      open it
  npx keystead status      what runs, and in which state
  npx keystead --help      everything else

`);
const child = spawn(process.execPath, [program, ...process.argv.slice(2)], { stdio: 'inherit' });
// The terminal sends Ctrl-C to the child too; here it must only not end this process first.
for (const signal of /** @type {const} */ (['SIGINT', 'SIGTERM', 'SIGHUP'])) process.on(signal, () => signal === 'SIGINT' || child.kill(signal));
child.on('exit', (code, signal) => {
  process.exitCode = code ?? (signal === null ? 1 : 128);
});
