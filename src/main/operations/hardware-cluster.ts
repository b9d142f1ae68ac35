/** `hardware:` handlers of key stores that span several tokens. */
import { VaultError } from '../../shared/model/errors.ts';
import type { HandlersOf } from './rights.ts';

type Names = 'DescribeCluster' | 'AddTokenToKeyStore' | 'RemoveTokenFromKeyStore' | 'LevelCluster' | 'SealCluster';

const refuse = (): never => {
  throw new VaultError('UnsupportedOperationException', 'key stores of several tokens are not offered yet');
};

export const hardwareClusterHandlers = (): Pick<HandlersOf<'hardware'>, `hardware:${Names}`> => ({
  'hardware:DescribeCluster': refuse,
  'hardware:AddTokenToKeyStore': refuse,
  'hardware:RemoveTokenFromKeyStore': refuse,
  'hardware:LevelCluster': refuse,
  'hardware:SealCluster': refuse,
});
