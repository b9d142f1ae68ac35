/** `secretsmanager:` handlers of imports. Each secret is sealed and kept as CreateSecret and PutSecretValue do it. */
import { MOST_RECORDED, recordedBytes, ROW_STATES } from '../../shared/api/secret-import.ts';
import { VaultError } from '../../shared/model/errors.ts';
import { isSecretName, parseSecretName, placeIn, uuidFrom, type SecretName } from '../../shared/model/ids.ts';
import { MOST_BYTES } from '../imports/limits.ts';
import type { ReadSecretsFile } from '../imports/port.ts';
import type { Call } from '../kernel/handler.ts';
import { NO_RESOURCE } from '../kernel/resolve.ts';
import type { PlainFiles, Random } from '../platform/ports.ts';
import { besideName, isPrefix, layoutsOf, planImport, rowValue, suggestedName, type ImportRow } from '../secrets/import-plan.ts';
import { unsettled, type ImportPreview, type ImportStaging, type StagedImport } from '../secrets/import-staging.ts';
import { SECRET_VALUES, SECRETS } from '../secrets/kinds.ts';
import { CURRENT, type SecretRecord, type SecretValue } from '../secrets/ports.ts';
import { drawSuffix, newSecret } from '../secrets/secret.ts';
import { staged as versionUnder, versionOf } from '../secrets/stages.ts';
import { sameValue } from '../secrets/values.ts';
import type { HandlersOf, Rights } from './rights.ts';
import { arnOf, readValue, secretValues, type SecretsAtWork } from './secret-store.ts';

type Names = 'OpenImport' | 'PreviewImport' | 'ImportSecrets' | 'CloseImport' | 'EraseImportedFile';
type State = (typeof ROW_STATES)[number];

export interface ImportPorts {
  readonly random: Random;
  readonly read: ReadSecretsFile;
  readonly files: PlainFiles;
  readonly staging: ImportStaging;
}

const MOST_FIELDS_SHOWN = 64;
/** Rows compared at once. */
const AT_ONCE = 64;
const MOST_BESIDE = 1000;

const valueOf = (row: ImportRow, { values }: Pick<StagedImport, 'values'>): SecretValue => ({ kind: 'string', bytes: values.borrow((bytes) => rowValue(row, bytes)) });

/** Whether a secret has this value now. One whose value may not be read has another. */
type HasValue = (secret: SecretRecord, value: SecretValue) => Promise<boolean>;

const reading =
  (call: Call, { reader, keys, realm }: Rights['use']): HasValue =>
  async (secret, value) => {
    const version = versionUnder(secret.versions, CURRENT);
    if (!version?.value || !call.allows('secretsmanager:GetSecretValue', { arn: arnOf(realm, secret), subject: secret })) return false;
    const stored = await readValue(secret, { versionId: version.versionId, value: version.value }, { call, reader, values: reader.of(SECRET_VALUES), keys, realm });
    using _bytes = stored.bytes;
    return sameValue(stored, value);
  };

interface Stated {
  readonly state: State;
  /** Where it is already, if that is not the row's own name. */
  readonly name?: string;
  /** The earlier row that has the same value. */
  readonly repeats?: number;
}

async function stateOf(row: ImportRow, staged: StagedImport, rows: readonly ImportRow[], secrets: { get(name: string): Promise<SecretRecord | undefined> }, hasValue: HasValue): Promise<Stated> {
  if (row.refusal !== undefined) return { state: 'Refused' };
  const secret = await secrets.get(row.name);
  if (row.earlier === undefined && !secret) return { state: 'New' };
  if (row.earlier === undefined && secret?.deletion) return { state: 'Deleting' };
  const value = valueOf(row, staged);
  using _bytes = value.bytes;
  const first = row.earlier === undefined ? undefined : rows[row.earlier];
  if (first && row.earlier !== undefined) {
    const other = valueOf(first, staged);
    using _other = other.bytes;
    if (sameValue(other, value)) return { state: 'Same', repeats: row.earlier };
  }
  if (secret && !secret.deletion && (await hasValue(secret, value))) return { state: 'Same' };
  // Kept beside it by an import before.
  for (let count = 2; count < MOST_BESIDE; count++) {
    const name = besideName(row.name, count);
    const beside = await secrets.get(name);
    if (!beside) break;
    if (!beside.deletion && (await hasValue(beside, value))) return { state: 'Same', name };
  }
  return { state: row.earlier === undefined ? 'Different' : 'Duplicate' };
}

