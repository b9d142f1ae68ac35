/** AWS's rotation contract with the owner's own: a program that gets the event on its standard input, and a function behind HTTP. */
import { createHash } from 'node:crypto';
import { chmodSync, chownSync, existsSync, mkdtempSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type RequestListener, type Server, type ServerResponse } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { CommandOrder, LambdaOrder } from '../../src/main/egress/port.ts';
import { type Authority, makeAuthority } from '../system/support/authority.ts';
import { closeEgress, newEgress, run, shortly } from '../system/support/egress.ts';
import { until } from '../system/support/processes.ts';
import { isAlive, NOBODY, remove, temporaryFolder } from '../system/support/served-vault.ts';

const folder = temporaryFolder();
const event = { Step: 'setSecret', SecretId: 'arn:aws:secretsmanager:us-east-1:123456789012:secret:x-AbCdEf', ClientRequestToken: '0'.repeat(36) } as const;
const servers: Server[] = [];
let authority: Authority;

beforeAll(() => { authority = makeAuthority(join(folder, 'ca')); });
afterAll(async () => {
  for (const server of servers) server.close();
  await closeEgress();
  remove(folder);
});

describe('a program', () => {
  const script = (body: string, mode = 0o755): string => {
    const path = join(mkdtempSync(join(folder, 'p-')), 'rotate');
    writeFileSync(path, `#!/bin/sh\n${body}\n`);
    chmodSync(path, mode);
    return path;
  };
  const order = (path: string, more: Partial<CommandOrder> = {}): CommandOrder => ({ kind: 'command', path, args: [], event, timeMs: 20_000, ...more });
  const answered = async (given: CommandOrder): Promise<string> => shortly(await run(given));

  it('gets the event on its standard input, its arguments as they are, and an environment of fixed words', async () => {
    const out = join(folder, 'out');
    const path = script(`cat > '${out}'; printf '%s\\n' "$@" > '${out}.args'; env | sort > '${out}.env'; echo noise; echo noise >&2`);
    expect(await answered(order(path, { args: ['$(id)', 'a b; rm -rf /', ''], endpoint: 'https://localhost:4000' }))).toBe('ok');
    expect(JSON.parse(readFileSync(out, 'utf8'))).toEqual(event);
    expect(readFileSync(`${out}.args`, 'utf8')).toBe('$(id)\na b; rm -rf /\n\n');
    const names = readFileSync(`${out}.env`, 'utf8').trim().split('\n').map((line) => line.split('=')[0]);
    // The last two are the shell's own.
    expect(names.filter((name) => !['PWD', '_', 'OLDPWD', 'SHLVL'].includes(name ?? ''))).toEqual(['HOME', 'LANG', 'PATH', 'SECRETS_MANAGER_ENDPOINT']);
  });

  it('fails by its exit code or signal, and need not read its input', async () => {
    const answer = await run(order(script('exit 3')));
    expect(answer).toMatchObject({ ok: false, failure: { code: 'command-failed', detail: 'EXIT_3', uncertain: true } });
    expect(await run(order(script('kill -TERM $$')))).toMatchObject({ ok: false, failure: { code: 'command-failed', detail: 'SIGTERM' } });
    expect(await answered(order(script('exec <&-; exit 0')))).toBe('ok');
  });

  it('that takes too long is ended, with what it started', async () => {
    const pids = join(folder, 'pids');
    expect(await answered(order(script(`sleep 600 & echo $! > '${pids}'; sleep 600`), { timeMs: 1500 }))).toBe('timed-out at run, uncertain');
    const pid = Number(readFileSync(pids, 'utf8'));
    expect(pid).toBeGreaterThan(1);
    await until(() => !isAlive(pid), 'what it started has ended', 60_000);
  });

  it('that makes itself a daemon ends all the same: when it takes too long, when it is done, and with the process that started it', async () => {
    const pids = join(folder, 'daemons');
    // Twice forked, in a session of its own, its parent gone.
    const daemon = (path: string): string => `setsid sh -c 'sh -c "echo \\$\\$ > ${path}; exec sleep 600" &' ; while [ ! -s ${path} ]; do sleep 0.05; done`;
    const ended = async (path: string): Promise<void> => {
      const pid = Number(readFileSync(path, 'utf8'));
      expect(pid).toBeGreaterThan(1);
      await until(() => !isAlive(pid), 'the daemon has ended', 60_000);
    };
    expect(await answered(order(script(`${daemon(`${pids}.slow`)}; sleep 600`), { timeMs: 4000 }))).toBe('timed-out at run, uncertain');
    await ended(`${pids}.slow`);
    expect(await answered(order(script(daemon(`${pids}.done`))))).toBe('ok');
    await ended(`${pids}.done`);
    const other = newEgress();
    const session = other.open();
    const running = session.run(order(script(`${daemon(`${pids}.lock`)}; sleep 600`), { timeMs: 120_000 }), {}, { signal: new AbortController().signal });
    await until(() => existsSync(`${pids}.lock`) && readFileSync(`${pids}.lock`, 'utf8') !== '', 'the daemon runs', 60_000);
    await other.endAll();
    expect(isAlive(Number(readFileSync(`${pids}.lock`, 'utf8')))).toBe(false);
    expect(shortly(await running)).toBe('stopped at run, uncertain');
  });

  it('is refused in a folder that others may write to, also where a link leads there', async () => {
    const open = mkdtempSync(join(folder, 'open-'));
    const path = join(open, 'rotate');
    writeFileSync(path, '#!/bin/sh\nexit 0\n', { mode: 0o755 });
    const link = join(mkdtempSync(join(folder, 'link-')), 'rotate');
    symlinkSync(path, link);
    expect([await answered(order(path)), await answered(order(link))]).toEqual(['ok', 'ok']);
    chmodSync(open, 0o777);
    for (const one of [path, link]) expect(await run(order(one))).toMatchObject({ ok: false, failure: { code: 'command-refused', detail: 'FOLDER' } });
    // As /tmp is: others make files there, and take nobody's away.
    chmodSync(open, 0o1777);
    expect([await answered(order(path)), await answered(order(link))]).toEqual(['ok', 'ok']);
  });

  it('is the one that was allowed: absolute, nobody else’s, not writable by others, with the digest that was noted', async () => {
    const good = script('exit 0');
    const sha256 = createHash('sha256').update(readFileSync(good)).digest('hex');
    expect(await answered(order(good, { sha256 }))).toBe('ok');
    const refused = [order('rotate'), order(join(folder, 'missing')), order(folder), order(script('exit 0', 0o644)), order(script('exit 0', 0o777)), order(good, { sha256: '0'.repeat(64) }), order('/dev/null')];
    const others = script('exit 0');
    chownSync(others, NOBODY, NOBODY);
    if (process.getuid?.() === 0) refused.push(order(others));
    for (const one of refused) expect([one.path, await answered(one)]).toEqual([one.path, 'command-refused at prepare']);
    // A file that says nothing of what runs it: there is no shell that would.
    const bare = join(folder, 'bare');
    writeFileSync(bare, `touch '${bare}.ran'\n`);
    chmodSync(bare, 0o755);
    expect(await answered(order(bare))).toBe('command-refused at prepare');
    expect(existsSync(`${bare}.ran`)).toBe(false);
  });
});

