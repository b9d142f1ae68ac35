/**
 * The vault without a window: one process for one vault folder, reached through the command line's socket.
 *
 *   node dist/main/serve.mjs --vault DIR
 *
 * On failure the last line of standard error is `keystead: MESSAGE (CODE)` and the exit code is that of the error table.
 */
import { VERSION } from '../../shared/version.ts';
import { run, sayWhy } from './run.ts';

run({ args: process.argv.slice(2) })
  .then(({ folder }) => {
    if (process.stdout.isTTY || process.argv.includes('--demo')) process.stdout.write(`keystead ${VERSION}: serving \`${folder}\`\n`);
  })
  .catch((error: unknown) => process.exit(sayWhy(error)));
