/**
 * The vault without a window: one process for one vault folder, reached through the command line's socket; or, with `--ephemeral`, a vault for
 * a test suite, reached by AWS clients.
 *
 *   node dist/main/serve.mjs --vault DIR
 *   node dist/main/serve.mjs --ephemeral [--port N] [--account DIGITS] [--region REGION] [--access-key ID:SECRET]
 *
 * On failure the last line of standard error is `keystead: MESSAGE (CODE)` and the exit code is that of the error table.
 */
// First: what it begins goes on while the rest is evaluated.
import './early-sealer.ts';
import { VERSION } from '../../shared/version.ts';
import { runEphemeral } from './ephemeral.ts';
import { run, sayWhy } from './run.ts';

const args = process.argv.slice(2);

async function serve(): Promise<void> {
  if (args.includes('--ephemeral')) {
    const { port, options } = await runEphemeral(args);
    process.stdout.write(`keystead ${VERSION}: throwaway vault at http://127.0.0.1:${String(port)}, region ${options.region}, account ${options.account}, access key ${options.accessKeyId}\n`);
    return;
  }
  const { folder } = await run({ args });
  if (process.stdout.isTTY || args.includes('--demo')) process.stdout.write(`keystead ${VERSION}: serving \`${folder}\`\n`);
}

serve().catch((error: unknown) => process.exit(sayWhy(error)));
