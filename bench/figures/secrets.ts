/**
 * Secrets: an import of 10,000 entries as the command line does it, a listing with a filter over 100,000, and values by AWS clients over 32
 * connections against a bare `node:http` server that parses JSON and answers with as much, in the same run.
 */
import { join } from 'node:path';
import { AT_ONCE } from '../../src/shared/api/import-writing.ts';
import { bareServer, clientsOver, openAwsDoor } from '../aws-client.ts';
import { median, percentile, ratePerSecond, timed, warmUp, type Bench, type Figure } from '../harness.ts';
import { exported, imported, type Took } from '../secret-import.ts';
import { Vault, type Caller } from '../vault.ts';

const CALLERS = 32;
const ROUNDS = 5;
const IMPORTED = 10_000;
const LISTED = 100_000;
const BATCH = 20;

export const secrets: Figure = {
  name: 'secrets',
  async run({ scratch, root, report, say }: Bench) {
    const vault = await Vault.create(root, scratch);
    try {
      const caller = await vault.caller();
      const path = join(scratch, 'export.json');
      await values(caller, report);
      const lanes = await vault.callers(AT_ONCE);
      const took: Took[] = [];
      for (let first = 0; first < LISTED; first += IMPORTED) {
        exported(path, first, IMPORTED);
        took.push(await imported(lanes, path));
        say(`  ${String(first + IMPORTED)} secrets`);
      }
      const seconds = ({ open, preview, write }: Took): number => (open + preview + write) / 1000;
      const rounds = took.slice(0, ROUNDS).map(seconds);
      const part = (name: keyof Took): string => (median(took.slice(0, ROUNDS).map((one) => one[name])) / 1000).toFixed(1);
      const last = took.at(-1);
      report({ figure: `import of ${IMPORTED.toLocaleString('en-US')} entries, from the file to the disk`, value: median(rounds), unit: 's', target: { atMost: 3 }, rounds, note: `opened in ${part('open')} s, shown in ${part('preview')} s, written in ${part('write')} s; the last ${IMPORTED.toLocaleString('en-US')} of ${LISTED.toLocaleString('en-US')} in ${last ? seconds(last).toFixed(1) : '?'} s` });
      const filter = (Values: readonly string[]) => ({ SortBy: 'name', SortOrder: 'asc', MaxResults: 100, Filters: [{ Key: 'all', Values }] });
      for (const [what, input] of [['that fits one', filter(['service-42170'])], ['that fits a thousand', filter(['team-42'])]] as const) {
        for (let i = 0; i < 20; i += 1) await caller.call('secretsmanager:ListSecrets', input);
        const listed: number[] = [];
        for (let i = 0; i < 100; i += 1) listed.push(await timed(() => caller.call('secretsmanager:ListSecrets', input)));
        report({ figure: `ListSecrets over ${LISTED.toLocaleString('en-US')} with a filter ${what}`, value: median(listed), unit: 'ms', target: { atMost: 30 }, note: `p95 ${percentile(listed, 0.95).toFixed(1)} ms` });
      }
    } finally {
      await vault.stop();
    }
  },
};

async function values(owner: Caller, report: Bench['report']): Promise<void> {
  const names = Array.from({ length: BATCH }, (_, at) => `app/${String(at)}`);
  const value = JSON.stringify({ username: 'app', password: 'Zk3hQv1xW7bTn5sRdY0uKpLm2aCeGf8J' });
  for (const Name of names) await owner.call('secretsmanager:CreateSecret', { Name, SecretString: Buffer.from(value).toString('base64') });
  const bare = await bareServer(`{ ARN: input.SecretId, Name: input.SecretId, VersionId: input.SecretId, SecretString: ${JSON.stringify(value)}, VersionStages: ['AWSCURRENT'], CreatedDate: 1 }`);
  try {
    const { port, keys } = await openAwsDoor(owner);
    const one = JSON.stringify({ SecretId: names[0] });
    const aws = await clientsOver(CALLERS, port, 'secretsmanager.GetSecretValue', one, keys);
    const plain = await clientsOver(CALLERS, bare.port, 'secretsmanager.GetSecretValue', one, keys);
    const [batch] = await clientsOver(1, port, 'secretsmanager.BatchGetSecretValue', JSON.stringify({ SecretIdList: names }), keys);
    for (const works of [aws, plain]) await warmUp(works);
    const rates: Record<'aws' | 'plain', number[]> = { aws: [], plain: [] };
    for (let round = 0; round < ROUNDS; round += 1) {
      rates.plain.push(await ratePerSecond(plain, 2));
      rates.aws.push(await ratePerSecond(aws, 2));
    }
    report({ figure: `GetSecretValue by AWS clients, ${String(CALLERS)} connections`, value: median(rates.aws), unit: '/s', target: { atLeast: 0.12 * median(rates.plain) }, rounds: rates.aws, note: `target: 12 % of bare node:http (${String(Math.round(median(rates.plain)))}/s)` });
    if (!batch || !aws[0]) return;
    await warmUp([batch], 1000);
    const singles: number[] = [];
    const batches: number[] = [];
    for (let i = 0; i < 300; i += 1) {
      singles.push(await timed(aws[0]));
      batches.push(await timed(batch));
    }
    report({ figure: `BatchGetSecretValue of ${String(BATCH)} against one GetSecretValue, one client, p50`, value: median(batches) / median(singles), unit: '×', target: { atMost: 3 }, note: `${median(batches).toFixed(2)} ms against ${median(singles).toFixed(2)} ms` });
  } finally {
    bare.stop();
  }
}
