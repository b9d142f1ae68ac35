/**
 * Lets Playwright look through the pipe that the Chromium host already has: a WebSocket of the test's own, on loopback, each connection with
 * a browser session of its own. The product has no such thing.
 */
import { createServer } from 'node:http';
import { WebSocketServer } from 'ws';
import type { DevToolsEvent, Params, Pipe } from '../../src/main/hosts/chromium/pipe.ts';

export interface Tap {
  readonly endpoint: string;
  /** For the host's `onForeignEvent`. */
  event(event: DevToolsEvent): void;
  close(): Promise<void>;
}

interface Command {
  readonly id: number;
  readonly method: string;
  readonly params?: Params;
  readonly sessionId?: string;
}

export async function openTap(pipe: () => Pipe): Promise<Tap> {
  const listeners = new Set<(event: DevToolsEvent) => void>();
  const http = createServer();
  const server = new WebSocketServer({ server: http });
  await new Promise<void>((done) => http.listen(0, '127.0.0.1', done));
  const { port } = http.address() as { port: number };

  server.on('connection', (socket) => {
    const say = (message: object): void => socket.send(JSON.stringify(message));
    const root = pipe().send('Target.attachToBrowserTarget');
    let own: string | undefined;
    const sessions = new Set<string>();
    const listener = ({ method, params, sessionId }: DevToolsEvent): void => {
      if (sessionId === undefined || !(sessionId === own || sessions.has(sessionId))) return;
      if (method === 'Target.attachedToTarget') sessions.add(String(params['sessionId']));
      say({ method, params, ...(sessionId === own ? {} : { sessionId }) });
    };
    listeners.add(listener);
    socket.on('close', () => listeners.delete(listener));
    socket.on('message', (data: Buffer) => {
      const { id, method, params, sessionId } = JSON.parse(data.toString('utf8')) as Command;
      const back = sessionId === undefined ? {} : { sessionId };
      void root.then(async (attached) => {
        own = String(attached['sessionId']);
        // Playwright would have the browser write downloads to disk; here nothing is downloaded.
        if (method === 'Browser.setDownloadBehavior') return say({ id, result: {}, ...back });
        await pipe()
          .send(method, params, sessionId ?? own, (result) => say({ id, result, ...back }))
          .catch((error: unknown) => say({ id, error: { message: String(error) }, ...back }));
      });
    });
  });
  return {
    endpoint: `ws://127.0.0.1:${String(port)}/`,
    event: (event) => listeners.forEach((listener) => listener(event)),
    async close() {
      for (const socket of server.clients) socket.terminate();
      server.close();
      await new Promise<void>((done) => http.close(() => done()));
    },
  };
}
