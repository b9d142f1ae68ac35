/** A new key, in plain words: what it is for, then how strong, where it lives, then its name. */
import { useQueryClient } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { Handshake, Lock, Package, Signature, Stamp, type LucideIcon } from 'lucide-react';
import { useId, useRef, useState } from 'react';
import type { CallError } from '../../shared/api/client.ts';
import type { KeySpec, KeyUsage } from '../../shared/model/algorithms.ts';
import { isAliasName } from '../../shared/model/ids.ts';
import { isImportable } from '../../shared/model/wrapping.ts';
import { client } from '../client.ts';
import { Button } from '../parts/button.tsx';
import { Dialog, DialogFoot } from '../parts/dialog.tsx';
import { InlineError } from '../parts/feedback.tsx';
import { Check, SelectField, TextField } from '../parts/field.tsx';
import { refreshKey, useKeys } from './data.ts';
import { KeyPlaceChoice, placeNote, useKeyPlaces, useOffered, type KeyPlace } from './key-place.tsx';

interface Purpose {
  readonly title: string;
  readonly about: string;
  readonly icon: LucideIcon;
  /** The first is the default. */
  readonly specs: readonly (readonly [KeySpec, string])[];
}

const RSA: readonly (readonly [KeySpec, string])[] = [['RSA_3072', 'RSA 3072, for programs that know only RSA'], ['RSA_4096', 'RSA 4096'], ['RSA_2048', 'RSA 2048, for old programs']];
const PURPOSES: Record<KeyUsage, Purpose> = {
  ENCRYPT_DECRYPT: {
    title: 'Encrypt and decrypt',
    about: 'Keep data unreadable without this vault',
    icon: Lock,
    specs: [['SYMMETRIC_DEFAULT', 'AES-256, for nearly everything'], ...RSA],
  },
  SIGN_VERIFY: {
    title: 'Sign and verify',
    about: 'Prove that something is yours; anyone can check with the public key',
    icon: Signature,
    specs: [['ECC_NIST_P256', 'ECC P-256, understood everywhere'], ['ECC_NIST_EDWARDS25519', 'Ed25519, small and fast'], ['ECC_NIST_P384', 'ECC P-384'], ['ECC_NIST_P521', 'ECC P-521'], ['ECC_SECG_P256K1', 'secp256k1, for blockchains'], ['ML_DSA_65', 'ML-DSA-65, safe from quantum computers'], ['ML_DSA_87', 'ML-DSA-87, the strongest of them'], ['ML_DSA_44', 'ML-DSA-44, the smallest of them'], ...RSA],
  },
  GENERATE_VERIFY_MAC: {
    title: 'Authenticate messages',
    about: 'Both ends ask this vault: webhooks, tokens, cookies',
    icon: Stamp,
    specs: [['HMAC_256', 'HMAC with SHA-256'], ['HMAC_384', 'HMAC with SHA-384'], ['HMAC_512', 'HMAC with SHA-512'], ['HMAC_224', 'HMAC with SHA-224']],
  },
  KEY_AGREEMENT: {
    title: 'Agree on a secret',
    about: 'With the holder of another key pair: both compute the same secret',
    icon: Handshake,
    specs: [['ECC_NIST_P256', 'ECC P-256, understood everywhere'], ['ECC_NIST_P384', 'ECC P-384'], ['ECC_NIST_P521', 'ECC P-521']],
  },
  ENCAPSULATE_DECAPSULATE: {
    title: 'Receive secrets',
    about: 'Anyone makes one with the public key, safe from quantum computers; only this vault recovers it',
    icon: Package,
    specs: [['ML_KEM_768', 'ML-KEM-768, for nearly everything'], ['ML_KEM_1024', 'ML-KEM-1024, the strongest'], ['ML_KEM_512', 'ML-KEM-512, the smallest']],
  },
};
const USAGES = Object.keys(PURPOSES) as KeyUsage[];
const DEFAULTS: Record<KeyUsage, KeySpec> = { ENCRYPT_DECRYPT: 'SYMMETRIC_DEFAULT', SIGN_VERIFY: 'ECC_NIST_P256', GENERATE_VERIFY_MAC: 'HMAC_256', KEY_AGREEMENT: 'ECC_NIST_P256', ENCAPSULATE_DECAPSULATE: 'ML_KEM_768' };

