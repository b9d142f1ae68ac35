/** The import table of `.dependency-cruiser.cjs` holds, sees the whole program, and can fail. */
import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';

const ROOT = resolve(import.meta.dirname, '../..');
/** Raised as the program grows; on an unsupported compiler the cruiser silently sees none. */
const MODULES_AT_LEAST = 200;

interface Cruise {
  readonly modules: readonly { readonly source: string; readonly dependencies: readonly { readonly resolved: string }[] }[];
  readonly summary: { readonly violations: readonly { readonly from: string; readonly to: string; readonly rule: { readonly name: string } }[] };
}

function cruise(folder: string, ...options: readonly string[]): Cruise {
  const program = join(ROOT, 'node_modules/.bin/depcruise');
  const output = execFileSync(program, ['--config', '.dependency-cruiser.cjs', '--output-type', 'json', ...options, 'src'], { cwd: folder, encoding: 'utf8', maxBuffer: 2 ** 28 });
  return JSON.parse(output) as Cruise;
}

/** A file put into a copy of the program, and the rule that must catch it. */
const PLANTS: readonly { readonly file: string; readonly source: string; readonly rule: string }[] = [
  { file: 'src/shared/model/planted.ts', source: "import 'node:fs';", rule: 'shared-builtins' },
  { file: 'src/shared/model/planted-2.ts', source: "import 'koffi';", rule: 'shared-packages' },
  { file: 'src/shared/model/planted-3.ts', source: "import '../../main/platform/clock.ts';", rule: 'shared-imports' },
  { file: 'src/cli/planted.ts', source: "import type { Clock } from '../main/platform/ports.ts'; export type T = Clock;", rule: 'cli-imports' },
  { file: 'src/main/policy/planted.ts', source: "import '../rules/rules.ts';", rule: 'policy-imports' },
  { file: 'src/main/policy/planted-2.ts', source: "import 'node:fs';", rule: 'policy-builtins' },
  { file: 'src/main/trail/planted.ts', source: "import '../platform/clock.ts';", rule: 'trail-imports' },
  { file: 'src/main/sealer/planted.ts', source: "import '../store/port.ts';", rule: 'sealer-imports' },
  { file: 'src/main/kernel/planted.ts', source: "import '../keyring/key.ts';", rule: 'kernel-imports' },
  { file: 'src/main/kernel/planted-2.ts', source: "import '@noble/hashes/sha2.js';", rule: 'kernel-packages' },
  { file: 'src/main/doors/schedule-planted.ts', source: "import './ipc.ts';", rule: 'doors-apart' },
  { file: 'src/main/doors/planted.ts', source: "import '../kernel/dispatch.ts';", rule: 'doors-imports' },
  { file: 'src/main/operations/planted.ts', source: "import '../store/database.ts';", rule: 'operations-imports' },
  { file: 'src/main/operations/planted-2.ts', source: "import '../../../test/planted.ts';", rule: 'src-without-tests' },
  { file: 'test/planted.ts', source: 'export const planted = 1;', rule: 'src-without-tests' },
  { file: 'src/main/app/planted.ts', source: "import 'keytar';", rule: 'keytar-only-there' },
  { file: 'src/main/app/planted-5.ts', source: "import 'pg';", rule: 'pg-only-there' },
  { file: 'src/main/rotators/planted.ts', source: "import '../store/database.ts';", rule: 'rotators-imports' },
  { file: 'src/main/egress/planted.ts', source: "import '../operations/register.ts';", rule: 'egress-imports' },
  { file: 'src/main/app/planted-2.ts', source: "import 'vitest';", rule: 'no-dev-packages' },
  { file: 'src/main/app/planted-3.ts', source: "import './gone.ts';", rule: 'resolvable' },
  { file: 'src/main/app/planted-4.ts', source: 'export const alone = 1;', rule: 'no-orphans' },
  { file: 'src/main/elsewhere/planted.ts', source: "import './planted-2.ts';", rule: 'known-folder' },
  { file: 'src/main/elsewhere/planted-2.ts', source: 'export const planted = 1;', rule: 'known-folder' },
  { file: 'src/main/seal/planted.ts', source: "import './planted-2.ts';", rule: 'no-cycles' },
  { file: 'src/main/seal/planted-2.ts', source: "import './planted.ts';", rule: 'no-cycles' },
];

describe('the import table', () => {
  const copy = mkdtempSync(join(tmpdir(), 'keystead-arch-'));
  afterAll(() => rmSync(copy, { recursive: true, force: true }));

  it('holds for every source file', { timeout: 60_000 }, () => {
    const { modules, summary } = cruise(ROOT);
    const seen = new Set(modules.map((module) => module.source).filter((source) => source.startsWith('src/')));
    const files = readdirSync(join(ROOT, 'src'), { recursive: true, encoding: 'utf8' }).filter((file) => /\.tsx?$/.test(file) && !file.endsWith('vite.config.ts'));
    expect(files.filter((file) => !seen.has(`src/${file}`))).toEqual([]);
    expect(seen.size).toBeGreaterThanOrEqual(MODULES_AT_LEAST);
    expect(modules.flatMap((module) => module.dependencies).length).toBeGreaterThan(2 * MODULES_AT_LEAST);
    expect(summary.violations.map(({ rule, from, to }) => `${rule.name}: ${from} → ${to}`)).toEqual([]);
  });

  it('catches each planted violation', { timeout: 60_000 }, () => {
    cpSync(join(ROOT, 'src'), join(copy, 'src'), { recursive: true });
    for (const file of ['.dependency-cruiser.cjs', 'tsconfig.base.json', 'package.json']) cpSync(join(ROOT, file), join(copy, file));
    symlinkSync(join(ROOT, 'node_modules'), join(copy, 'node_modules'));
    for (const { file, source } of PLANTS) {
      mkdirSync(dirname(join(copy, file)), { recursive: true });
      writeFileSync(join(copy, file), `${source}\n`);
    }
    const { violations } = cruise(copy, '--preserve-symlinks').summary;
    const missed = PLANTS.filter(({ file, rule }) => !violations.some((violation) => violation.rule.name === rule && (violation.from === file || violation.to === file)));
    expect(missed).toEqual([]);
  });
});
