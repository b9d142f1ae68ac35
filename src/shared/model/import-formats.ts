/** Files of other programs that secrets are imported from, and what people call them. */
export const FORMATS = ['dotenv', 'json', 'yaml', '1password-json', '1password-csv', 'bitwarden-json', 'bitwarden-csv', 'keepass-xml', 'keepass-csv'] as const;
export type ImportFormat = (typeof FORMATS)[number];

export const FORMAT_WORDS: Readonly<Record<ImportFormat, string>> = {
  dotenv: '.env file',
  json: 'JSON',
  yaml: 'YAML',
  '1password-json': '1Password, from op',
  '1password-csv': '1Password CSV',
  'bitwarden-json': 'Bitwarden JSON',
  'bitwarden-csv': 'Bitwarden CSV',
  'keepass-xml': 'KeePass XML',
  'keepass-csv': 'KeePass CSV',
};

/** What a file has and an import leaves, or takes as it stands. */
export const NOTES = ['attachments-left', 'passkeys-left', 'history-left', 'deleted-left', 'references-unexpanded', 'empty-left', 'unusual-one-time-codes'] as const;
export type ImportNote = (typeof NOTES)[number];

export const NOTE_WORDS: Readonly<Record<ImportNote, string>> = {
  'attachments-left': 'Attached files are not in the export, or are not taken along',
  'passkeys-left': 'Passkeys are not taken along: they stay where they are',
  'history-left': 'Earlier passwords are not taken along',
  'deleted-left': 'What is in the recycle bin is not taken along',
  'references-unexpanded': 'Values that name other variables are taken as they are written',
  'empty-left': 'What has no value is not taken along',
  'unusual-one-time-codes': 'Some one-time codes go not by the time: their seeds are kept as text',
};
