/** What a secret's page may hold, and what the vault has. */
import type { Page } from 'playwright-core';
import { SecretBytes } from '../../../src/shared/model/secret-bytes.ts';
import type { OpenWindow } from '../../hosts/playwright.ts';

/** The current value, as the vault's own door gives it. */
export async function currentValue({ local }: OpenWindow, SecretId: string): Promise<string> {
  const { SecretString } = await local.ok('secretsmanager:GetSecretValue', { SecretId });
  if (!(SecretString instanceof SecretBytes)) throw new Error('no text');
  using secret = SecretString;
  return secret.borrow((bytes) => Buffer.from(bytes).toString('utf8'));
}

/** The whole document, and what stands in its fields, which its markup does not have. */
export const wholePage = (page: Page): Promise<string> =>
  page.evaluate(() => document.documentElement.outerHTML + Array.from(document.querySelectorAll('input, textarea'), (one) => (one as HTMLInputElement).value).join('\n'));