interface Writing {
  readonly call: Call;
  readonly rights: Rights['write'];
  readonly random: Random;
  readonly values: SecretsAtWork;
  readonly staged: StagedImport;
  readonly preview: ImportPreview;
}

interface Result {
  readonly Row: number;
  readonly ARN: string;
  readonly Name: string;
  readonly VersionId?: string;
  readonly Outcome: Outcome;
}
type Outcome = 'Created' | 'Replaced' | 'Unchanged' | 'Conflict';
interface Written {
  readonly outcome: Outcome;
  readonly name: string;
  readonly secret?: SecretRecord;
}

function assertAllowed(call: Call, action: string, resource: Parameters<Call['allows']>[1]): void {
  if (!call.allows(action, resource)) throw new VaultError('AccessDeniedException', `\`${action}\` is not allowed for this caller; ask the owner of the vault`);
}

async function created(name: SecretName, { token }: ImportRow, value: SecretValue, { call, rights: { writer }, random, values }: Writing): Promise<Written> {
  assertAllowed(call, 'secretsmanager:CreateSecret', NO_RESOURCE);
  const secret = newSecret({ name, suffix: drawSuffix(random), description: '', tags: [], key: undefined, at: call.at });
  writer.of(SECRETS).insert(secret);
  return { outcome: 'Created', name, secret: await values.put(secret, { token, value, at: call.at }) };
}

async function hasNow(secret: SecretRecord, value: SecretValue, { values }: Writing): Promise<boolean> {
  const version = versionUnder(secret.versions, CURRENT);
  if (!version?.value) return false;
  const stored = await values.read(secret, version.versionId);
  using _bytes = stored.bytes;
  return sameValue(stored, value);
}

async function keptBeside(row: ImportRow, value: SecretValue, writing: Writing): Promise<Written> {
  const names = new Set(writing.preview.rows.map(({ name }) => name));
  for (let count = 2; count < MOST_BESIDE; count++) {
    const name = parseSecretName(besideName(row.name, count));
    if (names.has(name)) continue;
    const secret = await writing.rights.writer.of(SECRETS).get(name);
    if (!secret) return await created(name, row, value, writing);
    if (!secret.deletion && (await hasNow(secret, value, writing))) return { outcome: 'Unchanged', name, secret };
  }
  return { outcome: 'Conflict', name: row.name };
}

/** As it was confirmed, or not at all. */
async function written(row: ImportRow, action: 'Create' | 'Replace' | 'Keep', writing: Writing): Promise<Written> {
  const { call, rights, values, staged } = writing;
  const conflict: Written = { outcome: 'Conflict', name: row.name };
  if (row.refusal !== undefined || !isSecretName(row.name)) return conflict;
  const value = valueOf(row, staged);
  using _bytes = value.bytes;
  // Awaited: the value is wiped when this returns.
  if (action === 'Keep') return await keptBeside(row, value, writing);
  const secret = await rights.writer.of(SECRETS).get(row.name);
  if (!secret) return await created(row.name, row, value, writing);
  if (secret.deletion || secret.primary) return conflict;
  if (await hasNow(secret, value, writing)) return { outcome: 'Unchanged', name: row.name, secret };
  if (action === 'Create') return conflict;
  // The one version of this row is there already, and another is current since: what was written later stays.
  if (versionOf(secret.versions, row.token)) return conflict;
  assertAllowed(call, 'secretsmanager:PutSecretValue', { arn: arnOf(rights.realm, secret), subject: secret });
  return { outcome: 'Replaced', name: row.name, secret: await values.put(secret, { token: row.token, value, at: call.at }) };
}

