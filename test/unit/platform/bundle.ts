/** Bundles TypeScript to a script that a bare `node` can run, for tests that need a real child process. */
import { createHash } from 'node:crypto';
import { mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { rolldown } from 'rolldown';

const ROOT = new URL('../../../', import.meta.url).pathname;
/** Under node_modules, so that native packages resolve from there. */
const FOLDER = join(ROOT, 'node_modules', '.cache', 'keystead-test');

/** `source` is TypeScript whose imports are relative to the repository's root. Resolves to the path of an .mjs file. */
export async function bundle(name: string, source: string): Promise<string> {
  const digest = createHash('sha256').update(source).digest('hex').slice(0, 12);
  const input = join(ROOT, `${name}.virtual.ts`);
  const build = await rolldown({
    input,
    platform: 'node',
    logLevel: 'silent',
    external: ['koffi', 'keytar', '@photostructure/sqlite', '@node-rs/argon2'],
    plugins: [
      {
        name: 'virtual-entry',
        resolveId: (id) => (id === input ? id : null),
        load: (id) => (id === input ? { code: source, moduleType: 'ts' } : null),
      },
    ],
  });
  const { output } = await build.generate({ format: 'esm', codeSplitting: false });
  await build.close();
  const path = join(FOLDER, `${name}-${digest}.mjs`);
  mkdirSync(FOLDER, { recursive: true });
  // Renamed into place: test files run beside each other and may bundle the same script.
  const temporary = `${path}.${String(process.pid)}`;
  writeFileSync(temporary, output[0].code);
  renameSync(temporary, path);
  return path;
}

/** Bundles one file of `src`, named from the repository's root. */
export const bundleFile = (name: string, path: string): Promise<string> => bundle(name, `import './${path}';`);
