/** Opens (or makes) the trail in the folder of argv[2] and appends until it is killed; prints each acknowledged record's text. */
import { existsSync, writeSync } from 'node:fs';
import { join } from 'node:path';

import { create, publicKey, reopen, text } from './support.ts';

const folder = process.argv[2] ?? '';
const round = process.argv[3] ?? '';
const log = existsSync(join(folder, 'trail', 'trail.key')) ? await reopen(folder) : await create(folder);
writeSync(1, 'ready\n');
if (Number(round) % 5 === 0) await log.rotate(publicKey);
for (let caller = 0; caller < 8; caller += 1) void run(caller);

async function run(caller: number): Promise<void> {
  for (let i = 0; ; i += 1) {
    const body = `${round}/${String(caller)}/${String(i)}/${'x'.repeat((i * 97) % 1500)}`;
    const { index } = await log.append(text(body));
    // Synchronous: what is printed before the kill was acknowledged before it.
    writeSync(1, `${String(index)} ${body}\n`);
  }
}
