/** Work for a value that is typed, once what was typed is on the screen. */
import { startTransition, useEffect, useState } from 'react';

/**
 * The value as of the last frame that was painted. What it is used for (asking the vault, drawing a list) then takes no part of the processor from the
 * frame that shows the letter, and of several letters within one frame only the last is worked for.
 */
export function usePainted<T>(value: T): T {
  const [painted, setPainted] = useState(value);
  useEffect(() => {
    let after: ReturnType<typeof setTimeout> | undefined;
    // A timer that is set in a frame's callback comes once that frame is painted.
    const frame = requestAnimationFrame(() => { after = setTimeout(() => { startTransition(() => { setPainted(value); }); }, 0); });
    return () => {
      cancelAnimationFrame(frame);
      clearTimeout(after);
    };
  }, [value]);
  return painted;
}
