/** Lint: typed rules of typescript-eslint at their strictest, and the rules of this house. Zero warnings are allowed. */
import { defineConfig, globalIgnores } from 'eslint/config';
import tseslint from 'typescript-eslint';
import { house } from './scripts/lint-rules.mjs';

const restrict = {
  defaultExport: { selector: 'ExportDefaultDeclaration', message: 'export by name' },
  enum: { selector: 'TSEnumDeclaration', message: 'use a union of literals' },
  parameterProperty: { selector: 'TSParameterProperty', message: 'declare the field and assign it' },
  extension: {
    selector: ':matches(ImportDeclaration, ExportNamedDeclaration, ExportAllDeclaration)[source.value=/^\\.{1,2}\\u002F.*(?<!\\.(ts|tsx|mjs|cjs|js|json|css))$/]',
    message: 'relative imports name the file with its extension',
  },
  barrel: { selector: 'ExportAllDeclaration', message: 'import from the file that declares it' },
  now: { selector: "NewExpression[callee.name='Date'][arguments.length=0]", message: 'time is injected: take a `Clock`' },
};
const everywhere = [restrict.defaultExport, restrict.enum, restrict.parameterProperty, restrict.extension];

const INJECTED = [
  { object: 'Date', property: 'now', message: 'time is injected: take a `Clock`' },
  { object: 'performance', property: 'now', message: 'time is injected: take a `Clock`' },
  { object: 'process', property: 'hrtime', message: 'time is injected: take a `Clock`' },
  { object: 'Math', property: 'random', message: 'randomness is injected: take a `Random`' },
  { object: 'crypto', property: 'getRandomValues', message: 'randomness is injected: take a `Random`' },
  { object: 'crypto', property: 'randomUUID', message: 'randomness is injected: take a `Random`' },
];

export default defineConfig(
  globalIgnores(['dist/', 'node_modules/', '.bench/']),
  { linterOptions: { reportUnusedDisableDirectives: 'error' } },
  tseslint.configs.strictTypeChecked,
  tseslint.configs.stylisticTypeChecked,
  {
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    plugins: { house },
    rules: {
      'house/kebab-file': 'error',
      'house/reasoned-disable': 'error',
      'no-restricted-syntax': ['error', ...everywhere],
      'no-console': 'error',
      eqeqeq: 'error',
      'object-shorthand': 'error',
      'prefer-template': 'error',
      'no-constructor-return': 'error',
      'no-promise-executor-return': 'off',
      '@typescript-eslint/switch-exhaustiveness-check': ['error', { considerDefaultExhaustiveForUnions: true }],
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true, allowBoolean: true }],
      '@typescript-eslint/no-unnecessary-condition': ['error', { allowConstantLoopConditions: true }],
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', varsIgnorePattern: '^_', caughtErrorsIgnorePattern: '^_' }],
      '@typescript-eslint/no-empty-function': ['error', { allow: ['arrowFunctions', 'methods'] }],
      // `return void work()` and `() => work()` say the same.
      '@typescript-eslint/no-confusing-void-expression': 'off',
      '@typescript-eslint/no-meaningless-void-operator': 'off',
      // Ports are objects of closures, declared with method signatures; taking one out is what they are for.
      '@typescript-eslint/unbound-method': 'off',
      // A port's method is asynchronous whether or not this implementation waits for anything.
      '@typescript-eslint/require-await': 'off',
      // Type parameters that appear once still document a contract.
      '@typescript-eslint/no-unnecessary-type-parameters': 'off',
      '@typescript-eslint/non-nullable-type-assertion-style': 'off',
      '@typescript-eslint/consistent-type-definitions': 'off',
      '@typescript-eslint/class-literal-property-style': 'off',
      '@typescript-eslint/prefer-nullish-coalescing': ['error', { ignorePrimitives: { string: true, boolean: true } }],
    },
  },
  {
    files: ['src/**/*.ts', 'src/**/*.tsx'],
    rules: {
      'max-lines': ['error', { max: 320 }],
      'no-restricted-syntax': ['error', ...everywhere, restrict.now],
      'no-restricted-properties': ['error', ...INJECTED],
      'no-restricted-imports': [
        'error',
        {
          paths: [
            { name: 'node:crypto', importNames: ['randomBytes', 'randomFillSync', 'randomFill', 'randomInt', 'randomUUID', 'getRandomValues', 'webcrypto'], message: 'randomness is injected: take a `Random`' },
            { name: 'node:perf_hooks', importNames: ['performance'], message: 'time is injected: take a `Clock`' },
          ],
          patterns: [{ group: ['**/test/**'], message: 'the program does not import its tests' }],
        },
      ],
    },
  },
  { files: ['src/**/*.ts'], ignores: ['src/shared/api/index.ts'], rules: { 'no-restricted-syntax': ['error', ...everywhere, restrict.now, restrict.barrel] } },
  { files: ['src/main/{seal,sealer,keyring,crypto,secrets}/**/*.ts'], rules: { 'house/off-heap-bytes': 'error' } },
  { files: ['src/main/platform/**/*.ts'], rules: { 'no-restricted-properties': 'off', 'no-restricted-imports': 'off', 'no-restricted-syntax': ['error', ...everywhere] } },
  { files: ['src/cli/**/*.ts', 'bench/**/*.ts', 'scripts/**'], rules: { 'no-console': 'off' } },
  {
    files: ['test/**/*.ts', 'bench/**/*.ts'],
    rules: {
      '@typescript-eslint/no-non-null-assertion': 'off',
      '@typescript-eslint/no-invalid-void-type': 'off',
      // vitest's matchers (`expect.any`) are typed `any`.
      '@typescript-eslint/no-unsafe-assignment': 'off',
      '@typescript-eslint/no-unsafe-return': 'off',
      '@typescript-eslint/no-deprecated': 'off',
      '@typescript-eslint/no-empty-function': 'off',
    },
  },
  { files: ['eslint.config.js', 'vitest.config.ts', 'src/renderer/vite.config.ts'], rules: { 'no-restricted-syntax': 'off' } },
  {
    // JSDoc casts do not reach these rules; the type check (`checkJs`) does the work.
    files: ['**/*.mjs', '**/*.js'],
    rules: {
      '@typescript-eslint/no-unsafe-argument': 'off',
      '@typescript-eslint/no-unsafe-assignment': 'off',
      '@typescript-eslint/no-unsafe-call': 'off',
      '@typescript-eslint/no-unsafe-member-access': 'off',
      '@typescript-eslint/no-unsafe-return': 'off',
    },
  },
  { files: ['**/*.cjs', 'bin/*'], extends: [tseslint.configs.disableTypeChecked] },
);
