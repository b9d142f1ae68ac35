/** What every window host keeps to. The Chromium host is asked in a real browser, Electron's against a fake that models what it uses. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { until } from '../system/support/processes.ts';
import type { Stranger, Subject } from './subject.ts';

type Answer = { readonly ok: true; readonly output: { readonly op: string; readonly input: Readonly<Record<string, unknown>> } } | { readonly ok: false; readonly error: { readonly code: string } };

const STRANGERS: readonly Stranger[] = ['child frame', 'other origin', 'frame without url'];

export function conformance(name: string, open: () => Promise<Subject>): void {
  describe(`window host: ${name}`, () => {
    let subject: Subject;
    beforeEach(async () => {
      subject = await open();
    });
    afterEach(() => subject.end());

    const invoke = async (operation: unknown, input?: unknown): Promise<Answer> => (await subject.invoke(operation, input)) as Answer;

    it('gives the page a bridge of exactly invoke and on', async () => {
      expect([...(await subject.bridgeNames())].sort()).toEqual(['invoke', 'on']);
    });

    it('carries a call to the door as the main frame of its origin, and the answer back', async () => {
      const text = '"quoted" \\ back\u0000\u001f\u2028 é 漢 😀';
      expect(await invoke('vault:Status', { text })).toMatchObject({ ok: true, output: { op: 'vault:Status', input: { text } } });
      const evidence = { door: 'ipc', frame: { isMainFrame: true, origin: subject.host.origin, windowId: 1 } };
      expect(subject.port.requests.map((request) => request.evidence)).toEqual([evidence]);
    });

    it('carries the region that a call is for', async () => {
      expect(await subject.invoke('kms:DescribeKey', {}, 'eu-west-1')).toMatchObject({ ok: true });
      expect(await subject.invoke('kms:DescribeKey', {})).toMatchObject({ ok: true });
      expect(subject.port.requests.map((request) => request.region)).toEqual(['eu-west-1', undefined]);
    });

    it('hands an undeclared operation to the one path, which alone knows operations', async () => {
      await invoke('no:SuchThing', {});
      await invoke('__proto__', {});
      await invoke('constructor', {});
      expect(subject.port.requests.map((request) => request.operation)).toEqual(['no:SuchThing', '__proto__', 'constructor']);
    });

    it('answers with a value for what is no call: no name, no json, `__proto__` among the fields, over a mebibyte', async () => {
      const code = async (operation: unknown, input?: unknown): Promise<string> => {
        const answer = await invoke(operation, input);
        return answer.ok ? 'ok' : answer.error.code;
      };
      expect(await code(7)).toBe('SerializationException');
      expect(await code('vault:Status', { text: 'x'.repeat(2 ** 20) })).toBe('RequestTooLargeException');
      expect(await code('vault:Status', { text: 'é'.repeat(2 ** 19) })).toBe('RequestTooLargeException');
      expect(subject.port.requests).toEqual([]);
      // Whether a field's name may be read at all is for the one path to say.
      expect(await code('vault:Status', JSON.parse('{"__proto__": {"ok": true}}'))).toBe('SerializationException');
    });

    it('carries a payload of one megabyte both ways', async () => {
      const text = 'k'.repeat(1_000_000);
      const answer = await invoke('kms:Encrypt', { text });
      expect(answer.ok && answer.output.input['text'] === text).toBe(true);
    });

    it('wipes the bytes of a call once it is answered', async () => {
      await invoke('vault:Status', { text: 'wiped' });
      expect(subject.port.requests[0]?.input.every((byte) => byte === 0)).toBe(true);
    });

    it('brings events in the order in which they happened', async () => {
      const heard = await subject.listen();
      await until(() => subject.port.listeners.size > 0, 'the page listens');
      const sent = Array.from({ length: 200 }, (_, at) => ({ event: 'key.changed' as const, id: `key-${String(at)}` }));
      for (const event of sent) subject.port.emit(event);
      await until(async () => (await heard()).length >= sent.length, 'all are heard');
      expect(await heard()).toEqual(sent);
    });

    it.each(STRANGERS)('takes nothing from a %s', async (stranger) => {
      const text = JSON.stringify({ id: 1, op: 'vault:Status', input: {} });
      if (!(await subject.speakAs(stranger, text))) return;
      await until(() => subject.port.refusals.length > 0, 'it is refused');
      expect(new Set(subject.port.refusals.map(({ reason }) => reason))).toEqual(new Set(['frame']));
      expect(subject.port.requests).toEqual([]);
    });

    it.each(['https://example.com/', 'http://127.0.0.1/', 'file:///etc/passwd', 'chrome://version/'])('stays in its document when the page wants to go to %s', async (url) => {
      const before = await subject.navigate('#same');
      expect(await subject.navigate(url)).toBe(before);
      expect(await invoke('vault:Status', {})).toMatchObject({ ok: true });
    });

    it.each(['about:blank', 'blob'])('ends a page that leaves its document for %s', async (url) => {
      await subject.navigate(url);
      await until(() => subject.endings.length > 0, 'the host notices');
      expect(subject.endings).toEqual(['navigated']);
      expect(subject.gone).toEqual([1]);
      await subject.host.renew();
      expect(await invoke('vault:Status', {})).toMatchObject({ ok: true });
    });

    it('opens no window for the page', async () => {
      expect(await subject.popup('https://example.com/')).toBe(false);
      expect(await subject.popup('about:blank')).toBe(false);
      expect(await invoke('vault:Status', {})).toMatchObject({ ok: true });
    });

    it.each(['geolocation', 'notifications', 'camera', 'microphone', 'clipboard-read', 'midi'])('refuses %s', async (permission) => {
      expect(await subject.permission(permission)).toBe('denied');
    });

    it('serves the document with a policy that allows its own files only', async () => {
      const policy = (await subject.header('content-security-policy')) ?? '';
      const directives = new Map(policy.split('; ').map((directive) => [directive.split(' ')[0], directive.split(' ').slice(1).join(' ')]));
      expect(directives.get('default-src')).toBe("'none'");
      expect(directives.get('script-src')).toBe("'self'");
      expect(directives.get('connect-src')).toBe("'none'");
      expect(directives.get('require-trusted-types-for')).toBe("'script'");
      expect(policy).not.toMatch(/unsafe|\*|https?:/);
      expect(await subject.header('x-content-type-options')).toBe('nosniff');
      expect(await subject.header('referrer-policy')).toBe('no-referrer');
    });

    it('ends the renderer’s process at renew, and shows a fresh page in another', async () => {
      const before = await subject.rendererId();
      await subject.host.renew();
      expect(subject.isRunning(before)).toBe(false);
      expect(await subject.rendererId()).not.toBe(before);
      expect(subject.gone).toEqual([1]);
      expect(subject.endings).toEqual([]);
      expect(await invoke('vault:Status', {})).toMatchObject({ ok: true });
      expect(subject.frames.at(-1)?.windowId).toBe(2);
    });

    it('sends to the page that a message is for, and to no later one', async () => {
      const heard = await subject.listen();
      await subject.host.renew();
      const later = await subject.listen();
      subject.host.ipc.send(1, new TextEncoder().encode('{"event":"key.changed"}'));
      expect(await invoke('vault:Status', {})).toMatchObject({ ok: true });
      expect(await later()).toEqual([]);
      expect(await heard().catch(() => [])).toEqual([]);
    });

    it('has of the desktop what it says, whole, and nothing in its place', async () => {
      const { clipboard, dialogs, notifications } = subject.host;
      expect([clipboard, dialogs, notifications].map((part) => (part ? Object.keys(part).sort() : []))).toEqual(subject.desktop ? [['clear', 'write'], ['pickFile', 'saveFile'], ['isThere', 'show']] : [[], [], []]);
      if (!clipboard || !dialogs || !notifications) return;
      const value = new TextEncoder().encode('a value');
      await clipboard.write(value);
      expect(value.every((byte) => byte === 0)).toBe(true);
      expect([await clipboard.clear(), await clipboard.clear()]).toEqual([true, false]);
      const gone = AbortSignal.abort();
      expect([await dialogs.pickFile(gone), await dialogs.saveFile('x', gone)]).toEqual([undefined, undefined]);
      expect(await notifications.isThere()).toBe(true);
      await notifications.show({ title: 'A key was rotated', body: 'The trail says which.', isUrgent: false });
    });

    it('gives the page no way of its own to the clipboard’s content, to notifications or to files of the desktop', async () => {
      for (const permission of ['clipboard-read', 'notifications', 'fileSystem']) {
        const state = await subject.permission(permission).catch(() => 'denied');
        expect([permission, state]).toEqual([permission, 'denied']);
      }
    });

    it('says that the page crashed, and can show a fresh one', async () => {
      await subject.crash();
      await until(() => subject.endings.length > 0, 'the crash is seen');
      expect(subject.endings).toEqual(['crashed']);
      expect(subject.gone).toEqual([1]);
      await subject.host.renew();
      expect(await invoke('vault:Status', {})).toMatchObject({ ok: true });
    });

    it('says that the person closed the window', async () => {
      await subject.closeByPerson();
      await until(() => subject.endings.length > 0, 'the close is seen');
      expect(subject.endings).toEqual(['closed']);
      expect(subject.gone).toEqual([1]);
      await subject.host.close();
      expect(subject.endings).toEqual(['closed']);
    });

    it('closes without calling it an ending', async () => {
      await subject.host.close();
      await subject.host.close();
      expect(subject.endings).toEqual([]);
      expect(subject.gone).toEqual([1]);
    });
  });
}
