/**
 * A window beside a running vault: its door, and what follows from the life of the one for the other. A lock ends the page's process; a page
 * that left its document locks the vault; a window that is closed stops the program.
 */
import { encodeJson } from '../../shared/wire/encode.ts';
import { SecretBytes } from '../../shared/model/secret-bytes.ts';
import { openIpcDoor } from '../doors/ipc.ts';
import type { Ending, WindowHost } from '../hosts/port.ts';
import type { Dispatch } from '../kernel/request.ts';
import type { RunningVault } from './run.ts';

/** A page that keeps ending is not started for ever. */
const MOST_ENDINGS = 5;
const ENDINGS_WITHIN_MS = 60_000;

export type Windowed = Pick<RunningVault, 'program' | 'log' | 'stop' | 'beside'>;

/** Resolves once the window is there; rejects when the host cannot show it, and has closed it then. */
export async function attachWindow({ program, log, stop, beside }: Windowed, host: WindowHost): Promise<void> {
  const { clock, dispatch, newRequestId } = program.door;
  // From the first value that a page is given until the page is gone: it alone knows when it shows one.
  const guarded: Dispatch = async (request) => {
    const result = await dispatch(request);
    if (result.ok && Object.values(result.output).some((value) => value instanceof SecretBytes)) host.protect?.(true);
    return result;
  };
  const door = openIpcDoor({ ipc: host.ipc, port: { ...program.door, dispatch: guarded }, origin: host.origin });
  let closing = false;
  beside(async (graceMs) => {
    closing = true;
    await door.close(graceMs);
    await host.close();
    log.event('door.closed', { door: 'ipc' });
  });

  const lock = (): Promise<unknown> =>
    dispatch({ id: newRequestId(), door: 'schedule', evidence: { door: 'schedule', job: 'window-left' }, operation: 'vault:Lock', input: encodeJson({}), signal: new AbortController().signal });

  let turn: Promise<void> = Promise.resolve();
  const renew = (): Promise<void> =>
    (turn = turn.then(async () => {
      if (closing) return;
      try {
        await host.renew();
        host.protect?.(false);
      } catch {
        // A page whose process will not end, or that does not come back: the program goes, and the page with it.
        await stop('asked');
      }
    }));

  let endings: number[] = [];
  const ended = async (how: Ending): Promise<void> => {
    if (closing) return;
    const now = clock.monotonic();
    endings = [...endings.filter((time) => now - time < ENDINGS_WITHIN_MS), now];
    if (how === 'closed' || endings.length > MOST_ENDINGS) return stop('asked');
    if (how === 'navigated') await lock();
    await renew();
  };
  host.onEnded((how) => void ended(how));

  await host.open();
  log.event('door.opened', { door: 'ipc' });
  program.events.subscribe(({ event }) => {
    if (event === 'vault.locked') void renew();
  });
}
