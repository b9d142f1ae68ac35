/** The session that the page runs in: in memory, off the network, with the bundle's files and no permission. */
import type { Session } from 'electron';
import { HEADERS, type Bundle } from '../bundle.ts';
import { ORIGIN, SCHEME, START, type ElectronApi } from './api.ts';

/** Without `persist:` in front nothing of it is written to disk. */
const PARTITION = 'keystead-window';
/** Writing to the clipboard what a person copies; nothing else is ever given. */
const GIVEN = 'clipboard-sanitized-write';

export function makeSession({ session }: Pick<ElectronApi, 'session'>, bundle: Bundle): Session {
  const made = session.fromPartition(PARTITION, { cache: false });
  made.protocol.handle(SCHEME, (request) => Promise.resolve(answer(bundle, request)));
  made.setPermissionRequestHandler((_contents, permission, decide, { isMainFrame, requestingUrl }) => decide(permission === GIVEN && isMainFrame && requestingUrl === START));
  made.setPermissionCheckHandler((_contents, permission, origin, { isMainFrame }) => permission === GIVEN && isMainFrame && (origin === ORIGIN || origin === START));
  made.setDevicePermissionHandler(() => false);
  made.setDisplayMediaRequestHandler((_request, give) => give(null));
  made.webRequest.onBeforeRequest(({ url }, decide) => decide({ cancel: !url.startsWith(START) }));
  made.on('will-download', (event) => event.preventDefault());
  made.setSpellCheckerEnabled(false);
  // For whatever the request filter does not see: a proxy where nobody can listen.
  void made.setProxy({ mode: 'fixed_servers', proxyRules: 'http://0.0.0.0:1', proxyBypassRules: '<-loopback>' });
  return made;
}

function answer(bundle: Bundle, { method, url }: { readonly method: string; readonly url: string }): Response {
  const file = method === 'GET' && url.startsWith(START) ? bundle.file(url.slice(ORIGIN.length)) : undefined;
  if (!file) return new Response(null, { status: 404, headers: HEADERS });
  return new Response(new Uint8Array(file.body), { status: 200, headers: { ...HEADERS, 'content-type': file.type } });
}
