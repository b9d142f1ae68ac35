/** Collections against maps: whatever is done in whatever order, by whom at the same time, both say the same, also after a restart. */
import fc from 'fast-check';
import { expect, test } from 'vitest';

import type { Page } from '../../src/main/keyring/ports.ts';
import type { CollectionsReader } from '../../src/main/store/collection.ts';
import { BLOBS, NOTES } from '../unit/store/kinds.ts';
import { close, codeOf, createVault, record, reopen, type TestVault } from '../unit/store/vault.ts';

type Verb = 'insert' | 'update' | 'remove';
interface Step {
  readonly verb: Verb;
  readonly notes: boolean;
  readonly name: string;
  readonly text: string;
}
interface Model {
  readonly notes: Map<string, string>;
  readonly blobs: Map<string, string>;
}

const step: fc.Arbitrary<Step> = fc.record({
  verb: fc.constantFrom('insert', 'insert', 'update', 'remove'),
  notes: fc.boolean(),
  name: fc.constantFrom('a', 'b', 'prod/db', 'Prüfung', '鍵', ' ', ''),
  text: fc.string({ maxLength: 600 }),
});
const unitOf = fc.record({ steps: fc.array(step, { maxLength: 6 }), fail: fc.boolean(), reopen: fc.boolean() });

/** What the unit must end with. `model` is changed only when it is `resolved`. */
function expected(model: Model, steps: readonly Step[], fail: boolean): string {
  const notes = new Map(model.notes);
  const blobs = new Map(model.blobs);
  for (const { verb, notes: isNote, name, text } of steps) {
    const map = isNote ? notes : blobs;
    if (verb === 'insert' && map.has(name)) return 'AlreadyExistsException';
    if (verb !== 'insert' && !map.has(name)) return 'NotFoundException';
    if (verb === 'remove') map.delete(name);
    else map.set(name, text);
  }
  if (fail) return 'Error: on purpose';
  for (const [map, next] of [[model.notes, notes], [model.blobs, blobs]] as const) {
    map.clear();
    for (const [name, text] of next) map.set(name, text);
  }
  return 'resolved';
}

async function all<R>(list: (page: { readonly after?: string; readonly limit: number }) => Promise<Page<R>>): Promise<R[]> {
  const items: R[] = [];
  for (let after: string | undefined; ; ) {
    const page = await list({ limit: 2, ...(after === undefined ? {} : { after }) });
    items.push(...page.items);
    if (page.next === undefined) return items;
    after = page.next;
  }
}

async function same(reader: CollectionsReader, model: Model): Promise<void> {
  const notes = reader.of(NOTES);
  const blobs = reader.of(BLOBS);
  const byName = (a: { readonly name: string }, b: { readonly name: string }) => (a.name < b.name ? -1 : 1);
  expect((await all((page) => notes.page(page))).sort(byName)).toEqual([...model.notes].map(([name, text]) => ({ name, text })).sort(byName));
  expect(new Map((await all((page) => blobs.page(page))).map(({ id, bytes }) => [id, bytes]))).toEqual(model.blobs);
  expect(new Map([...(await notes.entries())].map(([name, { length }]) => [name, length]))).toEqual(new Map([...model.notes].map(([name, { length }]) => [name, length])));
  for (const name of ['a', 'b', 'prod/db', 'Prüfung', '鍵', ' ', '', 'never']) {
    expect((await notes.get(name))?.text).toBe(model.notes.get(name));
    expect((await blobs.get(name))?.bytes).toBe(model.blobs.get(name));
  }
}

test('collections are maps of records', { timeout: 120_000 }, async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(unitOf, { minLength: 1, maxLength: 8 }), async (units) => {
      let vault: TestVault = await createVault();
      const model: Model = { notes: new Map(), blobs: new Map() };
      for (const { steps, fail, reopen: again } of units) {
        const verdict = expected(model, steps, fail);
        const before = vault.store.reader.of(NOTES).revision;
        const outcome = await codeOf(
          vault.store.write(record(), async (writer) => {
            for (const [at, { verb, notes, name, text }] of steps.entries()) {
              const last = at === steps.length - 1 && !fail;
              if (notes) await apply(writer.of(NOTES), verb, name, { name, text }, last);
              else await apply(writer.of(BLOBS), verb, name, { id: name, bytes: text }, last);
            }
            if (fail) throw new Error('on purpose');
          }),
        );
        expect(outcome).toBe(verdict);
        if (verdict === 'resolved' && steps.length > 0 && steps[steps.length - 1]?.notes === true && steps[steps.length - 1]?.verb !== 'remove') expect(vault.store.reader.of(NOTES).revision).toBeGreaterThan(before);
        if (again) {
          await close(vault);
          vault = await reopen(vault);
        }
        await same(vault.store.reader, model);
      }
      await close(vault);
    }),
    { numRuns: Number(process.env['KEYSTEAD_PROPERTY_RUNS'] ?? 30) },
  );
});

interface Staging<R> {
  get(key: string): Promise<R | undefined>;
  insert(record: R): void;
  update(record: R): void;
  remove(key: string): void;
}

/** `last`: nothing comes after it, so that the store itself has to find out. */
async function apply<R>(writer: Staging<R>, verb: Verb, name: string, value: R, last: boolean): Promise<void> {
  const there = (await writer.get(name)) !== undefined;
  const bad = there === (verb === 'insert');
  if (bad && !last) throw Object.assign(new Error('refused'), { code: there ? 'AlreadyExistsException' : 'NotFoundException' });
  if (verb === 'remove') writer.remove(name);
  else writer[verb](value);
  if (!bad) expect(await writer.get(name)).toEqual(verb === 'remove' ? undefined : value);
}

test('units that run at the same time end as if one ran after the other', { timeout: 60_000 }, async () => {
  const { store } = await createVault();
  const add = (name: string) =>
    codeOf(
      store.write(record(), async (writer) => {
        const counter = await writer.of(NOTES).get('counter');
        if (counter) writer.of(NOTES).update({ name: 'counter', text: `${counter.text}x` });
        else writer.of(NOTES).insert({ name: 'counter', text: 'x' });
        writer.of(BLOBS).insert({ id: name, bytes: '' });
      }),
    );
  const outcomes = await Promise.all(Array.from({ length: 40 }, (_, at) => add(`blob ${String(at % 30)}`)));
  const won = outcomes.filter((code) => code === 'resolved').length;
  expect(outcomes.filter((code) => code === 'AlreadyExistsException')).toHaveLength(10);
  expect(won).toBe(30);
  expect((await store.reader.of(NOTES).get('counter'))?.text).toHaveLength(won);
  expect((await all((page) => store.reader.of(BLOBS).page(page))).length).toBe(30);
});
