/**
 * Waits for `work`, which never rejects; after `graceMs` calls `abort` and waits no longer, because a handler that does not listen to its
 * signal must not keep the vault from closing.
 */
export async function settledWithin(work: Promise<unknown>, graceMs: number, abort: () => void): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<void>((resolve) => {
    timer = setTimeout(() => {
      abort();
      resolve();
    }, graceMs);
  });
  await Promise.race([work, late]);
  clearTimeout(timer);
}
