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

interface Use {
  readonly operation: string;
  /** Input beside the key: a file of bytes, or a word. */
  readonly input: readonly (readonly [name: string, from: { readonly file: string } | { readonly word: string }])[];
  /** Bytes of the answer, and the file that they go to. */
  readonly output: readonly [name: string, file: string];
}

const file = (name: string): { readonly file: string } => ({ file: name });
const word = (text: string): { readonly word: string } => ({ word: text });

function useOf(spec: KeySpec, usage: KeyUsage): Use {
  const algorithms = offered(spec, usage);
  const algorithm = algorithms.find((name) => name.endsWith('OAEP_SHA_256')) ?? algorithms[0] ?? '';
  const named = (name: string): Use['input'] => (algorithm === 'SYMMETRIC_DEFAULT' ? [] : [[name, word(algorithm)]]);
  const uses: Record<KeyUsage, Use> = {
    ENCRYPT_DECRYPT: { operation: 'Encrypt', input: [['Plaintext', file('plaintext')], ...named('EncryptionAlgorithm')], output: ['CiphertextBlob', 'ciphertext.bin'] },
    SIGN_VERIFY: { operation: 'Sign', input: [['Message', file('message')], ...named('SigningAlgorithm')], output: ['Signature', 'signature.bin'] },
    GENERATE_VERIFY_MAC: { operation: 'GenerateMac', input: [['Message', file('message')], ...named('MacAlgorithm')], output: ['Mac', 'mac.bin'] },
    KEY_AGREEMENT: { operation: 'DeriveSharedSecret', input: [['KeyAgreementAlgorithm', word('ECDH')], ['PublicKey', file('other-side.der')]], output: ['SharedSecret', 'shared-secret'] },
    ENCAPSULATE_DECAPSULATE: { operation: 'Encapsulate', input: [['EncapsulationAlgorithm', word('ML_KEM')]], output: ['SharedSecretCiphertextBlob', 'encapsulated.bin'] },
  };
  return uses[usage];
}

const kebab = (name: string): string => name.replaceAll(/(?<=[a-z])(?=[A-Z])/g, '-').toLowerCase();
const text = (value: string): string => `'${value.replaceAll('\\', '\\\\').replaceAll("'", String.raw`\'`)}'`;

const WRITE: Record<CodeWay, (use: Use, facts: CodeFacts) => string> = {
  cli({ operation, input, output: [name, out] }, { key }) {
    const flags = input.map(([field, from]) => `--${kebab(field)} ${'file' in from ? `fileb://${from.file}` : from.word}`);
    return `aws kms ${kebab(operation)} --key-id ${quoted(key)} ${flags.join(' ')} \\\n  --query ${name} --output text | base64 -d > ${out}`;
  },
  sdk({ operation, input, output: [name, out] }, { key }) {
    const fields = [`KeyId: ${text(key)}`, ...input.map(([field, from]) => `${field}: ${'file' in from ? `await readFile(${text(from.file)})` : text(from.word)}`)];
    return [
      "import { readFile, writeFile } from 'node:fs/promises';".replace(input.some(([, from]) => 'file' in from) ? '' : 'readFile, ', ''),
      `import { KMSClient, ${operation}Command } from '@aws-sdk/client-kms';`,
      '',
      'const kms = new KMSClient({});',
      `const { ${name} } = await kms.send(new ${operation}Command({`,
      ...fields.map((field) => `  ${field},`),
      '}));',
      `await writeFile(${text(out)}, ${name});`,
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

export const codeFor = (way: CodeWay, facts: CodeFacts): string => WRITE[way](useOf(facts.spec, facts.usage), facts);
