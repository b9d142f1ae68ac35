/** After frames have gone both ways and were wiped, no copy of them is left in this side's memory. Reads it to see. */
import { spawnSync } from 'node:child_process';
import { expect, it } from 'vitest';

import { bundle } from './bundle.ts';

/** The needle is only ever held XORed, so that the search cannot find itself. `plant` is the positive control. */
const SCRIPT = `
  import { openSync, readFileSync, readSync } from 'node:fs';
  import { createProcessHost } from './src/main/platform/process.ts';
  const [echo, plant] = process.argv.slice(2);
  const child = createProcessHost({ entries: { sealer: echo, keychain: '', cipher: '', egress: '', importer: '' } }).spawn('sealer');
  const mask = crypto.getRandomValues(new Uint8Array(new ArrayBuffer(4096)));
  const LENGTH = 32;
  const make = (size: number): Uint8Array => {
    const frame = new Uint8Array(new ArrayBuffer(size));
    for (let i = 0; i < LENGTH; i++) frame[size - 100 + i] = (mask[i] ?? 0) ^ 0x5a;
    return frame;
  };
  const planted: Uint8Array[] = [];
  let left = 0;
  let done = (): void => undefined;
  child.onFrame((frame) => {
    if (plant === 'plant' && planted.length === 0) planted.push(frame);
    else frame.fill(0);
    if (--left === 0) done();
  });
  for (const [size, count] of [[200, 1], [1024, 500], [70_000, 20], [300_000, 10]] as const) {
    await new Promise<void>((resolve) => {
      left = count;
      done = resolve;
      for (let i = 0; i < count; i++) child.send(make(size));
    });
  }
  await new Promise((resolve) => setTimeout(resolve, 50));
  let hits = 0;
  const memory = openSync('/proc/self/mem', 'r');
  const window = Buffer.allocUnsafeSlow(1 << 20);
  const first = (mask[0] ?? 0) ^ 0x5a;
  for (const line of readFileSync('/proc/self/maps', 'utf8').split('\\n')) {
    const range = /^([0-9a-f]+)-([0-9a-f]+) rw/.exec(line);
    if (!range || line.includes('[v')) continue;
    const end = parseInt(range[2] ?? '', 16);
    for (let at = parseInt(range[1] ?? '', 16); at < end; at += window.length - LENGTH) {
      let length = 0;
      try { length = readSync(memory, window, 0, Math.min(window.length, end - at), at); } catch { break; }
      for (let i = window.indexOf(first); i >= 0 && i + LENGTH <= length; i = window.indexOf(first, i + 1)) {
        let same = 0;
        while (same < LENGTH && window[i + same] === ((mask[same] ?? 0) ^ 0x5a)) same++;
        if (same === LENGTH) hits++;
      }
      window.fill(0);
    }
  }
  child.kill();
  await child.exited;
  console.log(hits, planted.length);
`;

it('frames leave no copy in memory, and the search finds one that was not wiped', async () => {
  const echo = await bundle('wiping-echo', `import { childPort } from './src/main/platform/child-port.ts'; const port = childPort(); port.onFrame((frame) => port.send(frame)); void port.closed.then(() => process.exit(0));`);
  const script = await bundle('wiping-probe', SCRIPT);
  const search = (plant: string): string => spawnSync(process.execPath, [script, echo, plant]).stdout.toString().trim();
  expect(search('clean')).toBe('0 0');
  expect(search('plant')).toMatch(/^[1-9]\d* 1$/);
}, 60_000);
