/** Notifications on a real session bus, and dialogs by programs that answer as the real ones do. */
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { programDialogs } from '../../src/main/hosts/desktop/dialogs.ts';
import { busNotifications } from '../../src/main/hosts/desktop/notifications.ts';
import { startNotificationBus, type NotificationBus } from './support/notification-service.ts';
import { until } from './support/processes.ts';

const never = new AbortController().signal;
const NOTICE = { title: '--help "quoted" \' $(id) é', body: '-1 <b>&amp;', isUrgent: true };

describe('notifications', () => {
  let bus: NotificationBus;
  beforeEach(async () => {
    bus = await startNotificationBus();
  });
  afterEach(() => bus.end());
  /** A PATH with this one tool on it. */
  const only = (tool: string): string => {
    const folder = mkdtempSync(join(tmpdir(), 'keystead-tool-'));
    writeFileSync(join(folder, tool), `#!/bin/sh\nexec /usr/bin/${tool} "$@"\n`);
    chmodSync(join(folder, tool), 0o755);
    return folder;
  };

  it.each(['busctl', 'gdbus'])('are shown through %s: the texts as they are, without a way to act', async (tool) => {
    await bus.startService();
    const PATH = only(tool);
    const notifications = busNotifications({ ...bus.env, PATH })!;
    expect(await notifications.isThere()).toBe(true);
    await notifications.show({ title: 'A key was rotated', body: 'The trail says which.', isUrgent: false });
    await notifications.show(NOTICE);
    await until(() => bus.shown.length === 2, 'both are shown');
    expect(bus.shown).toEqual([
      { app: 'Keystead', title: 'A key was rotated', body: 'The trail says which.', actions: [], urgency: 1, timeout: -1 },
      { app: 'Keystead', title: NOTICE.title, body: NOTICE.body, actions: [], urgency: 2, timeout: -1 },
    ]);
    rmSync(PATH, { recursive: true });
  });

  it('are not there without a service, a bus or a tool, and then nothing fails', async () => {
    const notifications = busNotifications(bus.env)!;
    expect(await notifications.isThere()).toBe(false);
    await notifications.show(NOTICE);
    expect(busNotifications({ PATH: bus.env['PATH'] })).toBeUndefined();
    expect(busNotifications({ ...bus.env, PATH: '/nowhere' })).toBeUndefined();
    bus.end();
    expect(await notifications.isThere()).toBe(false);
    await notifications.show(NOTICE);
  });
});

describe('dialogs', () => {
  let folder: string;
  beforeEach(() => void (folder = mkdtempSync(join(tmpdir(), 'keystead-dialogs-'))));
  afterEach(() => rmSync(folder, { recursive: true, force: true }));
  const program = (name: string, script: string): void => {
    writeFileSync(join(folder, name), `#!/bin/sh\nprintf '%s\\n' "$@" > '${join(folder, `${name}.args`)}'\n${script}\n`);
    chmodSync(join(folder, name), 0o755);
  };
  const asked = (name: string): string[] => readFileSync(join(folder, `${name}.args`), 'utf8').trimEnd().split('\n');
  const here = (more: Readonly<Record<string, string>> = {}) => programDialogs({ PATH: `${folder}:/usr/bin:/bin`, DISPLAY: ':0', HOME: '/home/ada', ...more });

  it.each([
    ['zenity', {}, ['--file-selection', '--title=Keystead: choose a file', '--filename=/home/ada/'], ['--file-selection', '--save', '--confirm-overwrite', '--title=Keystead: save as', '--filename=/home/ada/a b.bin']],
    ['kdialog', { XDG_CURRENT_DESKTOP: 'KDE' }, ['--title', 'Keystead: choose a file', '--getopenfilename', '/home/ada'], ['--title', 'Keystead: save as', '--getsavefilename', '/home/ada/a b.bin']],
  ])('%s is asked in its own words, and answers with a path', async (name, env, pick, save) => {
    program(name, "echo '/tmp/chosen file'");
    const dialogs = here(env)!;
    expect(await dialogs.pickFile(never)).toBe('/tmp/chosen file');
    expect(asked(name)).toEqual(pick);
    expect(await dialogs.saveFile('a b.bin', never)).toBe('/tmp/chosen file');
    expect(asked(name)).toEqual(save);
  });

  it('prefers what fits the desktop, and takes what is there', async () => {
    program('zenity', 'echo /of/zenity');
    program('kdialog', 'echo /of/kdialog');
    expect(await here()?.pickFile(never)).toBe('/of/zenity');
    expect(await here({ XDG_CURRENT_DESKTOP: 'KDE' })?.pickFile(never)).toBe('/of/kdialog');
    rmSync(join(folder, 'zenity'));
    expect(await here()?.pickFile(never)).toBe('/of/kdialog');
  });

  it.each([
    ['a path that ends in blanks', "printf '/a/b  \\n'", '/a/b  '],
    ['a path with a line in it', "printf '/a/b\\nc\\n'", '/a/b\nc'],
    ['cancel', 'exit 1', undefined],
  ])('takes %s as it is', async (_name, script, expected) => {
    program('zenity', script);
    expect(await here()?.pickFile(never)).toBe(expected);
  });

  it.each([
    ['nothing', ':'],
    ['a relative path', 'echo etc/passwd'],
    ['a warning', 'exit 255'],
    ['an endless answer', 'yes /a | head -c 1000000'],
  ])('is an error when the program answers with %s', async (_name, script) => {
    program('zenity', script);
    await expect(here()?.pickFile(never)).rejects.toMatchObject({ code: 'InternalException' });
  });

  it('goes away when nobody waits for it any more', async () => {
    program('zenity', 'exec sleep 60');
    const waiting = new AbortController();
    const choosing = here()?.pickFile(waiting.signal);
    await until(() => { try { return asked('zenity').length > 0; } catch { return false; } }, 'it is shown');
    waiting.abort();
    expect(await choosing).toBeUndefined();
  });

  it('is absent without a display, and without a program', () => {
    expect(here()).toBeUndefined();
    program('zenity', 'echo /x');
    expect(here({ DISPLAY: '' })).toBeUndefined();
    expect(here({ DISPLAY: '', WAYLAND_DISPLAY: 'wayland-0' })).toBeDefined();
  });
});
