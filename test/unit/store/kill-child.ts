/**
 * A write load in a process of its own, to be killed. Arguments: folder, code (hex). For each unit that was acknowledged it
 * says on standard output, at once: `name count` (the alias and how often it was changed).
 */
import { writeSync } from 'node:fs';

import { instant, keyIdFrom } from '../../../src/shared/model/ids.ts';
import { systemRandom } from '../../../src/main/platform/random.ts';
import { createSealer } from '../../../src/main/sealer/sealer.ts';
import { openStore } from '../../../src/main/store/store.ts';
import { parseAliasName } from '../../../src/shared/model/ids.ts';
import { readFileSync } from 'node:fs';

const CALLERS = 8;
const [folder = '', code = ''] = process.argv.slice(2);
const header = readFileSync(`${folder}/header`);
const sealer = createSealer({ random: systemRandom });
await sealer.call('unseal', { header, factors: { code: Buffer.from(code, 'hex') }, type: 'recovery', ramBytes: 2 ** 33 });
const clock = { now: () => instant(Date.now()), monotonic: () => performance.now(), boottime: () => performance.now() };
const store = await openStore(sealer, { folder, header }, { random: systemRandom, clock });
let intent = store.state.trailIndex;
writeSync(1, `ready ${String(store.state.epoch)}\n`);

async function caller(number: number): Promise<never> {
  for (let round = 0; ; round++) {
    const name = parseAliasName(`alias/c${String(number)}-${String(round % 5)}`);
    const { value, delivered } = await store.write({ intent: { index: ++intent, hash: systemRandom.bytes(32) }, outcome: (count: number, epoch) => Buffer.from(`${name} ${String(count)} ${String(epoch)}`) }, async (writer) => {
      const known = await writer.alias(name);
      const count = (known?.updated ?? 0) + 1;
      if (known && count % 7 === 0) {
        writer.deleteAlias(name);
        writer.insertAlias({ ...known, updated: instant(count) });
      } else if (known) writer.updateAlias({ ...known, updated: instant(count) });
      else writer.insertAlias({ name, target: keyIdFrom(systemRandom.bytes(16)), created: instant(1), updated: instant(count) });
      return count;
    });
    writeSync(1, `${name} ${String(value)}\n`);
    if (round % 2 === 0) delivered();
  }
}
await Promise.all(Array.from({ length: CALLERS }, (_, number) => caller(number)));
