/**
 * Every key of a vault, learned from its folder and a recovery code as the owner could: so that the scan looks for the real root, table
 * keys and private keys, which no operation gives away.
 */
import { createPrivateKey } from 'node:crypto';
import { cpSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from '@photostructure/sqlite';
import { parseHeader } from '../../../src/main/seal/header.ts';
import { TABLES } from '../../../src/main/seal/protocol.ts';
import { parseRecoveryCode } from '../../../src/main/seal/recovery-code.ts';
import { openRecord } from '../../../src/main/seal/record.ts';
import { openSecrets } from '../../../src/main/seal/secrets.ts';
import { deriveSlotKey, openSlot, slotCommits } from '../../../src/main/seal/slots.ts';
import { TermKeys } from '../../../src/main/seal/term-keys.ts';
import { decodeMaterial } from '../../../src/main/sealer/material-format.ts';
import { nextKey } from '../../../src/main/trail/ratchet.ts';
import { HEADER_LENGTH, openStartKey } from '../../../src/main/trail/segment.ts';
import type { Needle } from './needles.ts';

/** Which needles the sealer must hold while the vault is open, for the positive control. */
export interface KnownKeys {
  readonly needles: readonly Needle[];
  readonly heldBySealer: readonly string[];
}

/** The private parts of a PKCS #8 key by themselves: OpenSSL keeps numbers, not DER, and may keep them little-endian. */
function privateParts(name: string, pkcs8: Uint8Array): readonly Needle[] {
  const jwk = createPrivateKey({ key: Buffer.from(pkcs8), format: 'der', type: 'pkcs8' }).export({ format: 'jwk' });
  return (['d', 'p', 'q'] as const).flatMap((field) => {
    const value = jwk[field];
    if (value === undefined) return [];
    const bytes = Buffer.from(value, 'base64url');
    return [
      { name: `${name} ${field}`, bytes },
      { name: `${name} ${field} reversed`, bytes: Buffer.from(bytes).reverse() },
    ];
  });
}

interface Row {
  readonly row_id: Uint8Array;
  readonly version: number;
  readonly schema: number;
  readonly body: Uint8Array;
}

function materialNeedles(folder: string, keys: TermKeys): readonly Needle[] {
  // The vault holds its database exclusively: a copy is read, with what is in its journal.
  const copy = mkdtempSync(join(tmpdir(), 'ks-copy-'));
  for (const name of ['vault.db', 'vault.db-wal']) cpSync(join(folder, name), join(copy, name));
  const database = new DatabaseSync(join(copy, 'vault.db'));
  try {
    const rows = database.prepare('SELECT row_id, version, schema, body FROM key_materials').all() as unknown as readonly Row[];
    return rows.flatMap((row) => {
      const plain = openRecord(keys, { table: 'key_materials', rowId: row.row_id, version: row.version, schema: row.schema }, row.body);
      if (!plain) throw new Error('a key material does not open');
      const { spec, key } = decodeMaterial(plain);
      const name = `${spec} key`;
      if (key[0] === 0x30 && key.length > 64) return privateParts(name, key);
      return [{ name, bytes: Buffer.from(key), aes: spec === 'SYMMETRIC_DEFAULT' }];
    });
  } finally {
    database.close();
    rmSync(copy, { recursive: true });
  }
}

/** The first keys of the trail's ratchet, which main has long stepped past. */
function trailNeedles(folder: string, privateKey: Uint8Array): readonly Needle[] {
  const start = openStartKey(readFileSync(join(folder, 'trail', '00000001.seg')).subarray(0, HEADER_LENGTH), privateKey);
  if (!start) throw new Error('the first trail segment does not open');
  const needles: Needle[] = [];
  let key: Uint8Array = start;
  for (let index = 0; index < 8; index++, key = nextKey(key)) needles.push({ name: `trail K(${String(index)})`, bytes: Buffer.from(key) });
  return needles;
}

export async function knownKeys(folder: string, recoveryCode: string): Promise<KnownKeys> {
  const header = parseHeader(readFileSync(join(folder, 'header')));
  const slot = header.slots.find(({ type }) => type === 'recovery');
  if (!slot) throw new Error('the vault has no recovery slot');
  const slotKey = await deriveSlotKey(header.vaultId, slot, { code: parseRecoveryCode(Buffer.from(recoveryCode)) });
  if (!slotCommits(slot, slotKey)) throw new Error('the recovery code does not open the vault');
  const root = openSlot(header.vaultId, slot, slotKey);
  if (!root) throw new Error('the slot does not open');
  const keys = new TermKeys(root, header.vaultId, header.term);
  const secrets = openSecrets(keys, header.secrets);
  if (!secrets) throw new Error('the header secrets do not open');
  const era = secrets.eras.at(-1)!;
  const held: readonly Needle[] = [
    { name: 'root', bytes: Buffer.from(root) },
    { name: 'set-hash key', bytes: Buffer.from(keys.setHash) },
    { name: 'header MAC key', bytes: Buffer.from(keys.headerMac) },
    ...TABLES.flatMap((table) => [
      { name: `table key ${table}`, bytes: Buffer.from(keys.table(table)) },
      { name: `blind key ${table}`, bytes: Buffer.from(keys.blind(table)) },
    ]),
    { name: 'locator key', bytes: Buffer.from(secrets.locatorKey), aes: true },
    { name: 'trail private key', bytes: Buffer.from(era.trailPrivateKey) },
    { name: 'checkpoint seed', bytes: Buffer.from(era.checkpointSeed) },
  ];
  const materials = materialNeedles(folder, keys);
  return {
    needles: [...held, ...materials, { name: 'slot KEK', bytes: Buffer.from(slotKey.kek) }, ...trailNeedles(folder, era.trailPrivateKey)],
    heldBySealer: [...held.map(({ name }) => name), ...materials.filter(({ name }) => name.endsWith(' key')).map(({ name }) => name)],
  };
}
