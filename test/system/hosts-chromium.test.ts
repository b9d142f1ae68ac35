/** The Chromium host, in the browser that is installed here, over a desktop of the tests' own: an X server, a session bus, a program for dialogs. */
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll } from 'vitest';
import { xClipboard } from '../../src/main/hosts/chromium/x11/clipboard.ts';
import { programDialogs } from '../../src/main/hosts/desktop/dialogs.ts';
import { busNotifications } from '../../src/main/hosts/desktop/notifications.ts';
import { conformance } from '../hosts/conformance.ts';
import { openChromium } from '../hosts/chromium-subject.ts';
import { startNotificationBus, type NotificationBus } from './support/notification-service.ts';
import { startXServer, type XServer } from './support/x-server.ts';

const programs = mkdtempSync(join(tmpdir(), 'keystead-programs-'));
let display: XServer;
let bus: NotificationBus;
beforeAll(async () => {
  [display, bus] = await Promise.all([startXServer(programs), startNotificationBus()]);
  await bus.startService();
  writeFileSync(join(programs, 'zenity'), '#!/bin/sh\nexec sleep 60\n');
  chmodSync(join(programs, 'zenity'), 0o755);
});
afterAll(async () => {
  bus.end();
  await display.end();
  rmSync(programs, { recursive: true, force: true });
});

conformance('chromium', () => {
  const [clipboard, dialogs, notifications] = [xClipboard(display.env), programDialogs({ ...display.env, PATH: `${programs}:${display.env['PATH'] ?? ''}` }), busNotifications(bus.env)];
  if (!clipboard || !dialogs || !notifications) throw new Error('the desktop is not whole');
  return openChromium(undefined, undefined, { clipboard, dialogs, notifications });
});
