/** The requests of a day in 96 cells of a quarter of an hour. Pure. */
export const CELLS = 96;
export const CELL_MS = 15 * 60_000;

export interface StripEvent {
  /** Milliseconds since the epoch. */
  readonly time: number;
  readonly result: 'ok' | 'denied' | 'failed';
}

export interface Cell {
  /** Beginning of the quarter of an hour. */
  readonly from: number;
  readonly allowed: number;
  readonly denied: number;
  /** 0 nothing, then four steps by share of the busiest cell. */
  readonly level: 0 | 1 | 2 | 3 | 4;
}

/** The last cell is the quarter of an hour that `at` is in. Failures of any kind count as requests; denials are marked, too. */
export function cellsOf(events: readonly StripEvent[], at: number): readonly Cell[] {
  const end = (Math.floor(at / CELL_MS) + 1) * CELL_MS;
  const start = end - CELLS * CELL_MS;
  const allowed = new Array<number>(CELLS).fill(0);
  const denied = new Array<number>(CELLS).fill(0);
  for (const { time, result } of events) {
    const cell = Math.floor((time - start) / CELL_MS);
    if (cell < 0 || cell >= CELLS) continue;
    const row = result === 'denied' ? denied : allowed;
    row[cell] = (row[cell] ?? 0) + 1;
  }
  const most = Math.max(1, ...allowed);
  return allowed.map((count, i) => ({
    from: start + i * CELL_MS,
    allowed: count,
    denied: denied[i] ?? 0,
    level: count === 0 ? 0 : (Math.ceil((count / most) * 4) as 1 | 2 | 3 | 4),
  }));
}
