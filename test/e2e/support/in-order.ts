/** Tests that stand on the ones before: after one that failed, the others fail at once, and a picture shows where it was. */
import { mkdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { Page } from 'playwright-core';
import { afterEach, beforeEach } from 'vitest';

const FOLDER = resolve(import.meta.dirname, '../../../node_modules/.cache/keystead');

export function inOrder(page: () => Page): void {
  let failed: string | undefined;
  beforeEach(() => {
    if (failed !== undefined) throw new Error(`not tried, since \`${failed}\` failed`);
  });
  afterEach(async ({ task }) => {
    if (task.result?.state !== 'fail' || failed !== undefined) return;
    failed = task.name;
    mkdirSync(FOLDER, { recursive: true });
    await page().screenshot({ path: join(FOLDER, 'e2e-failure.png'), timeout: 5000 }).catch(() => undefined);
  });
}
