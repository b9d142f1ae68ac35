/** What checkpoints say, in words; and which keys sign them. Pure. */
import type { Output } from '../../shared/api/index.ts';
import type { KeyMetadata } from '../../shared/api/kms-keys.ts';
import { counted, exact } from '../format.ts';

export type Checked = Output<'trail:VerifyCheckpoint'>;

/** As `operations/second-signature.ts` has it. */
const SPECS: ReadonlySet<string> = new Set(['RSA_2048', 'RSA_3072', 'RSA_4096', 'ECC_NIST_P256', 'ECC_NIST_P384', 'ECC_NIST_P521', 'ECC_NIST_EDWARDS25519']);
export const signsCheckpoints = ({ KeyUsage, KeySpec, KeyState }: Pick<KeyMetadata, 'KeyUsage' | 'KeySpec' | 'KeyState'>): boolean => KeyUsage === 'SIGN_VERIFY' && SPECS.has(KeySpec) && !KeyState.startsWith('Pending');

const RELATIONS: Readonly<Record<Exclude<Checked['Relation'], 'contained'>, readonly [title: string, about: string]>> = {
  contradicted: ['The trail was rewritten', 'It says something else at this record than what was signed. Export the evidence, and keep this checkpoint.'],
  ahead: ['The trail was cut or put back', 'It ends before this record, which was signed once. Export the evidence, and keep this checkpoint.'],
  foreign: ['Of another vault', 'Nothing follows from it for this trail.'],
  setAside: ['Of a chain that was set aside', 'It is of the time before the trail was begun anew; the files that were set aside are what it speaks of.'],
};

export interface Judged {
  readonly title: string;
  readonly about: string;
  readonly tone: 'ok' | 'warn' | 'danger';
}

/** `key`: whose signature was looked for, besides the vault's. */
export function judged({ Relation, SignatureValid, SecondSignatureValid, Index, Created }: Checked, key: string | undefined): Judged {
  if (!SignatureValid) return { title: 'Not signed by this vault', about: 'Somebody else made it, or changed it. Nothing follows from it for this trail.', tone: 'danger' };
  const second = key === undefined || SecondSignatureValid === undefined ? '' : SecondSignatureValid ? ` ${key} has signed it, too.` : ` ${key} has not signed it.`;
  const signed = `Signed ${exact(Created * 1000)}, up to record ${counted(Index)}.${second}`;
  if (Relation === 'contained') return { title: 'The trail still holds what was signed', about: `${signed} What came after is for Verify to say.`, tone: SecondSignatureValid === false ? 'warn' : 'ok' };
  const [title, about] = RELATIONS[Relation];
  return { title, about: `${about} ${signed}`, tone: Relation === 'setAside' || Relation === 'foreign' ? 'warn' : 'danger' };
}
