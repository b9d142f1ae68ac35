/** `npm start [-- ARGUMENT …]`: makes the checkout ready and runs the vault in the foreground until Ctrl-C. */
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT, ensure } from './ensure.mjs';

ensure('start');
const { buildIfStale } = await import('./build.mjs');
await buildIfStale();
const args = process.argv.slice(2);
const hasDisplay = process.platform !== 'linux' || Boolean(process.env.DISPLAY) || Boolean(process.env.WAYLAND_DISPLAY);
// `npm run serve` is the vault without its window, whether or not there is a display.
const wantsWindow = process.env.npm_lifecycle_event !== 'serve' && (hasDisplay || args.includes('--headless'));
const program = join(ROOT, 'dist', 'main', wantsWindow ? 'window.mjs' : 'serve.mjs');
if (!existsSync(program)) throw new Error(`${program} was not built`);

const demo = args.includes('--demo');
const from = 'Talk to it from a second terminal in this folder:';
process.stdout.write(demo ? `
A demo: a vault with keys and a day's work in it, thrown away at Ctrl-C${wantsWindow ? ' or when the window is closed' : ''}. Its password is demo-password.
${wantsWindow ? '' : `There is ${hasDisplay ? 'no window asked for' : 'no display, so no window'}; \`npx keystead --vault FOLDER\` reaches it, with the folder that it names below.
`}
` : `
${wantsWindow ? `Keystead opens its window and runs until that is closed, or until Ctrl-C. ${from}` : `Keystead runs here until Ctrl-C, without a window${hasDisplay ? '' : ', since there is no display'}. ${from}`}
  npx keystead init        make a vault (asks for a password, shows the recovery code once)
  npx keystead unlock      open it
  npx keystead status      what runs, and in which state
  npx keystead --help      everything else

`);
const child = spawn(process.execPath, [program, ...args], { stdio: 'inherit' });
// The terminal sends Ctrl-C to the child too; here it must only not end this process first.
for (const signal of /** @type {const} */ (['SIGINT', 'SIGTERM', 'SIGHUP'])) process.on(signal, () => signal === 'SIGINT' || child.kill(signal));
child.on('exit', (code, signal) => {
  process.exitCode = code ?? (signal === null ? 1 : 128);
});
