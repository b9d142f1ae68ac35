/** What AWS's tools and SDKs are told of a vault's door, by environment variables or by a profile. Nothing of it is secret. */
export interface DoorFacts {
  readonly Endpoint: string;
  readonly Region: string;
  readonly Tls: boolean;
  readonly CertificateAuthorityFile?: string | undefined;
}

/** AWS_CA_BUNDLE and NODE_EXTRA_CA_CERTS hold for every endpoint of the shell: hence only with TLS. */
export function variablesOf(door: DoorFacts): readonly (readonly [name: string, value: string])[] {
  return [
    ['AWS_ENDPOINT_URL_KMS', door.Endpoint],
    ['AWS_ENDPOINT_URL_SECRETS_MANAGER', door.Endpoint],
    ['AWS_REGION', door.Region],
    ['AWS_DEFAULT_REGION', door.Region],
    ...(door.Tls && door.CertificateAuthorityFile !== undefined ? ([['AWS_CA_BUNDLE', door.CertificateAuthorityFile], ['NODE_EXTRA_CA_CERTS', door.CertificateAuthorityFile]] as const) : []),
  ];
}

/** A line for a POSIX shell. */
export const exportLine = (name: string, value: string): string => `export ${name}='${value.replaceAll("'", "'\\''")}'\n`;

/** Sections for `~/.aws/config`; the access key belongs into `~/.aws/credentials`, under the same name. */
export function profileOf(door: DoorFacts, name: string): string {
  return [
    `[profile ${name}]`,
    `region = ${door.Region}`,
    `services = ${name}`,
    ...(door.Tls && door.CertificateAuthorityFile !== undefined ? [`ca_bundle = ${door.CertificateAuthorityFile}`] : []),
    '',
    `[services ${name}]`,
    'kms =',
    `  endpoint_url = ${door.Endpoint}`,
    'secrets_manager =',
    `  endpoint_url = ${door.Endpoint}`,
    '',
  ].join('\n');
}
