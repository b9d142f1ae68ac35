/**
 * `act` with everything that came since it last began: at once where it rests, else once it is done and has rested. So a burst of
 * events costs two rounds, and a program that makes keys without end does not keep the window reading the list without end.
 */
export function coalesced<T>(act: (items: ReadonlySet<T>) => Promise<void>, restMs: number): (item: T) => void {
  let waiting = new Set<T>();
  let busy = false;
  const run = async (): Promise<void> => {
    busy = true;
    while (waiting.size > 0) {
      const items = waiting;
      waiting = new Set();
      await act(items).catch(() => undefined);
      await new Promise((rested) => setTimeout(rested, restMs));
    }
    busy = false;
  };
  return (item) => {
    waiting.add(item);
    if (!busy) void run();
  };
}