export const secretImportHandlers = ({ random, read, files, staging }: ImportPorts): Pick<HandlersOf<'secretsmanager'>, `secretsmanager:${Names}`> => ({
  'secretsmanager:OpenImport': async ({ Path: path, Content: content, FileName: called }, call) => {
    if ((path === undefined) === (content === undefined)) throw new VaultError('ValidationException', 'give either `Path` or `Content`');
    const { turn } = staging;
    const given = path === undefined ? undefined : await files.read(path, MOST_BYTES);
    const bytes = given?.bytes ?? content?.borrow((own) => own.slice()) ?? new Uint8Array();
    const { file, values } = await read(bytes, call.signal);
    const id = uuidFrom(random.bytes(16));
    staging.add({ id, file, values, ...(given && path !== undefined ? { source: { path, identity: given.identity } } : {}) }, turn);
    const fields = file.entries.reduce((sum, entry) => sum + entry.fields.length, 0);
    return { ImportId: id, Format: file.format, Layouts: layoutsOf(file), Entries: file.entries.length, Fields: fields, SuggestedName: suggestedName(path ?? called), Notes: [...file.notes] };
  },

  'secretsmanager:PreviewImport': async (input, call, rights) => {
    if (placeIn(rights.realm) !== undefined) return call.fail('InvalidParameterException', 'what is imported comes into the vault\'s own region; leave the region out, and replicate it afterwards');
    const staged = staging.get(input.ImportId);
    const { Layout: layout, Prefix: prefix, Name: name = suggestedName(staged.source?.path), From: from } = input;
    if (!layoutsOf(staged.file).includes(layout)) return call.fail('InvalidParameterException', 'the file has several things with fields of their own; `Layout` must be `each`');
    if (!isPrefix(prefix) || !isPrefix(name)) return call.fail('InvalidParameterException', 'name and prefix have a-z, A-Z, 0-9 and / _ + = . @ - only');
    if (from > 0 !== (input.Preview !== undefined)) throw new VaultError('ValidationException', 'give `Preview` with a later page, whose `From` is above 0, and with no other');
    const planned = (): ImportPreview => ({
      number: staging.begin(),
      rows: staged.values.borrow((bytes) => planImport(staged.file, bytes, { layout, prefix, name }, () => uuidFrom(random.bytes(16)))),
      settled: new Set(),
      repeats: new Map(),
    });
    const preview = input.Preview === undefined ? planned() : staging.preview(input.ImportId, input.Preview).preview;
    const { rows } = preview;
    const secrets = rights.reader.of(SECRETS);
    const hasValue = reading(call, rights);
    const counts: Partial<Record<State, number>> = {};
    // Of a later page only its own rows: the first one has counted all of them.
    const [start, end] = from > 0 ? [from, from + input.MaxResults] : [0, rows.length];
    const stated: Stated[] = [];
    for (let at = start; at < Math.min(end, rows.length); at += AT_ONCE) {
      call.signal.throwIfAborted();
      const some = rows.slice(at, Math.min(at + AT_ONCE, end));
      stated.push(...(await Promise.all(some.map((row) => stateOf(row, staged, rows, secrets, hasValue)))));
      call.progress({ done: at - start + some.length, total: end - start, unit: 'rows' });
    }
    stated.forEach(({ state, repeats }, at) => {
      counts[state] = (counts[state] ?? 0) + 1;
      if (repeats !== undefined) preview.repeats.set(start + at, repeats);
      else if (state === 'Same') preview.settled.add(start + at);
    });
    staging.made(staged, preview);
    return {
      Preview: preview.number,
      Total: rows.length,
      Counts: Object.fromEntries(ROW_STATES.map((state) => [state, counts[state] ?? 0])) as Record<State, number>,
      Rows: stated.slice(from - start, from - start + input.MaxResults).flatMap((one, at) => {
        const row = rows[from + at];
        return row ? [shownRow(row, from + at, one)] : [];
      }),
    };
  },

  'secretsmanager:ImportSecrets': async (input, call, rights) => {
    if (placeIn(rights.realm) !== undefined) return call.fail('InvalidParameterException', 'what is imported comes into the vault\'s own region; leave the region out, and replicate it afterwards');
    const { staged, preview } = staging.preview(input.ImportId, input.Preview);
    const { writer, keys, realm } = rights;
    const writing: Writing = { call, rights, random, staged, preview, values: secretValues({ call, writer, keys, realm, random }) };
    if (new Set(input.Rows.map(({ Row }) => Row)).size < input.Rows.length) throw new VaultError('ValidationException', 'a row is named twice; name it once');
    // The record of this request names whatever it writes: with more it would name only some.
    const recorded = input.Rows.reduce((sum, { Row }) => sum + recordedBytes(preview.rows[Row]?.name ?? ''), 0);
    if (recorded > MOST_RECORDED) throw new VaultError('ValidationException', 'the names of these rows do not fit one record of the trail; give fewer rows at once');
    const results = new Map<number, Result>();
    const one = async ({ Row: row, Action: action }: (typeof input.Rows)[number]): Promise<void> => {
      // Cancelled: the unit fails whole.
      call.signal.throwIfAborted();
      const planned = preview.rows[row];
      if (!planned) throw new VaultError('ValidationException', `the preview has no row ${String(row)}`);
      const { outcome, name, secret } = await written(planned, action, writing);
      const version = secret && versionUnder(secret.versions, CURRENT);
      results.set(row, { Row: row, ARN: secret ? arnOf(realm, secret) : '', Name: name, ...(version ? { VersionId: version.versionId } : {}), Outcome: outcome });
      call.progress({ done: results.size, total: input.Rows.length, unit: 'records' });
    };
    // Those that look at one another's names go one by one.
    const apart = (row: (typeof input.Rows)[number]): boolean => row.Action !== 'Keep' && preview.rows[row.Row]?.earlier === undefined;
    await Promise.all(input.Rows.filter(apart).map(one));
    for (const row of input.Rows) if (!apart(row)) await one(row);
    call.signal.throwIfAborted();
    const inOrder = input.Rows.flatMap(({ Row }) => results.get(Row) ?? []);
    for (const { ARN, Outcome } of inOrder) if (Outcome === 'Created' || Outcome === 'Replaced') call.touched(ARN);
    rights.afterwards(() => { for (const { Row, Outcome } of inOrder) if (Outcome !== 'Conflict') preview.settled.add(Row); });
    return { Results: inOrder };
  },

  'secretsmanager:CloseImport': ({ ImportId }) => {
    staging.close(ImportId);
    return {};
  },

  'secretsmanager:EraseImportedFile': async ({ ImportId, Path, NotImported }, call) => {
    const { source, preview } = staging.get(ImportId);
    if (source?.path !== Path) return call.fail('InvalidRequestException', 'this import was not read from that file');
    if (!preview || preview.settled.size === 0) return call.fail('InvalidRequestException', 'nothing of this file was imported; it is not erased');
    const left = unsettled(preview);
    if (left !== NotImported) return call.fail('InvalidRequestException', `${String(left)} of its entries are not in the vault; look at them before the file is erased`);
    await files.erase(Path, source.identity);
    staging.close(ImportId);
    return { Path, Size: source.identity.size, Certain: false as const };
  },
});

function shownRow(one: ImportRow, row: number, { state, name }: Stated) {
  const { source, line, refusal, shape, fields, repeated } = one;
  return {
    Row: row,
    Name: name ?? one.name,
    Source: source,
    ...(line === undefined ? {} : { Line: line }),
    State: state,
    ...(refusal === undefined ? {} : { Refusal: refusal }),
    Fields: shape === 'text' ? [] : fields.slice(0, MOST_FIELDS_SHOWN).map((field) => field.name),
    FieldCount: fields.length,
    Repeated: repeated.slice(0, MOST_FIELDS_SHOWN),
  };
}
