/**
 * What may import what. Everything may import src/shared; beyond that a folder imports itself and what this table names.
 * `types`: only the ports of platform, which hold types and no code. `test/arch` holds that these rules can fail.
 */
const PORTS = 'src/main/platform/ports\\.ts$';
/** What a domain needs to declare the kinds of record that it keeps in the store. */
const COLLECTIONS = 'src/main/store/(collection|strict)\\.ts$';
/** The way out, as a port: types and closed tables, no code. */
const EGRESS = 'src/main/egress/port\\.ts$';
/** What another program's file was read into: types. */
const IMPORTS = 'src/main/imports/port\\.ts$';
/** The domains' own descriptors, which the store names once (`store/kinds.ts`). */
const KINDS = 'src/main/[^/]+/kinds\\.ts$';

/** @type {Record<string, { folders?: string[], packages?: string[], builtins?: false }>} */
const MAIN = {
  crypto: { packages: ['@noble/(ciphers|curves|hashes)', '@node-rs/argon2'] },
  platform: { packages: ['koffi', '@photostructure/sqlite'] },
  cipher: { folders: ['src/main/crypto/(bytes|json-frame)\\.ts$', 'src/main/platform/(ports|child-port|harden|libc)\\.ts$'], packages: ['@aws-crypto/(encrypt|decrypt|material-management)-node'] },
  egress: { folders: ['src/main/rotators/', 'src/main/secrets/(rotator|remote)-port\\.ts$', 'src/main/crypto/(bytes|canonical|hmac|json-frame|sigv4)\\.ts$', 'src/main/platform/(ports|child-port|clock|descendants|harden|random)\\.ts$'] },
  rotators: { folders: [EGRESS, 'src/main/crypto/bytes\\.ts$', PORTS], packages: ['pg', 'mysql2', '@noble/curves'] },
  keychain: { folders: ['src/main/platform/'], packages: ['keytar'] },
  policy: { builtins: false },
  rules: { builtins: false },
  trail: { folders: ['src/main/crypto/', 'src/main/seal/protocol\\.ts$', PORTS] },
  seal: { folders: ['src/main/crypto/', PORTS] },
  sealer: { folders: ['src/main/crypto/', 'src/main/seal/', 'src/main/trail/', 'src/main/platform/(ports|child-port|harden|random)\\.ts$'], packages: ['@noble/(ciphers|curves|hashes|post-quantum)'] },
  access: { folders: [COLLECTIONS, 'src/main/crypto/', PORTS] },
  keyring: { folders: [COLLECTIONS] },
  secrets: { folders: [COLLECTIONS, IMPORTS, 'src/main/keyring/', 'src/main/crypto/', PORTS], packages: ['@scure/bip39'] },
  imports: { folders: ['src/main/crypto/(bytes|json-frame)\\.ts$', 'src/main/platform/(ports|child-port|harden|libc)\\.ts$'], packages: ['fast-xml-parser', 'yaml'] },
  kernel: { folders: ['src/main/access/signatures\\.ts$', 'src/main/policy/', 'src/main/rules/', 'src/main/trail/', PORTS] },
  hardware: { folders: [COLLECTIONS, 'src/main/backends/pkcs11/(client|cryptoki|errors|mechanisms|oaep|protocol)\\.ts$', 'src/main/keyring/ports\\.ts$', 'src/main/crypto/(bytes|der)\\.ts$', 'src/main/platform/files\\.ts$', PORTS] },
  operations: { folders: ['src/main/hardware/', 'src/main/backends/pkcs11/(cryptoki|errors|mechanisms|protocol)\\.ts$', 'src/main/access/', 'src/main/imports/(limits|port)\\.ts$', 'src/main/kernel/', 'src/main/keyring/', 'src/main/secrets/', 'src/main/seal/protocol\\.ts$', 'src/main/trail/', 'src/main/vault/', 'src/main/store/(port|collection)\\.ts$', KINDS, 'src/main/crypto/bytes\\.ts$', PORTS] },
  vault: { folders: ['src/main/(crypto|platform|seal|store|trail)/', 'src/main/keyring/ports\\.ts$'] },
  backends: { folders: ['src/main/keyring/ports\\.ts$', 'src/main/seal/protocol\\.ts$', 'src/main/crypto/(bytes|der)\\.ts$', 'src/main/platform/(child-port|harden)\\.ts$', PORTS], packages: ['pkcs11js'] },
  store: { folders: [KINDS, 'src/main/(keyring|secrets|trail)/ports?\\.ts$', 'src/main/seal/', 'src/main/crypto/bytes\\.ts$', 'src/main/platform/files\\.ts$', PORTS], packages: ['@photostructure/sqlite'] },
  doors: { folders: ['src/main/kernel/request\\.ts$', 'src/main/platform/', 'src/main/crypto/(bytes|canonical|hmac|sigv4)\\.ts$'] },
};

