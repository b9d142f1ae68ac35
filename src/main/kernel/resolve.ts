/**
 * Step 4: the name, alias, ARN or ciphertext in the input becomes one resource, once. Policy and handler see the same object.
 * What does not exist is a resource too, `missing`: it stays silent until policy has spoken, so that asking is no oracle.
 */
import type { ResourceRule } from '../../shared/api/operation.ts';
import type { VaultError } from '../../shared/model/errors.ts';
import type { PolicyDocument } from '../policy/decide.ts';

export interface Resource {
  /** Absent when the operation names none, or it does not exist. */
  readonly arn?: string;
  readonly policy?: PolicyDocument;
  /** What the handler gets: the domain's own record. */
  readonly subject?: unknown;
  /** Of a ciphertext: which material of the subject it names. */
  readonly materialId?: string;
  /** Why there is nothing: said only after policy has allowed. */
  readonly missing?: VaultError;
}

/** `region`: the request's. */
export type Resolve = (rule: ResourceRule, input: Readonly<Record<string, unknown>>, region: string | undefined) => Promise<Resource>;

export const NO_RESOURCE: Resource = {};
