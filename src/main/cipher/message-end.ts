/**
 * Where a message ends (AWS Encryption SDK, "Message format reference", version 2 of the header): the library stops reading there and says
 * nothing of bytes that follow, so that a file could be longer than what was checked of it. This walks over the lengths and
 * nothing else; every byte before the end is the library's to check.
 */
const VERSION_2 = 2;
/** Suite 0x0578: AES-256-GCM, HKDF-SHA512, key commitment, ECDSA P-384. The only one of version 2 with a signature. */
const SIGNED = 0x0578;
const FRAMED = 2;
const FINAL = 0xffff_ffff;
const [IV, TAG, MESSAGE_ID, COMMITMENT] = [12, 16, 32, 32] as const;

interface Step {
  /** Bytes wanted; those that are only passed over are not kept. */
  readonly length: number;
  readonly keep: boolean;
}

const take = (length: number): Step => ({ length, keep: true });
const pass = (length: number): Step => ({ length, keep: false });
const view = (bytes: Uint8Array): DataView => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);

type Reading<T> = Generator<Step, T, Uint8Array>;

function* u16(): Reading<number> {
  return view(yield take(2)).getUint16(0);
}
function* u32(): Reading<number> {
  return view(yield take(4)).getUint32(0);
}

function* steps(): Reading<void> {
  // Another version is refused by the commitment policy; where it ends does not matter.
  if ((yield take(1))[0] !== VERSION_2) return void (yield pass(Number.POSITIVE_INFINITY));
  const suite = yield* u16();
  yield pass(MESSAGE_ID);
  yield pass(yield* u16());
  for (let keys = yield* u16(); keys > 0; keys -= 1) for (let part = 0; part < 3; part += 1) yield pass(yield* u16());
  const contentType = (yield take(1))[0];
  const frameLength = yield* u32();
  yield pass(COMMITMENT + TAG);
  if (contentType === FRAMED) yield* frames(frameLength);
  else {
    yield pass(IV);
    yield pass(Number(view(yield take(8)).getBigUint64(0)) + TAG);
  }
  if (suite === SIGNED) yield pass(yield* u16());
}

function* frames(frameLength: number): Reading<void> {
  while ((yield* u32()) !== FINAL) yield pass(IV + frameLength + TAG);
  yield pass(4 + IV);
  yield pass((yield* u32()) + TAG);
}

/** Is given a message piece by piece; false from the piece on that goes beyond its end. */
export function createEndWatch(): (piece: Uint8Array) => boolean {
  const walk = steps();
  let next = walk.next();
  let kept = new Uint8Array(0);
  let missing = next.done ? 0 : next.value.length;
  const advance = (): void => {
    // A step of no bytes is over at once.
    do {
      next = walk.next(kept);
      kept = new Uint8Array(0);
      missing = next.done ? 0 : next.value.length;
    } while (!next.done && missing === 0);
  };
  return (piece) => {
    let at = 0;
    while (at < piece.byteLength) {
      if (next.done) return false;
      const end = Math.min(piece.byteLength, at + missing);
      if (next.value.keep) kept = Uint8Array.of(...kept, ...piece.subarray(at, end));
      missing -= end - at;
      at = end;
      if (missing === 0) advance();
    }
    return true;
  };
}
