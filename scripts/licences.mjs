/**
 * Whose work is in the program, from package-lock.json and what the packages themselves bring: everything that the program runs with, and
 * what the window's pages are bundled from. Tools that only build or test are not in it.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from './ensure.mjs';

/** @typedef {{ name: string, version: string, licence: string, text: string }} Licence `text` is empty where the package brings none. */
/** @typedef {{ version?: string, license?: string, dependencies?: Record<string, string> }} Entry */

/** What src/renderer imports (`.dependency-cruiser.cjs`), and what its styles are made of. */
const PAGES = ['react', 'react-dom', 'radix-ui', 'cmdk', 'lucide-react', '@tanstack/react-query', '@tanstack/react-router', '@tanstack/react-virtual', 'tailwindcss'];
const TEXTS = /^(?:licen[cs]e|notice|copying|ofl)/i;

/** As Node resolves: beside the package, then outwards. @param {Record<string, Entry>} packages @param {string} from @param {string} name */
function placeOf(packages, from, name) {
  for (let at = from; ; at = at.slice(0, Math.max(0, at.lastIndexOf('/node_modules/')))) {
    const place = `${at === '' ? '' : `${at}/`}node_modules/${name}`;
    if (packages[place]) return place;
    if (at === '') return undefined;
  }
}

/** @returns {readonly Licence[]} By name; one for each version. */
export function licences() {
  const { packages } = /** @type {{ packages: Record<string, Entry> }} */ (JSON.parse(readFileSync(join(ROOT, 'package-lock.json'), 'utf8')));
  const own = packages[''] ?? {};
  const fonts = Object.keys(packages).flatMap((place) => /^node_modules\/(@fontsource-variable\/[^/]+)$/.exec(place)?.slice(1) ?? []);
  /** @type {Map<string, Licence>} */
  const found = new Map();
  const open = [...Object.keys(own.dependencies ?? {}), ...PAGES, ...fonts].map((name) => ({ name, from: '' }));
  const seen = new Set();
  for (const { name, from } of open) {
    const place = placeOf(packages, from, name);
    const entry = place === undefined ? undefined : packages[place];
    if (place === undefined || entry === undefined || seen.has(place)) continue;
    seen.add(place);
    open.push(...Object.keys(entry.dependencies ?? {}).map((next) => ({ name: next, from: place })));
    const folder = join(ROOT, place);
    const files = existsSync(folder) ? readdirSync(folder).filter((file) => TEXTS.test(file)).sort() : [];
    const text = files.map((file) => readFileSync(join(folder, file), 'utf8').trim()).join('\n\n');
    const version = entry.version ?? '';
    found.set(`${name} ${version}`, { name, version, licence: entry.license ?? 'not stated', text });
  }
  return [...found.values()].sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0));
}

const PART = 'virtual:licences';
/** The same as a part of the window's pages, which is read when somebody asks for it. @type {import('vite').Plugin} */
export const licencesPart = {
  name: 'licences',
  resolveId: (id) => (id === PART ? `\0${PART}` : undefined),
  load: (id) => {
    if (id !== `\0${PART}`) return undefined;
    const all = licences();
    const texts = [...new Set(all.map(({ text }) => text))];
    const packages = all.map(({ text, ...rest }) => ({ ...rest, text: texts.indexOf(text) }));
    return `export const texts = ${JSON.stringify(texts)};\nexport const packages = ${JSON.stringify(packages)};`;
  },
};
