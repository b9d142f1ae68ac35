/**
 * Takes a picture of every screen in both themes, for people to look at. Never shipped; not a test (`test/e2e/screens` is).
 *
 *   node scripts/build.mjs && node scripts/run-ts.mjs test/renderer/look.ts FOLDER [NAME …]
 */
import { mkdirSync } from 'node:fs';
import { resolve } from 'node:path';
import { SCREENS } from './screens.ts';
import { openStage } from './stage.ts';

const [folder = 'shots', ...only] = process.argv.slice(2);
mkdirSync(folder, { recursive: true });
const stage = await openStage(process.cwd());
for (const colorScheme of ['dark', 'light'] as const) {
  for (const [name, screen] of Object.entries(SCREENS)) {
    if (only.length > 0 && !only.includes(name)) continue;
    const { page, said, leave } = await stage.show(screen, { colorScheme });
    await page.screenshot({ path: resolve(folder, `${name}.${colorScheme}.png`) });
    for (const line of new Set(said)) process.stdout.write(`console ${name}.${colorScheme}: ${line.slice(0, 300)}\n`);
    await leave();
  }
}
await stage.close();
