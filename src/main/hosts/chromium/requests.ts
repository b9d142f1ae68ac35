/** What the page may load: the files of its bundle, by exact address, and its own document when main loads it. */
import { HEADERS, type Bundle } from '../bundle.ts';
import { ORIGIN, START } from './flags.ts';
import type { Params, Pipe } from './pipe.ts';

export interface Requests {
  /** A paused request of the page's session. */
  paused(params: Params, sessionId: string): void;
  /** Main is about to load the page: a request for the document itself is answered, until `release`. */
  expectDocument(): void;
  /** The document is there and the bridge is in it: what it asked for meanwhile is answered, and no other document. */
  release(): void;
}

interface Paused {
  readonly requestId: string;
  readonly url: string;
  readonly method: string;
  readonly isDocument: boolean;
}

function read({ requestId, request, resourceType }: Params): Paused {
  const { url, method } = (typeof request === 'object' && request !== null ? request : {}) as { readonly url?: unknown; readonly method?: unknown };
  return { requestId: String(requestId), url: String(url), method: String(method), isDocument: resourceType === 'Document' };
}

const header = ([name, value]: readonly [string, string]) => ({ name, value });

export function serveRequests({ bundle, pipe }: { readonly bundle: Bundle; readonly pipe: () => Pipe }): Requests {
  let documentExpected = false;
  let held: (() => void)[] | undefined = [];

  const send = (method: string, params: Params, sessionId: string): void => {
    // A request whose page has gone cannot be answered, and need not be.
    pipe().send(method, params, sessionId).catch(() => undefined);
  };
  // `BlockedByClient` would put the browser's error page in the place of the document; after `Aborted` everything stays as it was.
  const refuse = (requestId: string, sessionId: string): void => send('Fetch.failRequest', { requestId, errorReason: 'Aborted' }, sessionId);

  return {
    paused(params, sessionId) {
      const { requestId, url, method, isDocument } = read(params);
      const file = method === 'GET' && url.startsWith(START) ? bundle.file(url.slice(ORIGIN.length)) : undefined;
      if (!file || isDocument !== (url === START) || (isDocument && !documentExpected)) {
        refuse(requestId, sessionId);
        return;
      }
      const answer = (): void =>
        send(
          'Fetch.fulfillRequest',
          {
            requestId,
            responseCode: 200,
            responseHeaders: [...Object.entries(HEADERS), ['content-type', file.type] as const].map(header),
            body: Buffer.from(file.body.buffer, file.body.byteOffset, file.body.byteLength).toString('base64'),
          },
          sessionId,
        );
      if (!isDocument && held) held.push(answer);
      else answer();
    },
    expectDocument() {
      documentExpected = true;
      held = [];
    },
    release() {
      documentExpected = false;
      const waiting = held ?? [];
      held = undefined;
      for (const answer of waiting) answer();
    },
  };
}
