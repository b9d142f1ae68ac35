/** The window in the Chromium host over a vault of 100,000 secrets: what a key press in the search costs the page, and how soon the list that the vault has searched is there. */
import { join } from 'node:path';
import { AT_ONCE } from '../../src/shared/api/import-writing.ts';
import { openChromiumWindow } from '../../test/e2e/support/chromium-window.ts';
import { makeHome } from '../../test/e2e/support/home.ts';
import { pause, type Bench, type Figure } from '../harness.ts';
import { exported, imported } from '../secret-import.ts';
import { PASSWORD } from '../vault.ts';
import { callers } from './window.ts';
import { reportPresses } from './window-list.ts';

const SECRETS = 100_000;
const AT_A_TIME = 10_000;

export const windowSecrets: Figure = {
  name: 'window-secrets',
  async run({ scratch, report, say }: Bench) {
    const home = makeHome();
    try {
      const opened = await openChromiumWindow(home, []);
      try {
        const lanes = await callers(home, AT_ONCE);
        await lanes[0]?.call('vault:Create', { Password: PASSWORD, Factors: 'password', RecoveryCode: false });
        const path = join(scratch, 'window.json');
        for (let first = 0; first < SECRETS; first += AT_A_TIME) {
          exported(path, first, AT_A_TIME);
          await imported(lanes, path);
          say(`  ${String(first + AT_A_TIME)} secrets`);
        }
        const page = await opened.page();
        await page.getByRole('link', { name: 'Secrets' }).click();
        await page.locator('[role=listbox] [role=option]').first().waitFor({ timeout: 60_000 });
        // What the imports have told the window is read, and the trail beside it.
        await pause(5000);
        await reportPresses(page, { field: page.getByPlaceholder(/^Search /), typed: 'service-42', what: 'search', rows: `${SECRETS.toLocaleString('en-US')} secrets` }, report);
        for (const lane of lanes) lane.close();
      } finally {
        await opened.close();
      }
    } finally {
      home.remove();
    }
  },
};
