/** `kms:` handlers that show a key's policy. Tools ask for it of every key that they look after. */
import { assertNotAlias } from './kms-keys.ts';
import type { HandlersOf } from './rights.ts';

type Names = 'GetKeyPolicy' | 'ListKeyPolicies';

/**
 * AWS's default key policy, and what holds here: a key leaves it to the policies of its callers who may do what (Developer Guide,
 * "Default key policy").
 */
const delegating = (account: string): string =>
  JSON.stringify({
    Version: '2012-10-17',
    Id: 'key-default-1',
    Statement: [{ Sid: 'Enable IAM User Permissions', Effect: 'Allow', Principal: { AWS: `arn:aws:iam::${account}:root` }, Action: 'kms:*', Resource: '*' }],
  });

export const kmsPolicyHandlers = (): Pick<HandlersOf<'kms'>, `kms:${Names}`> => ({
  'kms:GetKeyPolicy': (input, call, { realm }) => {
    assertNotAlias(input.KeyId);
    if (input.PolicyName !== 'default') return call.fail('NotFoundException', 'a key has the policy `default` only');
    return { Policy: delegating(realm.account), PolicyName: 'default' };
  },

  'kms:ListKeyPolicies': (input, call) => {
    assertNotAlias(input.KeyId);
    if (input.Marker !== undefined) return call.fail('InvalidMarkerException', 'there is one page of policies only; leave `Marker` out');
    return { PolicyNames: ['default'], Truncated: false };
  },
});
