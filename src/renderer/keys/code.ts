/** Lines that use a key from elsewhere, through the door for AWS clients: AWS's command line, its SDK for JavaScript, curl. Nothing in them is secret. Pure. */
import { offered, type KeySpec, type KeyUsage } from '../../shared/model/algorithms.ts';
import { quoted } from '../use/command.ts';

export const CODE_WAYS = ['cli', 'sdk', 'curl'] as const;
export type CodeWay = (typeof CODE_WAYS)[number];

export interface CodeFacts {
  readonly spec: KeySpec;
  readonly usage: KeyUsage;
  /** Alias or id. */
  readonly key: string;
  /** Whether the door speaks TLS, by an authority that curl has to be told of. */
  readonly tls: boolean;
}

type Given = { readonly file: string } | { readonly word: string };

interface Use {
  readonly operation: string;
  /** Input beside the key: a file of bytes, or a word. */
  readonly input: readonly (readonly [name: string, from: Given])[];
  /** Bytes of the answer and the files that they go to; a word is only shown. */
  readonly output: readonly (readonly [name: string, file: string])[] | string;
}

const file = (name: string): Given => ({ file: name });
const word = (text: string): Given => ({ word: text });

/** There and back, in the order in which they are shown. */
function usesOf(spec: KeySpec, usage: KeyUsage): readonly Use[] {
  const algorithms = offered(spec, usage);
  const algorithm = algorithms.find((name) => name.endsWith('OAEP_SHA_256')) ?? algorithms[0] ?? '';
  const named = (name: string): Use['input'] => (algorithm === 'SYMMETRIC_DEFAULT' ? [] : [[name, word(algorithm)]]);
  const message: Use['input'][number] = ['Message', file('message')];
  const uses: Record<KeyUsage, readonly Use[]> = {
    ENCRYPT_DECRYPT: [
      { operation: 'Encrypt', input: [['Plaintext', file('plaintext')], ...named('EncryptionAlgorithm')], output: [['CiphertextBlob', 'ciphertext.bin']] },
      { operation: 'Decrypt', input: [['CiphertextBlob', file('ciphertext.bin')], ...named('EncryptionAlgorithm')], output: [['Plaintext', 'decrypted']] },
    ],
    SIGN_VERIFY: [
      { operation: 'Sign', input: [message, ...named('SigningAlgorithm')], output: [['Signature', 'signature.bin']] },
      { operation: 'Verify', input: [message, ['Signature', file('signature.bin')], ...named('SigningAlgorithm')], output: 'SignatureValid' },
    ],
    GENERATE_VERIFY_MAC: [
      { operation: 'GenerateMac', input: [message, ...named('MacAlgorithm')], output: [['Mac', 'mac.bin']] },
      { operation: 'VerifyMac', input: [message, ['Mac', file('mac.bin')], ...named('MacAlgorithm')], output: 'MacValid' },
    ],
    KEY_AGREEMENT: [{ operation: 'DeriveSharedSecret', input: [['KeyAgreementAlgorithm', word('ECDH')], ['PublicKey', file('other-side.der')]], output: [['SharedSecret', 'shared-secret']] }],
    ENCAPSULATE_DECAPSULATE: [
      { operation: 'Encapsulate', input: [['EncapsulationAlgorithm', word('ML_KEM')]], output: [['SharedSecret', 'shared-secret'], ['SharedSecretCiphertextBlob', 'encapsulated.bin']] },
      { operation: 'Decapsulate', input: [['EncapsulationAlgorithm', word('ML_KEM')], ['SharedSecretCiphertextBlob', file('encapsulated.bin')]], output: [['SharedSecret', 'recovered-secret']] },
    ],
  };
  return uses[usage];
}

export const operationsFor = ({ spec, usage }: Pick<CodeFacts, 'spec' | 'usage'>): readonly string[] => usesOf(spec, usage).map(({ operation }) => operation);

/** From what the CLI prints as text: one value in base64, or several with a tab between. */
function intoFiles(output: readonly (readonly [name: string, file: string])[]): string {
  const [[name, out] = ['', ''], ...more] = output;
  if (more.length === 0) return `--query ${name} --output text | base64 -d > ${out}`;
  const variables = output.map((_, i) => `part${String(i + 1)}`);
  return [`--query '[${output.map(([field]) => field).join(',')}]' --output text | {`, `    read -r ${variables.join(' ')}`, ...output.map(([, to], i) => `    printf %s "$${variables[i] ?? ''}" | base64 -d > ${to}`), '  }'].join('\n');
}

const kebab = (name: string): string => name.replaceAll(/(?<=[a-z])(?=[A-Z])/g, '-').toLowerCase();
const text = (value: string): string => `'${value.replaceAll('\\', '\\\\').replaceAll("'", String.raw`\'`)}'`;

const WRITE: Record<CodeWay, (use: Use, facts: CodeFacts) => string> = {
  cli({ operation, input, output }, { key }) {
    const flags = input.map(([field, from]) => `--${kebab(field)} ${'file' in from ? `fileb://${from.file}` : from.word}`);
    return `aws kms ${kebab(operation)} --key-id ${quoted(key)} ${flags.join(' ')} \\\n  ${typeof output === 'string' ? `--query ${output} --output text` : intoFiles(output)}`;
  },
  sdk({ operation, input, output }, { key }) {
    const fields = [`KeyId: ${text(key)}`, ...input.map(([field, from]) => `${field}: ${'file' in from ? `await readFile(${text(from.file)})` : text(from.word)}`)];
    const [files, fieldNames] = typeof output === 'string' ? [[], [output]] : [output, output.map(([name]) => name)];
    const imports = [...(input.some(([, from]) => 'file' in from) ? ['readFile'] : []), ...(files.length > 0 ? ['writeFile'] : [])];
    return [
      `import { ${imports.join(', ')} } from 'node:fs/promises';`,
      `import { KMSClient, ${operation}Command } from '@aws-sdk/client-kms';`,
      '',
      'const kms = new KMSClient({});',
      `const { ${fieldNames.join(', ')} } = await kms.send(new ${operation}Command({`,
      ...fields.map((field) => `  ${field},`),
      '}));',
      ...(typeof output === 'string' ? [`console.log(${output});`] : files.map(([name, out]) => `await writeFile(${text(out)}, ${name});`)),
    ].join('\n');
  },
  curl({ operation, input }, { key, tls }) {
    const fields = [['KeyId', key] as const, ...input.map(([field, from]) => [field, 'file' in from ? `'"$(base64 -w0 ${from.file})"'` : from.word] as const)];
    const body = `{${fields.map(([field, value]) => `"${field}":"${value}"`).join(',')}}`;
    return [
      'curl --aws-sigv4 "aws:amz:$AWS_REGION:kms" --user "$AWS_ACCESS_KEY_ID:$AWS_SECRET_ACCESS_KEY" \\',
      ...(tls ? ['  --cacert "$AWS_CA_BUNDLE" \\'] : []),
      `  -H 'X-Amz-Target: TrentService.${operation}' -H 'Content-Type: application/x-amz-json-1.1' \\`,
      `  --data '${body}' "$AWS_ENDPOINT_URL_KMS/"`,
    ].join('\n');
  },
};

/** `operation`: one of `operationsFor`; the first where it is none. */
export function codeFor(way: CodeWay, facts: CodeFacts, operation?: string): string {
  const uses = usesOf(facts.spec, facts.usage);
  const use = uses.find((one) => one.operation === operation) ?? uses[0];
  return use ? WRITE[way](use, facts) : '';
}
