/** An X server of the test's own, without a screen to look at (Xvfb), with or without a cookie. */
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

export interface XServer {
  /** DISPLAY, XAUTHORITY and PATH for its programs. */
  readonly env: Readonly<Record<string, string>>;
  end(): Promise<void>;
}

/** `home`: for the cookie's file; without it everybody of this machine is let in. */
export async function startXServer(home?: string): Promise<XServer> {
  const authority = home === undefined ? undefined : join(home, 'Xauthority');
  const cookie = randomBytes(16);
  // For every display: which one it is comes out later.
  if (authority !== undefined) writeFileSync(authority, entry(hostname(), '', 'MIT-MAGIC-COOKIE-1', cookie), { mode: 0o600 });
  const server = spawn('Xvfb', ['-displayfd', '3', '-screen', '0', '640x480x24', '-nolisten', 'tcp', ...(authority === undefined ? ['-ac'] : ['-auth', authority])], { stdio: ['ignore', 'ignore', 'ignore', 'pipe'] });
  const number = await new Promise<string>((resolve, reject) => {
    server.stdio[3]?.once('data', (chunk: Buffer) => resolve(chunk.toString('latin1').trim()));
    server.once('exit', () => reject(new Error('Xvfb did not start')));
    server.once('error', reject);
  });
  return {
    env: { PATH: process.env['PATH'] ?? '', DISPLAY: `:${number}`, ...(authority === undefined ? {} : { XAUTHORITY: authority }) },
    async end() {
      const gone = new Promise((done) => server.once('exit', done));
      server.kill('SIGKILL');
      await gone;
    },
  };
}

/** Xau(3): family 256 is this machine. */
function entry(address: string, display: string, name: string, data: Uint8Array): Buffer {
  const counted = (bytes: Uint8Array): Buffer => Buffer.concat([Buffer.of(bytes.length >> 8, bytes.length & 255), bytes]);
  return Buffer.concat([Buffer.of(1, 0), ...[address, display, name].map((text) => counted(Buffer.from(text))), counted(data)]);
}

/** What another program gets when it pastes; undefined when there is nothing of that kind. This process may be the one that gives it. */
export async function paste(server: XServer, target?: string): Promise<string | undefined> {
  const child = spawn('xclip', ['-selection', 'clipboard', '-out', ...(target === undefined ? [] : ['-target', target])], { env: server.env, timeout: 5000, stdio: ['ignore', 'pipe', 'ignore'] });
  const chunks: Buffer[] = [];
  child.stdout.on('data', (chunk: Buffer) => chunks.push(chunk));
  const code = await new Promise((done) => child.once('close', done));
  return code === 0 ? Buffer.concat(chunks).toString() : undefined;
}

/** Another program copies something. Resolves once it is there. */
export async function copyElsewhere(server: XServer, text: string): Promise<void> {
  const child = spawn('xclip', ['-selection', 'clipboard', '-in'], { env: server.env, stdio: ['pipe', 'ignore', 'ignore'] });
  child.stdin.end(text);
  await new Promise((done) => child.once('exit', done));
  // It goes on in the background, and has the clipboard a moment later.
  while ((await paste(server)) !== text) await sleep(5);
}