export function CreateKey({ onClose }: { readonly onClose: () => void }) {
  const queries = useQueryClient();
  const navigate = useNavigate();
  const group = useId();
  const name = useRef<HTMLInputElement>(null);
  const description = useRef<HTMLInputElement>(null);
  const [usage, setUsage] = useState<KeyUsage>('ENCRYPT_DECRYPT');
  const [spec, setSpec] = useState<KeySpec>(DEFAULTS.ENCRYPT_DECRYPT);
  const [picked, setPlace] = useState<KeyPlace>();
  const { places, away } = useKeyPlaces();
  const place = places.find(({ store }) => store.CustomKeyStoreId === picked?.store.CustomKeyStoreId) ?? picked;
  const offers = useOffered(place);
  const { rows } = useKeys();
  const kinds = PURPOSES[usage].specs.filter(([name]) => offers?.(name, usage) === true);
  // A token makes fewer kinds: the default of those that it makes takes the place of one that it does not.
  const kind = kinds.some(([name]) => name === spec) ? spec : (kinds[0]?.[0] ?? spec);
  const possible = kinds.length > 0;
  const [brings, setBrings] = useState(false);
  const [wide, setWide] = useState(false);
  const [problem, setProblem] = useState<string>();
  const [error, setError] = useState<CallError>();
  const [unnamed, setUnnamed] = useState<string>();
  const [busy, setBusy] = useState(false);

  const create = async (): Promise<void> => {
    const given = (name.current?.value ?? '').trim().replace(/^alias\//, '');
    if (given !== '' && (!isAliasName(`alias/${given}`) || given.startsWith('aws/'))) {
      setProblem('A name has letters, digits, / _ and -, and does not begin with aws/.');
      name.current?.focus();
      return;
    }
    // Before anything is made: a key that is there without the name that it was to have is one too many.
    const owner = given === '' ? undefined : rows?.find((row) => row.aliases.includes(`alias/${given}`));
    if (owner) {
      setProblem(`alias/${given} names ${owner.name === given ? 'another key' : owner.name} already. Choose another name.`);
      name.current?.focus();
      return;
    }
    setProblem(undefined);
    setBusy(true);
    setError(undefined);
    let id = unnamed;
    if (id === undefined) {
      const made = await client.kms.createKey({ KeySpec: kind, KeyUsage: usage, Description: description.current?.value.trim() ?? '', ...(place ? { Origin: 'AWS_CLOUDHSM', CustomKeyStoreId: place.store.CustomKeyStoreId } : { Origin: brings && isImportable(kind) ? 'EXTERNAL' : 'AWS_KMS', MultiRegion: wide }) });
      if (!made.ok) {
        setBusy(false);
        setError(made.error);
        return;
      }
      id = made.output.KeyMetadata.KeyId;
    }
    const alias = given === '' ? undefined : await client.kms.createAlias({ AliasName: `alias/${given}`, TargetKeyId: id });
    await refreshKey(queries, id);
    setBusy(false);
    if (alias?.ok === false) {
      // The key is there; only its name is missing, so the same button tries the name alone.
      setUnnamed(id);
      setError(alias.error);
      name.current?.focus();
      return;
    }
    void navigate({ to: '/keys', search: { key: id } });
    onClose();
  };

  return (
    <Dialog title="New key" onClose={onClose} held={busy} className="w-[500px]">
      <form className="flex min-h-0 flex-col" onSubmit={(event) => { event.preventDefault(); if (!busy && possible) void create(); }}>
        <div className="flex flex-col gap-4 overflow-y-auto px-5 pt-2 pb-3">
          <fieldset disabled={unnamed !== undefined}>
            <legend className="mb-1.5 text-[12px]/4 font-medium text-fg-2">What is it for?</legend>
            <div className="flex flex-col gap-1.5">
              {USAGES.map((one) => {
                const { title, about, icon: Icon } = PURPOSES[one];
                return (
                  <label key={one} className="edge-2 relative flex items-center gap-3 rounded-card px-3 py-2 has-checked:tint-brass has-checked:shadow-[inset_0_0_0_1.5px_var(--brass)] has-focus-visible:outline-2 has-focus-visible:outline-offset-1 has-focus-visible:outline-brass">
                    <input type="radio" name={group} checked={usage === one} onChange={() => { setUsage(one); setSpec(DEFAULTS[one]); }} className="absolute inset-0 appearance-none focus-visible:outline-none" />
                    <Icon size={16} strokeWidth={1.6} className="shrink-0 text-fg-2" aria-hidden="true" />
                    <span><span className="block font-medium">{title}</span><span className="block text-[12px]/4 text-fg-2">{about}</span></span>
                  </label>
                );
              })}
            </div>
          </fieldset>
          {unnamed === undefined && possible && <SelectField label="Kind" value={kind} options={kinds} onPick={setSpec} hint="What it is for and its kind stay as they are for ever" />}
          {unnamed === undefined && !possible && <p role="status" className="text-fg-2">{offers ? <>Key store <bdi>{place?.store.CustomKeyStoreName}</bdi> makes no key for this. Choose another use, or this vault.</> : 'Asking the token what it makes…'}</p>}
          {unnamed === undefined && <KeyPlaceChoice places={places} away={away} chosen={place} onPick={setPlace} />}
          <TextField ref={name} label="Name" maxLength={250} placeholder="orders/data" error={problem} onInput={() => { setProblem(undefined); }} hint="Becomes its alias; you can add and change names later" />
          {unnamed === undefined && <TextField ref={description} label="Description" maxLength={8192} hint="For people; not secret" />}
          {unnamed === undefined && !place && (
            <fieldset className="flex flex-col gap-2">
              <legend className="mb-1.5 text-[12px]/4 font-medium text-fg-2">Where it comes from, and where it is</legend>
              {isImportable(kind) && <Check checked={brings} onCheck={setBrings} words="I import the key material myself" />}
              <Check checked={wide} onCheck={setWide} words="It can be replicated to other regions of this vault" />
            </fieldset>
          )}
          <p className="text-[12px] text-fg-3">{place ? placeNote(place) : brings && isImportable(kind) ? 'It cannot be used before you have imported its material. The vault never gives it out again.' : 'It is made in this vault and never leaves it: no one can export it, you included.'}</p>
          {error && <InlineError error={error} consequence={unnamed === undefined ? 'No key was made.' : 'The key was made; it has no name yet.'} />}
        </div>
        <DialogFoot>
          <Button tall onClick={onClose} disabled={busy}>{unnamed === undefined ? 'Cancel' : 'Leave it without a name'}</Button>
          <Button tall kind="primary" type="submit" busy={busy} disabled={!possible}>{!possible ? 'Choose what the token makes' : busy ? 'Creating…' : unnamed === undefined ? 'Create key' : 'Give it this name'}</Button>
        </DialogFoot>
      </form>
    </Dialog>
  );
}
