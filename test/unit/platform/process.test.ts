import { existsSync, readFileSync } from 'node:fs';
import { beforeAll, describe, expect, it } from 'vitest';

import { MAX_FRAME } from '../../../src/main/platform/framing.ts';
import type { Child } from '../../../src/main/platform/ports.ts';
import { createProcessHost } from '../../../src/main/platform/process.ts';
import { VaultError } from '../../../src/shared/model/errors.ts';
import { bundle } from './bundle.ts';
import { recordingLog } from '../../fakes/recording-log.ts';

/** Does what its first argument says. */
const SCRIPT = `
  import { writeSync } from 'node:fs';
  import { harden, hardened } from './src/main/platform/harden.ts';
  import { childPort } from './src/main/platform/child-port.ts';
  harden();
  const mode = process.argv[2];
  const raw = (...bytes: number[]) => writeSync(3, Uint8Array.from(bytes));
  if (mode === 'huge') { raw(255, 255, 255, 255); setInterval(() => {}, 1000); }
  else if (mode === 'cut') { raw(0, 0, 0, 9, 1, 2); process.exit(0); }
  else if (mode === 'last-word') { raw(0, 0, 0, 1, 42); process.exit(7); }
  else if (mode === 'deaf') { setInterval(() => {}, 1000); }
  else if (mode === 'close') { (await import('node:fs')).closeSync(3); setInterval(() => {}, 1000); }
  else if (mode === 'throw') { JSON.parse('hunter2'); }
  else {
    const port = childPort();
    port.onFrame((frame) => {
      if (mode === 'env') port.send(new TextEncoder().encode(JSON.stringify({ env: process.env, execArgv: process.execArgv, hardened: hardened() })));
      else if (mode === 'hang') for (;;);
      else port.send(frame);
    });
    void port.closed.then(() => process.exit(0));
  }
`;

let script = '';
beforeAll(async () => {
  script = await bundle('echo-child', SCRIPT);
});

function start(mode: string): { child: Child; log: ReturnType<typeof recordingLog> } {
  const log = recordingLog();
  return { child: createProcessHost({ entries: { sealer: script, keychain: script, cipher: '', pkcs11: '', egress: '', importer: '' }, log }).spawn('sealer', { args: [mode] }), log };
}

const frameOf = (child: Child): Promise<Uint8Array> => new Promise((resolve) => child.onFrame(resolve));

