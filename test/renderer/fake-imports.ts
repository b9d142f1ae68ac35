/** Two files that are imported over the fake bridge: a `.env`, and an export of Bitwarden with rows in every state. */
type Fields = Readonly<Record<string, unknown>>;

const ENV = ['DATABASE_URL', 'REDIS_URL', 'STRIPE_SECRET_KEY', 'SENTRY_DSN', 'SESSION_SECRET', 'SMTP_PASSWORD'];
const states = ['New', 'New', 'Different', 'Same', 'New', 'Duplicate', 'Refused', 'Deleting', 'New', 'New'] as const;
const items = ['GitHub', 'Grafana', 'Stripe', 'Mail relay', 'Büro WLAN', 'GitHub', 'Old note', 'recaptcha', 'Cloudflare', 'npm token'];

/** A path that ends in `.json` is the export. */
export const fakeOpened = ({ Path: path }: Fields): Fields =>
  typeof path === 'string' && path.endsWith('.json')
    ? { ImportId: '6a3c1f0e-8f2b-4c55-9d3e-2f1a0b9c8d7e', Format: 'bitwarden-json', Layouts: ['each'], Entries: items.length, Fields: 31, SuggestedName: 'export', Notes: ['passkeys-left', 'history-left'] }
    : { ImportId: '0f3c1f0e-8f2b-4c55-9d3e-2f1a0b9c8d7e', Format: 'dotenv', Layouts: ['one', 'each'], Entries: 1, Fields: ENV.length, SuggestedName: 'shop', Notes: ['references-unexpanded'] };

export function fakePreview({ ImportId: id, Layout: layout, Prefix: prefix, Name: name }: Fields): Fields {
  const at = (Row: number, Name: string, more: object = {}) => ({ Row, Name: (typeof prefix === 'string' ? prefix : '') + Name, Source: '', State: 'New', Fields: [] as string[], FieldCount: 1, Repeated: [] as string[], ...more });
  const rows = String(id).startsWith('6a')
    ? items.map((title, row) => at(row, `Work/${title.replace('ü', 'u').replaceAll(' ', '-')}`, { Source: `Work / ${title}`, State: states[row], Fields: ['username', 'password', 'url', ...(row % 2 === 0 ? ['totp'] : [])], FieldCount: row % 2 === 0 ? 4 : 3, ...(states[row] === 'Refused' ? { Refusal: 'TooLarge' } : {}) }))
    : layout === 'each' ? ENV.map((one, row) => at(row, one, { Source: one })) : [at(0, String(name), { Fields: ENV, FieldCount: ENV.length, Repeated: ['SENTRY_DSN'] })];
  const Counts = Object.fromEntries(['New', 'Same', 'Different', 'Duplicate', 'Deleting', 'Refused'].map((state) => [state, rows.filter(({ State }) => State === state).length]));
  return { Preview: 1, Total: rows.length, Counts, Rows: rows };
}
