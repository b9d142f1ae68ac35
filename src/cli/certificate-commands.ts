/** `keystead certificate …`: PEM on standard output or in a new file. */
import { OPERATIONS, type Output } from '../shared/api/index.ts';
import { EXIT } from '../shared/model/errors.ts';
import type { Flag } from './arguments.ts';
import { callFor, flagText, withVault, type Command } from './command.ts';
import { createNew } from './files.ts';
import { flagsOf, inputOf } from './inputs.ts';
import { printAnswer } from './output.ts';

type PemName = 'file:GenerateCertificateRequest' | 'hardware:ExportCertificate';

/** A command whose answer is one PEM: as it is, but for `--output json`. */
function pemCommand<N extends PemName>(name: N, pemOf: (answer: Output<N>) => string, about: Pick<Command, 'names' | 'details' | 'examples'>): Command {
  const operation = OPERATIONS[name];
  return {
    ...about,
    summary: operation.summary,
    get flags(): readonly Flag[] { return [...flagsOf(operation), { name: 'out', takes: 'value', placeholder: 'PATH', about: 'Write it to this new file' }]; },
    async run(run) {
      const input = await inputOf(run.world, operation, run.values);
      const path = flagText(run, 'out');
      const out = path === undefined ? undefined : await createNew(run.world, path, false);
      try {
        const answer = await withVault(run, (connection) => callFor(run, connection, name, input));
        if (out) await out.write(new TextEncoder().encode(pemOf(answer)));
        if (run.output === 'json') await printAnswer(run.world, 'json', operation.output, answer as Readonly<Record<string, unknown>>);
        else if (!out) await run.world.stdout.write(pemOf(answer));
        return EXIT.ok;
      } catch (error) {
        await out?.abandon();
        throw error;
      }
    },
  };
}

export const certificateRequestCommand: Command = pemCommand('file:GenerateCertificateRequest', ({ CertificateRequest }) => CertificateRequest, {
  names: ['certificate request', 'file generate-certificate-request'],
  details: ['To look at one: `openssl req -in FILE -noout -text -verify`.'],
  examples: ['keystead certificate request --key-id alias/build --common-name build.example.com --dns-names build.example.com --out build.csr'],
});

export const certificateExportCommand: Command = pemCommand('hardware:ExportCertificate', ({ Certificate }) => Certificate, {
  names: ['certificate export', 'hardware export-certificate'],
  details: ['To look at one: `openssl x509 -in FILE -noout -text`.'],
  examples: ['keystead certificate export --key-id alias/build --out build.pem'],
});
