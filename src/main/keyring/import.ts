/**
 * Key material that is brought from elsewhere: which material a key takes, when it goes, and what the key is without it. Pure.
 * Source: AWS KMS API Reference, ImportKeyMaterial and DeleteImportedKeyMaterial; AWS KMS Developer Guide, "Importing key material".
 *
 * Defends against: another material in the place of the one that a key's ciphertexts were made with; use of a material past its date.
 * Does not: see any material, only its identity.
 */
import { VaultError } from '../../shared/model/errors.ts';
import type { Instant } from '../../shared/model/ids.ts';
import { isImportable } from '../../shared/model/wrapping.ts';
import { assertAllows, isWhole } from './key.ts';
import type { ImportedMaterial, KeyRecord } from './ports.ts';

/** What a caller says of the material that it brings. */
export interface Claim {
  readonly type?: 'NEW_KEY_MATERIAL' | 'EXISTING_KEY_MATERIAL' | undefined;
  /** 64 hexadecimal digits. */
  readonly keyMaterialId?: string | undefined;
  readonly description?: string | undefined;
  readonly validTo?: Instant | undefined;
}

/** A key, and its materials (8 bytes, hex) that it no longer holds. */
export interface Dropped {
  readonly key: KeyRecord;
  readonly dropped: readonly string[];
}

/** Throws UnsupportedOperationException or KMSInvalidStateException. */
export function assertTakesImport(key: KeyRecord): void {
  if (key.origin !== 'EXTERNAL') throw new VaultError('UnsupportedOperationException', `the material of key \`${key.keyId}\` was made here; only a key of origin EXTERNAL takes key material from elsewhere`);
  if (!isImportable(key.spec)) throw new VaultError('UnsupportedOperationException', `a key of spec \`${key.spec}\` takes no key material from elsewhere`);
  assertAllows(key, 'import');
}

const wrongMaterial = (key: KeyRecord, why: string): VaultError => new VaultError('IncorrectKeyMaterialException', `the key material is not right for key \`${key.keyId}\`: ${why}`);

/** What can be said before the material is unwrapped. Throws ValidationException, or what `assertTakesImport` does. */
export function assertClaim(key: KeyRecord, claim: Claim): void {
  assertTakesImport(key);
  const { type, keyMaterialId, description } = claim;
  const extra = type !== undefined || keyMaterialId !== undefined || description !== undefined;
  if (extra && key.spec !== 'SYMMETRIC_DEFAULT') throw new VaultError('ValidationException', '`ImportType`, `KeyMaterialId` and `KeyMaterialDescription` go with symmetric encryption keys only: leave them out');
  if (type === 'NEW_KEY_MATERIAL' && keyMaterialId !== undefined) throw new VaultError('ValidationException', '`KeyMaterialId` names a material that the key has had: leave it out for `NEW_KEY_MATERIAL`');
}

/** `identity`: 32 bytes, hex. Throws IncorrectKeyMaterialException, KMSInvalidStateException, or what `assertClaim` does. */
export function imported(key: KeyRecord, identity: string, claim: Claim): KeyRecord {
  assertClaim(key, claim);
  const { imports = [] } = key;
  const known = imports.find((one) => one.identity === identity);
  if (claim.keyMaterialId !== undefined && claim.keyMaterialId !== identity) throw wrongMaterial(key, 'it is not the one that `KeyMaterialId` names');
  const type = claim.type ?? (imports.length === 0 ? 'NEW_KEY_MATERIAL' : 'EXISTING_KEY_MATERIAL');
  const fresh = entry(identity, claim, known);
  if (type === 'EXISTING_KEY_MATERIAL') {
    if (!known) throw wrongMaterial(key, 'it is none that the key has had; bring the same one again');
    return settled({ ...key, imports: imports.map((one) => (one === known ? fresh : one)) });
  }
  if (known) throw wrongMaterial(key, 'the key has it already; give `EXISTING_KEY_MATERIAL` to bring it again');
  if (key.materials.length === 0) return settled({ ...key, materials: [fresh.materialId], imports: [fresh] });
  if (key.awaiting !== undefined) throw new VaultError('KMSInvalidStateException', `key \`${key.keyId}\` has a material that waits for its rotation; rotate the key, or delete that material first`);
  return settled({ ...key, imports: [...imports, fresh], awaiting: fresh.materialId });
}

const entry = (identity: string, { validTo, description }: Claim, known: ImportedMaterial | undefined): ImportedMaterial => {
  const words = description ?? known?.description;
  return { materialId: identity.slice(0, 16), identity, held: true, ...(validTo === undefined ? {} : { validTo }), ...(words === undefined ? {} : { description: words }) };
};

/** The state follows from the materials, but for one that somebody chose. */
function settled(key: KeyRecord): KeyRecord {
  if (key.state === 'PendingDeletion' || key.state === 'PendingReplicaDeletion') return key;
  if (!isWhole(key)) return { ...key, state: 'PendingImport' };
  return key.state === 'PendingImport' ? { ...key, state: 'Enabled' } : key;
}

/** One that waited for its rotation is forgotten; any other is kept in mind. */
function without(key: KeyRecord, gone: ReadonlySet<string>): Dropped {
  const { awaiting, imports = [], ...rest } = key;
  const left = imports.flatMap((one): ImportedMaterial[] => {
    if (!gone.has(one.materialId)) return [one];
    if (one.materialId === awaiting) return [];
    const { validTo: _, ...kept } = one;
    return [{ ...kept, held: false }];
  });
  const waits = awaiting !== undefined && !gone.has(awaiting);
  return { key: settled({ ...rest, imports: left, ...(waits ? { awaiting } : {}) }), dropped: imports.flatMap(({ materialId, held }) => (held && gone.has(materialId) ? [materialId] : [])) };
}

/**
 * Without one material, the current one unless named (64 hexadecimal digits); nothing changes where it is gone already. `identity`:
 * of the material that was meant. Throws UnsupportedOperationException, KMSInvalidStateException, NotFoundException.
 */
export function importDeleted(key: KeyRecord, keyMaterialId: string | undefined): Dropped & { readonly identity?: string } {
  if (key.origin !== 'EXTERNAL') assertTakesImport(key);
  const current = key.materials.at(-1);
  const meant = key.imports?.find((one) => (keyMaterialId === undefined ? one.materialId === current : one.identity === keyMaterialId));
  if (!meant && keyMaterialId !== undefined) throw new VaultError('NotFoundException', `key \`${key.keyId}\` has no key material \`${keyMaterialId}\`; list them with \`keystead kms list-key-rotations\``);
  if (!meant) return { key, dropped: [] };
  return { ...without(key, new Set([meant.materialId])), identity: meant.identity };
}

const isPast = (now: Instant) => ({ held, validTo }: ImportedMaterial): boolean => held && validTo !== undefined && validTo <= now;

/** The key as it is at `now`: a material is gone at its date, also where nobody has destroyed it yet. */
export function asOf(key: KeyRecord, now: Instant): Dropped {
  const past = (key.imports ?? []).filter(isPast(now));
  return past.length === 0 ? { key, dropped: [] } : without(key, new Set(past.map(({ materialId }) => materialId)));
}

/** The earliest date of a material that the key decrypts with. */
export function validTo({ materials, imports = [] }: KeyRecord): Instant | undefined {
  const dates = imports.flatMap((one) => (one.held && one.validTo !== undefined && materials.includes(one.materialId) ? [one.validTo] : []));
  return dates.length === 0 ? undefined : dates.reduce((earliest, date) => (date < earliest ? date : earliest));
}
