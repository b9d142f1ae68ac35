/** An authority for tests and certificates of its making, with openssl. */
import { execFileSync } from 'node:child_process';
import { chownSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

export interface Authority {
  /** PEM. */
  readonly ca: string;
  readonly caFile: string;
  /** A key and certificate for these names (`DNS:localhost`, `IP:127.0.0.1`); both files belong to `uid`. */
  issue(name: string, names: readonly string[], uid: number): { readonly key: string; readonly certificate: string };
}

export function makeAuthority(folder: string): Authority {
  mkdirSync(folder, { recursive: true, mode: 0o755 });
  const path = (name: string): string => join(folder, name);
  const openssl = (...args: readonly string[]): void => void execFileSync('openssl', args, { stdio: ['ignore', 'ignore', 'pipe'] });
  const curve = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
  openssl('req', '-x509', ...curve, '-keyout', path('ca.key'), '-out', path('ca.pem'), '-days', '2', '-subj', '/CN=Keystead test authority');
  return {
    ca: readFileSync(path('ca.pem'), 'utf8'),
    caFile: path('ca.pem'),
    issue(name, names, uid) {
      const key = path(`${name}.key`);
      const certificate = path(`${name}.pem`);
      openssl('req', '-x509', ...curve, '-CA', path('ca.pem'), '-CAkey', path('ca.key'), '-keyout', key, '-out', certificate, '-days', '2', '-subj', `/CN=${name}`, '-addext', `subjectAltName=${names.join(',')}`, '-addext', 'basicConstraints=critical,CA:FALSE');
      chownSync(key, uid, uid);
      return { key, certificate };
    },
  };
}