describe('process host', () => {
  it('echoes frames of every size in order, and wipes what it was given', async () => {
    const { child } = start('echo');
    const sizes = [0, 1, 3, 1024, 65_536, 65_537, 131_073, 3_000_000];
    const got: Uint8Array[] = [];
    const all = new Promise<void>((resolve) => {
      child.onFrame((frame) => {
        got.push(frame);
        if (got.length === sizes.length) resolve();
      });
    });
    const sent = sizes.map((size, i) => new Uint8Array(size).fill(i + 1));
    for (const frame of sent) child.send(frame);
    await all;
    expect(got.map((frame) => frame.length)).toEqual(sizes);
    expect(got.every((frame, i) => frame.every((byte) => byte === i + 1))).toBe(true);
    expect(got.every((frame) => frame.buffer.byteLength === frame.length)).toBe(true);
    expect(sent.every((frame) => frame.every((byte) => byte === 0))).toBe(true);
    child.kill();
    await child.exited;
  });

  it('gives the child a minimal environment and none of the secrets in ours', async () => {
    process.env['KEYSTEAD_TEST_SECRET'] = 'canary';
    process.env['NODE_OPTIONS'] = '';
    const { child } = start('env');
    child.send(new Uint8Array(1));
    const reply: unknown = JSON.parse(new TextDecoder().decode(await frameOf(child)));
    delete process.env['KEYSTEAD_TEST_SECRET'];
    child.kill();
    await child.exited;
    expect(reply).toMatchObject({ hardened: { undumpable: process.platform === 'linux', noDebugger: true } });
    const { env } = reply as { env: Record<string, string> };
    expect(Object.keys(env).every((name) => ['PATH', 'HOME', 'LANG'].includes(name))).toBe(true);
  });

  it('kill ends a child that listens and one that computes for ever, and `exited` means gone', async () => {
    for (const mode of ['echo', 'hang']) {
      const { child } = start(mode);
      child.send(new Uint8Array(1));
      if (mode === 'echo') await frameOf(child);
      else await new Promise((resolve) => setTimeout(resolve, 200));
      child.kill();
      expect(await child.exited).toEqual({ code: null, signal: 'SIGKILL' });
      expect(existsSync(`/proc/${String(child.pid)}`)).toBe(false);
      const frame = Uint8Array.of(1, 2, 3);
      expect(() => child.send(frame)).toThrow(VaultError);
      expect([...frame]).toEqual([0, 0, 0]);
    }
  });

  it('kills a child that announces 4 GiB', async () => {
    const { child, log } = start('huge');
    expect(await child.exited).toMatchObject({ signal: 'SIGKILL' });
    expect(log.names()).toContain('child.broken');
  });

  it('drops a frame that is cut off, and says so', async () => {
    const { child, log } = start('cut');
    let frames = 0;
    child.onFrame(() => frames++);
    await child.exited;
    expect(frames).toBe(0);
    expect(log.names()).toContain('child.broken');
  });

  it('hands out the last word of a child before `exited`', async () => {
    const { child } = start('last-word');
    const seen: number[] = [];
    child.onFrame((frame) => seen.push(frame[0] ?? -1));
    expect(await child.exited).toEqual({ code: 7, signal: null });
    expect(seen).toEqual([42]);
  });

  it('kills a child that closes its channel but stays', async () => {
    const { child } = start('close');
    expect(await child.exited).toMatchObject({ signal: 'SIGKILL' });
  });

  it('refuses a frame over the limit and wipes it; the child lives on', async () => {
    const { child } = start('echo');
    const frame = new Uint8Array(MAX_FRAME + 1).fill(1);
    expect(() => child.send(frame)).toThrow(/over the limit/);
    expect(frame[0]).toBe(0);
    child.send(Uint8Array.of(5));
    expect([...(await frameOf(child))]).toEqual([5]);
    child.kill();
    await child.exited;
  });

  it('says what is wrong when the entry does not exist', async () => {
    const host = createProcessHost({ entries: { sealer: '/nonexistent.mjs', keychain: script, cipher: '', pkcs11: '', egress: '', importer: '' } });
    expect(await host.spawn('sealer').exited).toMatchObject({ code: 1 });
  });

  it('puts the class and the place of a crash into the log, never its message', async () => {
    const { child, log } = start('throw');
    await child.exited;
    await new Promise((resolve) => setTimeout(resolve, 20));
    const text = JSON.stringify(log.events);
    expect(text).toContain('SyntaxError');
    expect(text).not.toContain('hunter2');
    expect(log.events.some(({ event, fields }) => event === 'child.stderr' && 'where' in fields)).toBe(true);
  });

  it('ends with its parent, also while it computes', async () => {
    const parent = await bundle(
      'parent-of-child',
      `import { createProcessHost } from './src/main/platform/process.ts';
       const child = createProcessHost({ entries: { sealer: process.argv[2], keychain: '', cipher: '', pkcs11: '', egress: '', importer: '' } }).spawn('sealer', { args: ['hang'] });
       child.send(new Uint8Array(1));
       setTimeout(() => process.send?.(child.pid), 300);`,
    );
    const { fork } = await import('node:child_process');
    const process_ = fork(parent, [script]);
    const pid = await new Promise<number>((resolve) => process_.once('message', (message) => resolve(Number(message))));
    expect(readFileSync(`/proc/${String(pid)}/cmdline`, 'utf8')).toContain('echo-child');
    process_.kill('SIGKILL');
    for (let i = 0; i < 100 && alive(pid); i++) await new Promise((resolve) => setTimeout(resolve, 20));
    expect(alive(pid)).toBe(false);
  });
});

/** Dead but not yet waited for counts as gone: nobody here is its parent. */
function alive(pid: number): boolean {
  try {
    return !readFileSync(`/proc/${String(pid)}/stat`, 'utf8').includes(') Z ');
  } catch {
    return false;
  }
}
