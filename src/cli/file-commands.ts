/** `keystead file sign|verify`: the vault reads the file; this shows how far it is. Ctrl+C ends it. */
import { OPERATIONS, type Output } from '../shared/api/index.ts';
import { EXIT } from '../shared/model/errors.ts';
import type { Flag } from './arguments.ts';
import { callFor, flagText, withVault, type Command, type Run } from './command.ts';
import { absolute, createNew } from './files.ts';
import { flagsOf, inputOf, type Input } from './inputs.ts';
import { printAnswer } from './output.ts';
import { withProgress } from './progress.ts';

const OUT: Flag = { name: 'out', takes: 'value', placeholder: 'PATH', about: 'Write the signature as raw bytes to this new file' };

const relative = (flags: readonly Flag[]): readonly Flag[] =>
  flags.filter(({ name }) => name !== 'cli-input-json').map((flag) => (flag.name === 'path' ? { ...flag, placeholder: 'FILE', about: 'The file' } : flag));

async function fileInput(run: Run, name: 'file:Sign' | 'file:Verify'): Promise<Input> {
  const input = await inputOf(run.world, OPERATIONS[name], run.values);
  return { ...input, Path: absolute(run.world, String(input['Path'])) };
}

/** ED25519_PH is a signature that few other programs verify: said once, to people. */
async function remark(run: Run, answer: Output<'file:Sign'> | Output<'file:Verify'>): Promise<void> {
  if (answer.SigningAlgorithm !== 'ED25519_PH_SHA_512') return;
  await run.world.stderr.write('Files above 4,096 bytes are signed prehashed (ED25519_PH_SHA_512): Keystead verifies it, and `openssl` from 3.2 on; AWS KMS hashes what it is given once more.\n');
}

export const fileSignCommand: Command = {
  names: ['file sign'],
  summary: OPERATIONS['file:Sign'].summary,
  details: [
    'The signature of an RSA or ECDSA key is that of `openssl dgst`: `openssl dgst -sha256 -verify public.pem -signature FILE.sig FILE`.',
    'Ed25519 signs a file of up to 4,096 bytes whole, and a larger one prehashed (ED25519_PH_SHA_512).',
  ],
  get flags() { return [...relative(flagsOf(OPERATIONS['file:Sign'])), OUT]; },
  positionals: ['path'],
  examples: ['keystead file sign release.tar.gz --key-id alias/release --out release.tar.gz.sig'],
  async run(run) {
    const input = await fileInput(run, 'file:Sign');
    const path = flagText(run, 'out');
    const out = path === undefined ? undefined : await createNew(run.world, path, false);
    try {
      const answer = await withVault(run, (connection) => withProgress(run, 'Signing', (progress) => callFor(run, connection, 'file:Sign', input, { progress })));
      const { Signature, ...rest } = answer;
      if (out) await out.write(Signature);
      await printAnswer(run.world, run.output ?? 'json', OPERATIONS['file:Sign'].output, out ? rest : answer);
      await remark(run, answer);
      return EXIT.ok;
    } catch (error) {
      await out?.abandon();
      throw error;
    }
  },
};

export const fileVerifyCommand: Command = {
  names: ['file verify'],
  summary: OPERATIONS['file:Verify'].summary,
  get flags() { return relative(flagsOf(OPERATIONS['file:Verify'])); },
  positionals: ['path'],
  examples: ['keystead file verify release.tar.gz --key-id alias/release --signature fileb://release.tar.gz.sig'],
  async run(run) {
    const input = await fileInput(run, 'file:Verify');
    const answer = await withVault(run, (connection) => withProgress(run, 'Verifying', (progress) => callFor(run, connection, 'file:Verify', input, { progress })));
    await printAnswer(run.world, run.output ?? 'json', OPERATIONS['file:Verify'].output, answer);
    return EXIT.ok;
  },
};
