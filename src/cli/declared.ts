/** Commands that come straight from the declarations: flags to input, one call, output to AWS's JSON. */
import { fieldsOf, commandsOf, kebab } from '../shared/api/describe.ts';
import { declarationOf, NAMES, OPERATIONS, type Name } from '../shared/api/index.ts';
import type { Operation } from '../shared/api/operation.ts';
import { EXIT } from '../shared/model/errors.ts';
import { disposeSecrets } from '../shared/model/secret-bytes.ts';
import { listOf, type Flag } from './arguments.ts';
import { callFor, flagSwitch, flagText, withVault, type Command, type Run } from './command.ts';
import type { Connection } from './connection.ts';
import { flagsOf, inputOf, type Input } from './inputs.ts';
import { openOutlets, pem, printAnswer, type Answered } from './output.ts';
import { usage } from './world.ts';

const OUTPUT_FILE: Flag = {
  name: 'output-file',
  takes: 'value',
  repeat: true,
  placeholder: 'PATH|Field=PATH',
  about: 'Write a binary field as raw bytes to a new file (0600 when it is secret); `-` is standard output',
};
const REGION: Flag = { name: 'region', takes: 'value', placeholder: 'REGION', about: 'Name space inside the vault that is meant; its own if left out' };
const FORMAT: Flag = { name: 'format', takes: 'value', choices: ['json', 'pem', 'der'], fallback: 'json', about: 'pem and der: the public key alone' };

/** How an operation answers in pages, in the words of its service. `list`: the field of the output that grows. */
interface Paging {
  readonly list: string;
  readonly begin: string;
  readonly next: string;
  readonly limit: string;
  readonly most: number;
}
const WORDS = [
  { begin: 'Marker', next: 'NextMarker', limit: 'Limit', most: 1000 },
  { begin: 'NextToken', next: 'NextToken', limit: 'MaxResults', most: 100 },
] as const;

/** None where the output has more than one list: its pages are the caller's to ask for. */
function pagingOf(operation: Operation): Paging | undefined {
  const names = new Set(fieldsOf(operation.input).map(({ name }) => name));
  const output = fieldsOf(operation.output);
  const words = WORDS.find(({ begin, next }) => names.has(begin) && output.some(({ name }) => name === next));
  const [list, ...more] = output.filter(({ kind }) => kind === 'object' || kind === 'list');
  return words && list && more.length === 0 ? { ...words, list: list.name } : undefined;
}

const paginate = ({ begin, limit }: Paging): Flag => ({ name: 'paginate', takes: 'negatable', fallback: 'on', about: `Get every page, unless --${kebab(limit)} or --${kebab(begin)} is given` });

const hasBinary = ({ output }: Operation): boolean => fieldsOf(output).some(({ kind }) => kind === 'blob' || kind === 'secret');

/** Commands of every operation that the `cli` door has and that is not wrapped by hand. */
export function declaredCommands(wrapped: ReadonlySet<Name>): readonly Command[] {
  return NAMES.flatMap((name) => {
    const operation = declarationOf(name);
    const names = commandsOf(operation);
    if (names.length === 0 || wrapped.has(name) || !operation.doors.includes('cli')) return [];
    return [commandFor(name, operation, names)];
  });
}

/** Without a secret of its own, and yet of one region's secrets. */
const AMONG_SECRETS: ReadonlySet<Name> = new Set(['secretsmanager:CreateSecret', 'secretsmanager:ListSecrets', 'secretsmanager:BatchGetSecretValue']);

/** Whether it is asked in a region. One whose input has a `Region` names a replica by it, and is asked where the primary is. */
const isPlaced = (name: Name, operation: Operation): boolean =>
  name.startsWith('kms:') || AMONG_SECRETS.has(name) || (name.startsWith('secretsmanager:') && operation.resource !== undefined && !flagsOf(operation).some((flag) => flag.name === REGION.name));

/** Asked for the one command that is typed, or for help: a schema costs time to build. */
function flagsFor(name: Name, operation: Operation): readonly Flag[] {
  const paging = pagingOf(operation);
  return [
    ...flagsOf(operation),
    ...(hasBinary(operation) ? [OUTPUT_FILE] : []),
    ...(paging ? [paginate(paging)] : []),
    ...(name === OPERATIONS['kms:GetPublicKey'].name ? [FORMAT] : []),
    ...(isPlaced(name, operation) ? [REGION] : []),
  ];
}

const commandFor = (name: Name, operation: Operation, names: readonly string[]): Command =>
  ({ names, summary: operation.summary, get flags() { return flagsFor(name, operation); }, run: (run) => runDeclared(run, name, operation) });

async function runDeclared(run: Run, name: Name, operation: Operation): Promise<number> {
  const { world, values } = run;
  const format = flagText(run, 'format') ?? 'json';
  const outlets = await openOutlets(world, operation.output, listOf(values, 'output-file'));
  try {
    if (format === 'der' && listOf(values, 'output-file').length === 0 && world.stdout.isTTY) throw usage('--format der is binary: give --output-file PATH, or pipe it on');
    const input = await inputOf(world, operation, values);
    try {
      const answer = await withVault(run, (connection) => wholeAnswer(run, connection, name, operation, input));
      try {
        await deliver(run, operation, answer, format, outlets);
      } finally {
        disposeSecrets(answer);
      }
    } finally {
      disposeSecrets(input);
    }
  } catch (error) {
    await outlets.abandon();
    throw error;
  }
  return EXIT.ok;
}

async function deliver(run: Run, operation: Operation, answer: Answered, format: string, outlets: Awaited<ReturnType<typeof openOutlets>>): Promise<void> {
  const { world } = run;
  const key = answer['PublicKey'];
  if (format !== 'json' && key instanceof Uint8Array) {
    const bytes = format === 'pem' ? new TextEncoder().encode(pem('PUBLIC KEY', key)) : key;
    if (listOf(run.values, 'output-file').length === 0) await world.stdout.write(bytes);
    else await outlets.deliver({ PublicKey: bytes });
    return;
  }
  const rest = await outlets.deliver(answer);
  if (rest) await printAnswer(world, run.output ?? 'json', operation.output, rest);
}

const regionOf = (run: Run, name: Name, operation: Operation): { readonly region?: string } => {
  const region = isPlaced(name, operation) ? flagText(run, 'region') : undefined;
  return region === undefined ? {} : { region };
};

/** One call, or one per page when the operation is paged and nobody asked for a certain page. */
async function wholeAnswer(run: Run, connection: Connection, name: Name, operation: Operation, input: Input): Promise<Answered> {
  const paging = pagingOf(operation);
  const place = regionOf(run, name, operation);
  if (!paging || input[paging.limit] !== undefined || input[paging.begin] !== undefined || flagSwitch(run, 'paginate') === false) return callFor(run, connection, name, input, place);
  const items: unknown[] = [];
  let rest: Answered | undefined;
  let from: unknown;
  do {
    const page: Answered = await callFor(run, connection, name, { ...input, [paging.limit]: paging.most, ...(from === undefined ? {} : { [paging.begin]: from }) }, place);
    const { [paging.list]: more, [paging.next]: next, Truncated: _truncated, ...others } = page;
    items.push(...(more as readonly unknown[]));
    rest ??= others;
    from = next;
  } while (from !== undefined);
  // Merged pages say nothing of pages, as with the AWS CLI.
  return { [paging.list]: items, ...rest };
}
