/** `keystead aws`: the door for AWS clients, and what a shell or a configuration of AWS's tools has to be told of it. */
import { OPERATIONS, type Output } from '../shared/api/index.ts';
import { exportLine, profileOf, variablesOf } from '../shared/model/aws-variables.ts';
import { EXIT } from '../shared/model/errors.ts';
import { callFor, flagText, withVault, type Command, type Run } from './command.ts';
import { flagsOf, inputOf } from './inputs.ts';
import { printAnswer } from './output.ts';

type Door = Output<'access:DescribeAwsDoor'>;

export const awsDoorCommand: Command = {
  names: ['aws door', 'access update-aws-door'],
  summary: OPERATIONS['access:UpdateAwsDoor'].summary,
  details: ['Shows how the door is afterwards. What AWS clients have to be told: `keystead aws env` and `keystead aws profile`.'],
  get flags() { return flagsOf(OPERATIONS['access:UpdateAwsDoor']); },
  examples: ['keystead aws door --open', 'keystead aws door --no-open', 'keystead aws door --open --port 4599 --no-tls'],
  async run(run) {
    const input = await inputOf(run.world, OPERATIONS['access:UpdateAwsDoor'], run.values);
    const door = await withVault(run, async (connection) => {
      if (Object.keys(input).length > 0) await callFor(run, connection, 'access:UpdateAwsDoor', input);
      return callFor(run, connection, 'access:DescribeAwsDoor', {});
    });
    return show(run, door);
  },
};

export const awsStatusCommand: Command = {
  names: ['aws status', 'access describe-aws-door'],
  summary: OPERATIONS['access:DescribeAwsDoor'].summary,
  flags: [],
  run: async (run) => show(run, await describe(run)),
};

const describe = (run: Run): Promise<Door> => withVault(run, (connection) => callFor(run, connection, 'access:DescribeAwsDoor', {}));

async function show(run: Run, door: Door): Promise<number> {
  if (run.output === 'json') await printAnswer(run.world, 'json', OPERATIONS['access:DescribeAwsDoor'].output, door);
  else await run.world.stdout.write(statusText(door));
  return door.State === 'failed' ? EXIT.conflict : EXIT.ok;
}

function statusText(door: Door): string {
  const rows: (readonly [string, string | undefined])[] = [
    ['Door', door.State === 'failed' ? 'closed, though it is to be open' : door.State],
    ['Problem', door.Problem],
    ['Endpoint', door.Endpoint],
    ['Region', `${door.Region}, account ${door.Account}`],
    ['Authority', door.Tls ? door.CertificateAuthorityFile : undefined],
    ['Clients', 'keystead aws list-clients'],
  ];
  return rows.flatMap(([name, value]) => (value === undefined ? [] : [`${name.padEnd(9)} ${value}\n`])).join('');
}

const SHELLS = {
  sh: exportLine,
  fish: (name: string, value: string) => `set -gx ${name} '${value.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'\n`,
  powershell: (name: string, value: string) => `$env:${name} = '${value.replaceAll("'", "''")}'\n`,
  dotenv: (name: string, value: string) => `${name}=${value}\n`,
} as const;
type Shell = keyof typeof SHELLS;
const isShell = (text: string): text is Shell => Object.hasOwn(SHELLS, text);

const closedNote = (door: Door): string => (door.State === 'open' ? '' : 'The door is closed: open it with `keystead aws door --open`.\n');

/** Measured with 2.9.19, which Debian 12 has; docs.aws.amazon.com/sdkref, "Service-specific endpoints". */
const OLD_TOOLS = 'An AWS CLI before 1.29 or 2.13 (Debian 12 has 2.9) knows no such setting and goes to AWS itself: give it `--endpoint-url`.';

export const awsEnvCommand: Command = {
  names: ['aws env'],
  summary: 'Print the variables that point AWS’s tools and SDKs at this vault',
  details: ['The access key is not among them: it was shown once, when the client was made. AWS_CA_BUNDLE holds for every AWS endpoint of that shell.', OLD_TOOLS],
  flags: [{ name: 'shell', takes: 'value', choices: Object.keys(SHELLS), fallback: 'sh', about: 'For which shell' }],
  examples: ['eval "$(keystead aws env)"'],
  async run(run) {
    const door = await describe(run);
    const shell = flagText(run, 'shell') ?? 'sh';
    const write = SHELLS[isShell(shell) ? shell : 'sh'];
    await run.world.stderr.write(closedNote(door));
    await run.world.stdout.write(variablesOf(door).map(([name, value]) => write(name, value)).join(''));
    return EXIT.ok;
  },
};

export const awsProfileCommand: Command = {
  names: ['aws profile'],
  summary: 'Print a profile for `~/.aws/config` that points at this vault',
  details: ['The access key belongs into `~/.aws/credentials`, under the same name.', OLD_TOOLS],
  flags: [{ name: 'name', takes: 'value', fallback: 'keystead', about: 'Name of the profile' }],
  examples: ['keystead aws profile >> ~/.aws/config'],
  async run(run) {
    const door = await describe(run);
    await run.world.stderr.write(closedNote(door));
    await run.world.stdout.write(profileOf(door, flagText(run, 'name') ?? 'keystead'));
    return EXIT.ok;
  },
};
