/** Reads one frame the way a door does, answers it with the same secret, and writes down everything that is in its heap. */
import { readFileSync } from 'node:fs';
import { writeHeapSnapshot } from 'node:v8';
import type { SecretBytes } from '../../../src/shared/model/secret-bytes.ts';
import { encodeFrame, FrameReader } from '../../../src/shared/wire/frame.ts';
import { decodeJson } from '../../../src/shared/wire/json.ts';
import { readClientMessage } from '../../../src/shared/wire/messages.ts';

const [, , mode, frames = '', snapshot = ''] = process.argv;
const secretFields = new Set(mode === 'strings' ? [] : ['Plaintext']);
const kept: unknown[] = [];

new FrameReader().push(readFileSync(frames), (frame) => {
  const message = readClientMessage(frame);
  kept.push(message);
  if (message.kind !== 'request') throw new Error('the frame is a request');
  // Often enough that the compiled code runs too.
  for (let round = 0; round < 3000; round++) {
    try {
      const input = decodeJson(message.input, { secretFields }) as { readonly Plaintext: SecretBytes | string };
      const reply = encodeFrame({ id: message.id, ok: true, output: input, requestId: 'r' });
      if (round > 2990) kept.push(input, reply);
    } catch (error) {
      kept.push(error);
    }
  }
});

writeHeapSnapshot(snapshot);
process.stdout.write(String(kept.length));