describe('a function', () => {
  const PATH = '/2015-03-31/functions/function/invocations';
  const seen: { readonly method: string; readonly url: string; readonly host: string; readonly body: string }[] = [];
  const body = async (request: IncomingMessage): Promise<string> => {
    let text = '';
    for await (const piece of request) text += String(piece);
    return text;
  };
  async function listen(answer: (response: ServerResponse) => void, secure = false, names: readonly string[] = ['DNS:localhost']): Promise<number> {
    const listener: RequestListener = (request, response) =>
      void body(request).then((text) => {
        seen.push({ method: request.method ?? '', url: request.url ?? '', host: request.headers.host ?? '', body: text });
        answer(response);
      });
    const issued = secure ? authority.issue(`f${String(servers.length)}`, names, process.getuid?.() ?? 0) : undefined;
    const server = issued ? createSecureServer({ key: readFileSync(issued.key), cert: readFileSync(issued.certificate) }, listener) : createServer(listener);
    servers.push(server);
    await new Promise<void>((done) => server.listen(0, 'localhost', done));
    return (server.address() as AddressInfo).port;
  }
  const order = (scheme: string, port: number, more: Partial<LambdaOrder> = {}): LambdaOrder => ({ kind: 'lambda', url: `${scheme}://localhost:${String(port)}${PATH}`, event, allow: [`localhost:${String(port)}`], ca: authority.ca, timeMs: 20_000, ...more });
  const end = (status: number, headers: Record<string, string> = {}, text = 'null') => (response: ServerResponse): void => void response.writeHead(status, headers).end(text);

  it('gets the event as JSON, over TLS that is verified', async () => {
    const port = await listen(end(200), true);
    const answer = await run(order('https', port));
    expect(answer).toMatchObject({ ok: true, notes: [], connections: [{ host: 'localhost', port, tls: 'TLSv1.3' }] });
    expect(seen.at(-1)).toMatchObject({ method: 'POST', url: PATH, host: `localhost:${String(port)}` });
    expect(JSON.parse(seen.at(-1)?.body ?? '')).toEqual(event);
    const before = seen.length;
    expect(shortly(await run(order('https', port, { ca: makeAuthority(join(folder, 'other')).ca })))).toBe('tls-untrusted at tls');
    expect(shortly(await run(order('https', await listen(end(200), true, ['DNS:elsewhere']))))).toBe('tls-name at tls');
    expect(seen).toHaveLength(before);
  });

  it('on this machine may be without TLS, as Lambda’s runtime interface emulator is', async () => {
    expect(shortly(await run(order('http', await listen(end(200)))))).toBe('ok no-tls');
    expect(shortly(await run(order('http', await listen(end(200, {}, '{"ok":true}')))))).toBe('ok no-tls');
  });

  it('has failed by its status, by X-Amz-Function-Error, or by what the emulator answers', async () => {
    for (const [answer, detail] of [[end(500), '500'], [end(404), '404'], [end(200, { 'X-Amz-Function-Error': 'Unhandled' }), '200'], [end(200, {}, '{"errorMessage":"hunter2","errorType":"Error"}'), '200']] as const) {
      const failed = await run(order('http', await listen(answer)));
      expect(failed).toMatchObject({ ok: false, failure: { code: 'function-failed', detail, uncertain: true } });
      expect(JSON.stringify(failed)).not.toContain('hunter2');
    }
  });

  it('leads nowhere else: no redirect, no credentials in its address, no other scheme, no other host', async () => {
    const target = await listen(end(200));
    const before = seen.length;
    expect(shortly(await run(order('http', await listen(end(302, { Location: `http://localhost:${String(target)}/` })))))).toBe('function-refused at run, uncertain');
    expect(seen).toHaveLength(before + 1);
    for (const url of [`http://user:hunter2@localhost:${String(target)}/`, `ftp://localhost:${String(target)}/`, 'nonsense', `http://localhost:${String(target)}/#x`]) expect(shortly(await run(order('http', target, { url })))).toBe('function-refused at prepare');
    expect(shortly(await run(order('http', target, { allow: ['localhost:1'] })))).toBe('host-refused at prepare');
    expect(shortly(await run(order('http', 80, { url: 'http://169.254.169.254/latest/meta-data/', allow: ['169.254.169.254:80'] })))).toBe('address-refused at resolve');
    expect(seen).toHaveLength(before + 1);
  });

  it('that hangs, answers without end or with nonsense is cut off', async () => {
    expect(shortly(await run(order('http', await listen(() => undefined), { timeMs: 500 })))).toBe('timed-out at run, uncertain');
    const endless = await listen((response) => {
      response.writeHead(200);
      const more = setInterval(() => { if (!response.destroyed) response.write('x'.repeat(65_536)); }, 5);
      response.on('close', () => { clearInterval(more); });
      response.on('error', () => undefined);
    });
    expect(shortly(await run(order('http', endless)))).toBe('answer-malformed at run, uncertain');
    const nonsense = await listen((response) => void response.socket?.end('SSH-2.0-OpenSSH\r\n\r\n'));
    expect(shortly(await run(order('http', nonsense)))).toBe('answer-malformed at run, uncertain');
  });
});
