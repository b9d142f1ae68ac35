/** How the fake bridge's postgres is rotated: `?rotation=idle`, `running`, `waiting`, `failed` or `paused`. Never shipped. */
type Fields = Readonly<Record<string, unknown>>;

const DAY = 86_400;
const TOKEN = '77e2c0aa-5d1f-4a0e-8b53-2c9f0b7e4d16';
const STEPS = ['createSecret', 'setSecret', 'testSecret', 'finishSecret'] as const;
const TOOK = [0.1, 1.4, 5.1, 0.1] as const;
const CONNECTIONS = ['db-1.acme.internal:5432 tls 38 ms'];
const WRONG = { Code: '28P01', Reason: 'the server refuses the password of `orders_app`: look whether the proxy in front of it has the new one' };

function steps(from: number, attempt: number, count: number, failing = -1): Fields[] {
  let at = from;
  return STEPS.slice(0, count).map((Step, i) => {
    const Started = at;
    at += TOOK[i] ?? 0;
    return { Step, Attempt: attempt, Started, Ended: at, ...(i === failing ? WRONG : {}), ...(Step === 'setSecret' || Step === 'testSecret' ? { Connections: CONNECTIONS } : {}), ...(Step === 'setSecret' ? { Notes: ['no-tls', 'old-still-valid'] } : {}) };
  });
}

const ended = (at: number): Fields[] =>
  [1, 31, 61].map((days) => ({
    VersionId: `${String(days).padStart(8, '0')}-5d1f-4a0e-8b53-2c9f0b7e4d16`, Cause: days === 61 ? 'asked' : 'schedule', Started: at - days * DAY, Ended: at - days * DAY + 7, Attempts: 1, Result: 'rotated', Left: 'nothing', Restored: false, Steps: steps(at - days * DAY, 1, 4),
  }));

export const previewed = (at: number, every = 30): Fields => ({ Windows: Array.from({ length: 5 }, (_, i) => ({ Opens: Math.floor(at / DAY) * DAY + (29 + i * every) * DAY + 10_800, Closes: Math.floor(at / DAY) * DAY + (29 + i * every) * DAY + 18_000 })) });

export function fakeRotation(state: string, at: number): Fields {
  const before = ended(at);
  const set = {
    RotationEnabled: true, Rotator: 'postgres', Strategy: 'single', PasswordLength: 32, ExcludeCharacters: '/@"\'\\ ', ExcludePunctuation: false, Member: 'password', Hosts: [], OverlapHours: 24,
    RotationRules: { ScheduleExpression: 'rate(30 days)', Duration: '2h' }, LastRotatedDate: at - DAY, ...previewed(at), Due: Math.floor(at / DAY) * DAY + 29 * DAY + 11_340,
    Consumers: [
      { Principal: 'arn:aws:iam::318204775610:user/orders-api', Door: 'aws', VersionId: TOKEN, Stage: 'AWSCURRENT', At: at - 240 },
      { Principal: 'arn:aws:iam::318204775610:user/release-job', Door: 'aws', VersionId: TOKEN, Stage: 'AWSPREVIOUS', At: at - 2.2 * DAY },
      { Principal: 'owner', Door: 'cli', VersionId: TOKEN, At: at - 40 * DAY },
    ],
    Ended: before,
  };
  const run = { VersionId: TOKEN, Cause: 'schedule', Started: at - 6, Attempt: 1 };
  switch (state) {
    case 'running':
      return { ...set, Run: { ...run, Step: 'testSecret', Steps: steps(at - 6, 1, 2) } };
    case 'waiting':
      return { ...set, Run: { ...run, Started: at - 200, Attempt: 3, Step: 'createSecret', Until: at + 230, Steps: [...steps(at - 200, 1, 3, 2), ...steps(at - 100, 2, 3, 2)] } };
    case 'failed':
      return { ...set, Pending: TOKEN, Ended: [{ ...run, Started: at - 4000, Ended: at - 600, Attempts: 5, Result: 'failed', Left: 'pending', Restored: false, Steps: [...steps(at - 700, 5, 3, 2), { Step: 'restoreSecret', Attempt: 5, Started: at - 601, Ended: at - 600, Code: 'ECONNREFUSED', Reason: 'nobody answers at db-1.acme.internal' }] }, ...before] };
    case 'paused':
      return { ...set, Paused: at - 3600 };
    default:
      return set;
  }
}
