/** How the fake bridge's postgres is replicated: `?replication=level` or `wrong`; otherwise not at all. Never shipped. */
type Fields = Readonly<Record<string, unknown>>;

const KEY = 'alias/aws/secretsmanager';
const VERSION = '51c2b7d0-0a6e-4e0b-9c1d-5f3e8a72b664';

export const fakeRemotes = (at: number): Fields[] => [
  { Name: 'aws-production', Endpoint: 'https://secretsmanager.eu-west-1.amazonaws.com', RemoteRegion: 'eu-west-1', AccessKeyId: 'ASIAQ5VJ2Z7NMD3KTX4R', Temporary: true, OwnAuthority: false, CreatedDate: at - 8e6, LastChangedDate: at - 8e6 },
  { Name: 'team-vault', Endpoint: 'https://vault.acme.internal:5998', RemoteRegion: 'us-east-1', AccessKeyId: 'AKIA7T3W5XPLM2QRSVNB', Temporary: false, OwnAuthority: true, CreatedDate: at - 2e6, LastChangedDate: at - 2e6 },
];

export function fakeReplicas(state: string | null, at: number): Fields[] {
  if (state === null) return [];
  const level = { KmsKeyId: KEY, Status: 'InSync', StatusMessage: 'Replication succeeded', Removing: false };
  const inside = { ...level, Region: 'eu-west-1', LevelDate: at - 340 };
  if (state === 'level') return [inside, { ...level, Region: 'aws-production', LevelDate: at - 338 }];
  const failed = { KmsKeyId: KEY, Status: 'Failed', Removing: false };
  return [
    inside,
    { ...failed, Region: 'eu-central-1', StatusMessage: 'Replication failed: a secret of the name `prod/orders/postgres` exists already in region `eu-central-1`', BehindSince: at - 800, VersionsBehind: 2, Attempts: 5, NextAttemptDate: at + 60, Code: 'ResourceExistsException' },
    { ...failed, Region: 'aws-production', StatusMessage: 'Replication failed: the server cannot be reached: check that it runs, its host and port, and firewalls between', LevelDate: at - 90_000, BehindSince: at - 7300, VersionsBehind: 1, Attempts: 9, NextAttemptDate: at + 1280, Code: 'unreachable' },
    { ...failed, Region: 'team-vault', StatusMessage: 'Replication failed: a version was made there that is not known here; nothing was overwritten', LevelDate: at - 500_000, BehindSince: at - 340, VersionsBehind: 1, Conflict: { Kind: 'foreign', Since: at - 300, VersionId: VERSION, CanAdopt: true } },
    { KmsKeyId: KEY, Status: 'InProgress', Removing: false, Region: 'ap-southeast-2', BehindSince: at - 4, VersionsBehind: 2 },
  ];
}
