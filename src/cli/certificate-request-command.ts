/** `keystead certificate request`: PEM on standard output or in a new file, as an authority takes it. */
import { OPERATIONS } from '../shared/api/index.ts';
import { EXIT } from '../shared/model/errors.ts';
import type { Flag } from './arguments.ts';
import { callFor, flagText, withVault, type Command } from './command.ts';
import { createNew } from './files.ts';
import { flagsOf, inputOf } from './inputs.ts';
import { printAnswer } from './output.ts';

const NAME = 'file:GenerateCertificateRequest';

export const certificateRequestCommand: Command = {
  names: ['certificate request', 'file generate-certificate-request'],
  summary: OPERATIONS[NAME].summary,
  details: ['To look at one: `openssl req -in FILE -noout -text -verify`.'],
  get flags(): readonly Flag[] { return [...flagsOf(OPERATIONS[NAME]), { name: 'out', takes: 'value', placeholder: 'PATH', about: 'Write it to this new file' }]; },
  examples: ['keystead certificate request --key-id alias/build --common-name build.example.com --dns-names build.example.com --out build.csr'],
  async run(run) {
    const input = await inputOf(run.world, OPERATIONS[NAME], run.values);
    const path = flagText(run, 'out');
    const out = path === undefined ? undefined : await createNew(run.world, path, false);
    try {
      const answer = await withVault(run, (connection) => callFor(run, connection, NAME, input));
      if (out) await out.write(new TextEncoder().encode(answer.CertificateRequest));
      if (run.output === 'json') await printAnswer(run.world, 'json', OPERATIONS[NAME].output, answer);
      else if (!out) await run.world.stdout.write(answer.CertificateRequest);
      return EXIT.ok;
    } catch (error) {
      await out?.abandon();
      throw error;
    }
  },
};