const anyOf = (/** @type {string[]} */ ...paths) => paths.map((path) => `^${path}`);
const inPackages = (/** @type {string[]} */ names) => names.map((name) => `node_modules/${name}(/|$)`);
const NPM = ['npm', 'npm-dev', 'npm-optional', 'npm-peer', 'npm-bundled', 'npm-no-pkg', 'npm-unknown'];

const ofFolder = (/** @type {string} */ name, /** @type {string} */ path, { folders = [], packages = [], builtins = true }) => [
  { name: `${name}-imports`, severity: 'error', from: { path: `^${path}` }, to: { path: '^(src|test|bench|scripts)/', pathNot: anyOf('src/shared/', path, ...folders) } },
  { name: `${name}-packages`, severity: 'error', from: { path: `^${path}` }, to: { dependencyTypes: NPM, pathNot: inPackages(['zod', ...packages]) } },
  ...(builtins ? [] : [{ name: `${name}-builtins`, severity: 'error', from: { path: `^${path}` }, to: { dependencyTypes: ['core'] } }]),
];

/** A package that one place alone may touch. */
const only = (/** @type {string} */ name, /** @type {string} */ where) => ({
  name: `${name}-only-there`,
  severity: 'error',
  from: { path: '^src/', pathNot: `^${where}` },
  to: { path: `node_modules/${name}(/|$)` },
});

/** @type {import('dependency-cruiser').IConfiguration} */
module.exports = {
  forbidden: [
    { name: 'no-cycles', severity: 'error', from: {}, to: { circular: true } },
    { name: 'no-orphans', severity: 'error', from: { orphan: true, path: '^src/', pathNot: '\\.d\\.ts$' }, to: {} },
    { name: 'resolvable', severity: 'error', from: {}, to: { couldNotResolve: true } },
    // The renderer is bundled whole, so its packages are there for the build only; Electron is the program that the packaged one runs in.
    { name: 'no-dev-packages', severity: 'error', from: { path: '^src/', pathNot: '^src/renderer/' }, to: { dependencyTypes: ['npm-dev', 'npm-no-pkg', 'npm-unknown'], pathNot: 'node_modules/electron(/|$)' } },
    ...ofFolder('shared', 'src/shared/', { builtins: false }),
    ...ofFolder('cli', 'src/cli/', {}),
    ...ofFolder('renderer', 'src/renderer/', { packages: ['react', 'react-dom', 'radix-ui', 'cmdk', 'lucide-react', '@tanstack/react-(query|router|virtual)', '@fontsource-variable/[^/]+'], builtins: false }),
    ...Object.entries(MAIN).flatMap(([folder, row]) => ofFolder(folder, `src/main/${folder}/`, row)),
    // A folder without a row in the table has no rights yet.
    { name: 'known-folder', severity: 'error', from: { path: '^src/main/', pathNot: anyOf(...Object.keys(MAIN).map((folder) => `src/main/${folder}/`), 'src/main/(app|hosts)/') }, to: {} },
    { name: 'src-without-tests', severity: 'error', from: { path: '^src/' }, to: { path: '^(test|bench|scripts)/' } },
    { name: 'main-without-windows', severity: 'error', from: { path: '^src/main/' }, to: { path: '^src/(cli|renderer)/' } },
    { name: 'doors-apart', severity: 'error', from: { path: '^src/main/doors/(aws|cli|ipc|schedule)[^/]*(/|\\.ts$)' }, to: { path: '^src/main/doors/(aws|cli|ipc|schedule)', pathNot: '^src/main/doors/$1' } },
    only('electron', 'src/main/hosts/electron/'),
    only('keytar', 'src/main/keychain/entry\\.ts'),
    only('pkcs11js', 'src/main/backends/pkcs11/entry\\.ts'),
    only('pg', 'src/main/rotators/'),
    only('mysql2', 'src/main/rotators/'),
    only('@node-rs/argon2', 'src/main/crypto/kdf\\.ts'),
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    // A tool's settings, no part of the program; and what the build makes.
    exclude: { path: '^src/renderer/vite\\.config\\.ts$|^virtual:' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.base.json' },
    enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['import', 'node', 'default', 'types'], extensions: ['.ts', '.tsx', '.mjs', '.js'] },
  },
};
