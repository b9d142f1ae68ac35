import { fork, spawnSync } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';

import { bundle } from './bundle.ts';

const SCRIPT = `
  import { harden, hardened } from './src/main/platform/harden.ts';
  const before = hardened();
  harden();
  process.send?.({ before, after: hardened() });
  process.on('message', () => {});
`;
const CONTROL = `process.send?.(1); process.on('message', () => {});`;

describe('harden', () => {
  it('reports what it did, forbids cores and hides memory from another process of the same user', async () => {
    const child = fork(await bundle('harden-probe', SCRIPT), { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] });
    try {
      const status = await new Promise((resolve) => child.once('message', resolve));
      expect(status).toEqual({
        before: { undumpable: false, noCore: false, noDebugger: false, problems: ['not hardened yet'] },
        after: { undumpable: true, noCore: true, noDebugger: true, problems: [] },
      });
      expect(await readFile(`/proc/${String(child.pid)}/limits`, 'utf8')).toMatch(/Max core file size\s+0\s+0/);
      // An undumpable process's files under /proc belong to root: a peer of the same user is refused.
      const owner = spawnSync('stat', ['-c', '%u', `/proc/${String(child.pid)}/mem`]).stdout.toString().trim();
      expect(owner).toBe('0');
    } finally {
      child.kill('SIGKILL');
    }
  });

  it('opens no debugger on SIGUSR1, where a bare process does', async () => {
    const says = async (script: string): Promise<string> => {
      const child = fork(script, { execArgv: ['--inspect-port=0'], stdio: ['ignore', 'ignore', 'pipe', 'ipc'] });
      try {
        await new Promise((resolve) => child.once('message', resolve));
        let stderr = '';
        child.stderr?.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
        child.kill('SIGUSR1');
        await new Promise((resolve) => setTimeout(resolve, 300));
        return stderr;
      } finally {
        child.kill('SIGKILL');
      }
    };
    expect(await says(await bundle('harden-control', CONTROL))).toContain('Debugger listening');
    expect(await says(await bundle('harden-probe', SCRIPT))).toBe('');
  });

  it('closes a debugger that was open before it', async () => {
    const child = fork(await bundle('harden-probe', SCRIPT), { execArgv: ['--inspect=127.0.0.1:0'], stdio: ['ignore', 'ignore', 'pipe', 'ipc'] });
    try {
      let stderr = '';
      child.stderr?.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
      const status = await new Promise((resolve) => child.once('message', resolve));
      expect(status).toMatchObject({ after: { noDebugger: true, problems: [] } });
      const [, address] = /ws:\/\/([^/]+)\//.exec(stderr) ?? [];
      await expect(fetch(`http://${String(address)}/json/list`)).rejects.toThrow();
    } finally {
      child.kill('SIGKILL');
    }
  });

  it('denies a reader of the same user, who could read before', async () => {
    const path = await bundle('harden-probe', SCRIPT);
    const verdict = async (script: string): Promise<string> => {
      const child = fork(script, { uid: 65534, gid: 65534, stdio: ['ignore', 'ignore', 'inherit', 'ipc'] });
      try {
        await new Promise((resolve) => child.once('message', resolve));
        const reader = spawnSync(process.execPath, ['-e', `try{require('fs').openSync('/proc/${String(child.pid)}/mem');console.log('opened')}catch(e){console.log(e.code)}`], { uid: 65534, gid: 65534 });
        return reader.stdout.toString().trim();
      } finally {
        child.kill('SIGKILL');
      }
    };
    expect(await verdict(await bundle('harden-control', CONTROL))).toBe('opened');
    expect(await verdict(path)).toBe('EACCES');
  });
});
