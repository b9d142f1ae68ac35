/** The renderer's bundle as both hosts serve it: a closed table of files, and the headers that keep a page inside its document. */
import { readdirSync, readFileSync } from 'node:fs';
import { extname, join, sep } from 'node:path';
import { VaultError } from '../../shared/model/errors.ts';

export interface ServedFile {
  readonly type: string;
  readonly body: Uint8Array;
}

export interface Bundle {
  /** By exact path of a URL: `/` is the page, everything else a file of the bundle. Undefined for whatever is not in it. */
  file(path: string): ServedFile | undefined;
}

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.woff2': 'font/woff2',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.json': 'application/json',
};

/**
 * `sandbox` leaves a document its scripts, its origin and its submit events (`form-action` still lets no form go anywhere), and so takes
 * away popups, navigation of others, modal dialogs and downloads.
 */
const CONTENT_SECURITY_POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "font-src 'self'",
  "img-src 'self' data:",
  "connect-src 'none'",
  "frame-src 'none'",
  "worker-src 'none'",
  "object-src 'none'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
  "require-trusted-types-for 'script'",
  "trusted-types 'none'",
  "webrtc 'block'",
  'sandbox allow-scripts allow-same-origin allow-forms',
].join('; ');

/** Writing what a person copies is left to the page; reading the clipboard is not. */
const PERMISSIONS_POLICY = [
  ...['accelerometer', 'ambient-light-sensor', 'attribution-reporting', 'autoplay', 'bluetooth', 'browsing-topics', 'camera', 'clipboard-read', 'compute-pressure', 'cross-origin-isolated'],
  ...['display-capture', 'encrypted-media', 'fullscreen', 'gamepad', 'geolocation', 'gyroscope', 'hid', 'identity-credentials-get', 'idle-detection', 'interest-cohort', 'join-ad-interest-group'],
  ...['keyboard-map', 'local-fonts', 'magnetometer', 'microphone', 'midi', 'otp-credentials', 'payment', 'picture-in-picture', 'private-aggregation', 'publickey-credentials-create'],
  ...['publickey-credentials-get', 'run-ad-auction', 'screen-wake-lock', 'serial', 'shared-storage', 'speaker-selection', 'storage-access', 'sync-xhr', 'usb', 'window-management', 'xr-spatial-tracking'],
]
  .map((feature) => `${feature}=()`)
  .join(', ');

export const HEADERS: Readonly<Record<string, string>> = {
  'content-security-policy': CONTENT_SECURITY_POLICY,
  'permissions-policy': PERMISSIONS_POLICY,
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-embedder-policy': 'require-corp',
  'cross-origin-resource-policy': 'same-origin',
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
  'x-dns-prefetch-control': 'off',
  'cache-control': 'no-store',
};

/** Reads the folder once: what is served cannot change, or lead elsewhere, while the page runs. Throws InternalException without `index.html`. */
export function readBundle(folder: string): Bundle {
  const files = new Map<string, ServedFile>();
  let entries;
  try {
    entries = readdirSync(folder, { recursive: true, withFileTypes: true });
  } catch (error) {
    throw new VaultError('InternalException', `the window's pages are not in \`${folder}\`; type: npm run build`, { cause: error });
  }
  for (const entry of entries) {
    const type = TYPES[extname(entry.name)];
    if (!entry.isFile() || type === undefined) continue;
    const path = join(entry.parentPath, entry.name);
    files.set(`/${path.slice(folder.length + 1).split(sep).join('/')}`, { type, body: readFileSync(path) });
  }
  const index = files.get('/index.html');
  if (!index) throw new VaultError('InternalException', `\`${join(folder, 'index.html')}\` is missing; type: npm run build`);
  files.delete('/index.html');
  files.set('/', index);
  return { file: (path) => files.get(path) };
}
