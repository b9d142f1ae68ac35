/**
 * `config.json`: what is kept outside of every vault, from one start to the next. Nothing in it is secret, and nothing in it is believed:
 * it is read generously (what is not understood is as if it were not there) and written sparingly (what is not understood stays).
 * Pure: nothing here touches a disk.
 */

export const THEMES = ['system', 'dark', 'light'] as const;
export type Theme = (typeof THEMES)[number];

/** Seconds that a copied value may stay in the clipboard; 0: until the vault is locked. */
export const CLIPBOARD_SECONDS = { least: 0, most: 600, usual: 30 } as const;

/** How the window is, for every vault of this person. */
export interface WindowConfig {
  readonly theme: Theme;
  /** Whole seconds, as in CLIPBOARD_SECONDS. */
  readonly clipboardSeconds: number;
  /** Whether the desktop is told of what happens. */
  readonly notifications: boolean;
  /** Whether single letters are shortcuts. */
  readonly singleLetterKeys: boolean;
}

export interface Config {
  /** Folders of vaults that were used here, in no particular order. */
  readonly vaults: readonly string[];
  readonly last?: string;
  readonly window: WindowConfig;
}

/** What is given takes the place of what was; `last: undefined` forgets it. Fields of `window` that are left out stay. */
export interface ConfigChange {
  readonly vaults?: readonly string[];
  readonly last?: string | undefined;
  readonly window?: Partial<WindowConfig>;
}

type Fields = Readonly<Record<string, unknown>>;
/** A field as it should be, and what it is where it is not. */
interface Field<T> {
  readonly usual: T;
  is(value: unknown): value is T;
}

const isBoolean = (value: unknown): value is boolean => typeof value === 'boolean';

const WINDOW: { readonly [Name in keyof WindowConfig]: Field<WindowConfig[Name]> } = {
  theme: { usual: 'system', is: (value): value is Theme => THEMES.some((theme) => theme === value) },
  clipboardSeconds: {
    usual: CLIPBOARD_SECONDS.usual,
    is: (value): value is number => Number.isInteger(value) && (value as number) >= CLIPBOARD_SECONDS.least && (value as number) <= CLIPBOARD_SECONDS.most,
  },
  notifications: { usual: true, is: isBoolean },
  singleLetterKeys: { usual: true, is: isBoolean },
};

const isFields = (value: unknown): value is Fields => typeof value === 'object' && value !== null && !Array.isArray(value);
const fieldOf = (fields: Fields, name: string): unknown => (Object.hasOwn(fields, name) ? fields[name] : undefined);
const objectIn = (fields: Fields, name: string): Fields => {
  const value = fieldOf(fields, name);
  return isFields(value) ? value : {};
};

function parse(text: string | undefined): Fields | undefined {
  try {
    const raw: unknown = JSON.parse(text ?? '{}');
    return isFields(raw) ? raw : undefined;
  } catch {
    return undefined;
  }
}

function pick<Name extends keyof WindowConfig>(fields: Fields, name: Name): WindowConfig[Name] {
  const value = fieldOf(fields, name);
  return WINDOW[name].is(value) ? value : WINDOW[name].usual;
}

/** True for text that `changeConfig` would build on; what it is not holds for would be lost. */
export const isConfig = (text: string): boolean => parse(text) !== undefined;

/** `undefined`: there is no file yet. */
export function readConfig(text: string | undefined): Config {
  const raw = parse(text) ?? {};
  const [vaults, last, window] = [fieldOf(raw, 'vaults'), fieldOf(raw, 'last'), objectIn(raw, 'window')];
  return {
    vaults: Array.isArray(vaults) ? vaults.filter((path): path is string => typeof path === 'string') : [],
    ...(typeof last === 'string' ? { last } : {}),
    window: { theme: pick(window, 'theme'), clipboardSeconds: pick(window, 'clipboardSeconds'), notifications: pick(window, 'notifications'), singleLetterKeys: pick(window, 'singleLetterKeys') },
  };
}

/** The text of `config.json` after a change. */
export function changeConfig(text: string | undefined, { window, ...others }: ConfigChange): string {
  const raw = parse(text) ?? {};
  const changed = { ...raw, ...others, ...(window ? { window: { ...objectIn(raw, 'window'), ...window } } : {}) };
  return `${JSON.stringify(changed, null, 2)}\n`;
}

/** This vault is known, and the last one. */
export const withVault = ({ vaults }: Config, vault: string): ConfigChange => ({ vaults: [...new Set([...vaults, vault])], last: vault });
