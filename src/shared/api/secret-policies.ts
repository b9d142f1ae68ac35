/** `secretsmanager:` operation that shows a secret's policy. AWS Secrets Manager API Reference, version 2017-10-17. */
import { z } from 'zod';
import { operation } from './operation.ts';
import * as f from './secret-fields.ts';

/** Tools ask for it of every secret that they look after; no secret has one, and AWS's answer then leaves `ResourcePolicy` out. */
export const getResourcePolicy = operation({
  name: 'secretsmanager:GetResourcePolicy',
  summary: 'Show that a secret has no policy of its own: the policies of its callers decide',
  input: () => z.strictObject({ SecretId: f.secretId }),
  output: () => z.strictObject({ ARN: z.string(), Name: z.string() }),
  errors: f.FINDING,
  effect: 'read',
  audited: ['SecretId'],
  ...f.BY_SECRET,
});
