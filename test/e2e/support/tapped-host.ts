/** The Chromium host with a way in for Playwright. `chromium-window.ts` puts it in the host's place; the product has no such thing. */
import { createChromiumHost as createHost, type ChromiumOptions } from '../../../src/main/hosts/chromium/host.ts';
import type { Pipe } from '../../../src/main/hosts/chromium/pipe.ts';
import type { WindowHost } from '../../../src/main/hosts/port.ts';
import { openTap, type Tap } from '../../hosts/tap.ts';

const say = (line: string): boolean => process.stdout.write(`${line}\n`);

export function createChromiumHost(options: ChromiumOptions): WindowHost {
  let pipe: Pipe | undefined;
  let tap: Tap | undefined;
  const host = createHost({ ...options, onPipe: (opened) => (pipe = opened), onForeignEvent: (event) => tap?.event(event) });
  return {
    ...host,
    async open() {
      await host.open();
      tap = await openTap(() => pipe!);
      say(`tap ${tap.endpoint}`);
    },
    async renew() {
      await host.renew();
      say('renewed');
    },
    async close() {
      await host.close();
      await tap?.close();
    },
  };
}
