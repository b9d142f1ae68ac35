/**
 * A window beside a running vault: its door, and what follows from the life of the one for the other. A lock ends the page's process; a page
 * that left its document locks the vault; a window that is closed stops the program.
 */
import { asSchedule } from '../doors/as-schedule.ts';
import { holdsSecret } from '../../shared/model/secret-bytes.ts';
import { openIpcDoor, type IpcDoor } from '../doors/ipc.ts';
import type { Ending, WindowHost } from '../hosts/port.ts';
import type { Dispatch } from '../kernel/request.ts';
import type { RunningVault } from './run.ts';

/** A page that keeps ending is not started for ever. */
const MOST_ENDINGS = 5;
const ENDINGS_WITHIN_MS = 60_000;

export type Windowed = Pick<RunningVault, 'program' | 'log' | 'stop' | 'beside' | 'onMoved'>;

/** Resolves once the window is there; rejects when the host cannot show it, and has closed it then. */
export async function attachWindow(vault: Windowed, host: WindowHost): Promise<void> {
  const { log, stop, beside } = vault;
  let closing = false;
  let door = openDoor();
  beside(async (graceMs) => {
    closing = true;
    await door.close(graceMs);
    await host.close();
    log.event('door.closed', { door: 'ipc' });
  });

  function openDoor(): IpcDoor & { endEvents(): void } {
    const { door: port, events, desk } = vault.program;
    desk.attach(host);
    // From the first value that a page is given until the page is gone: it alone knows when it shows one.
    const guarded: Dispatch = async (request) => {
      const result = await port.dispatch(request);
      if (result.ok && holdsSecret(result.output)) host.protect?.(true);
      return result;
    };
    const endEvents = events.subscribe(({ event }) => {
      if (event === 'vault.locked') void renew();
    });
    return { ...openIpcDoor({ ipc: host.ipc, port: { ...port, dispatch: guarded }, origin: host.origin }), endEvents };
  }

  const lock = (): Promise<unknown> => asSchedule(vault.program.door, 'window-left', 'vault:Lock');

  let turn: Promise<void> = Promise.resolve();
  const renew = (): Promise<void> =>
    (turn = turn.then(async () => {
      if (closing) return;
      try {
        await host.renew();
        host.protect?.(false);
      } catch {
        // A page whose process will not end, or that does not come back: the program goes, and the page with it.
        void stop('asked');
      }
    }));

  let endings: number[] = [];
  const ended = async (how: Ending): Promise<void> => {
    if (closing) return;
    const now = vault.program.door.clock.monotonic();
    endings = [...endings.filter((time) => now - time < ENDINGS_WITHIN_MS), now];
    if (how === 'closed' || endings.length > MOST_ENDINGS) return stop('asked');
    if (how === 'navigated') await lock();
    await renew();
  };
  host.onEnded((how) => void ended(how));

  // Another vault: nothing of the one before is in the page that shows it.
  vault.onMoved(async (graceMs) => {
    if (closing) return;
    door.endEvents();
    await door.close(graceMs);
    door = openDoor();
    await renew();
  });

  await host.open();
  log.event('door.opened', { door: 'ipc' });
}
