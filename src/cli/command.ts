/** What a command is, and what it is given when it runs. */
import { setMaxListeners } from 'node:events';
import type { Answer, CallOptions } from '../shared/api/client.ts';
import type { Name, Output as OutputOf } from '../shared/api/index.ts';
import type { Flag, Values } from './arguments.ts';
import type { Connection } from './connection.ts';
import { ofVault, cancelled, usage, CliError, type World } from './world.ts';
import { EXIT } from '../shared/model/errors.ts';
import { placeOf, reach, type Place } from './place.ts';
import { textOf, switchOf } from './arguments.ts';

export interface Command {
  /** Names, each of one or two words; the preferred one first. */
  readonly names: readonly string[];
  readonly summary: string;
  /** More than the summary, in whole lines. */
  readonly details?: readonly string[];
  readonly flags: readonly Flag[];
  /** Flags that a bare word fills. */
  readonly positionals?: readonly string[];
  readonly examples?: readonly string[];
  run(run: Run): Promise<number>;
}

/** One run of a command. */
export interface Run {
  readonly world: World;
  readonly values: Values;
  /** `--output`, if given. */
  readonly output: 'json' | 'text' | undefined;
  readonly place: () => Promise<Place>;
  /** Aborted by Ctrl+C and by `--timeout`. */
  readonly signal: AbortSignal;
}

export function startRun(world: World, values: Values): { readonly run: Run; readonly end: () => void } {
  const abort = new AbortController();
  // Each call that is under way listens to it.
  setMaxListeners(0, abort.signal);
  const seconds = textOf(values, 'timeout');
  if (seconds !== undefined && !/^\d{1,6}(?:\.\d+)?$/.test(seconds)) throw usage('--timeout must be a number of seconds');
  const timer = seconds === undefined || Number(seconds) === 0 ? undefined : setTimeout(() => { abort.abort(); }, Number(seconds) * 1000);
  const off = world.onInterrupt(() => { abort.abort(); });
  const output = textOf(values, 'output');
  return {
    run: {
      world,
      values,
      output: output === 'json' || output === 'text' ? output : undefined,
      place: () => placeOf(world, textOf(values, 'vault')),
      signal: abort.signal,
    },
    end() {
      clearTimeout(timer);
      off();
    },
  };
}

/** How long a cancelled call may still take to be answered. */
const CANCEL_WITHIN = 3000;

/** Calls and unwraps: the output, or the vault's error as a CliError. A cancel is final even when the vault does not answer it. */
export async function callFor<N extends Name>(run: Run, connection: Connection, name: N, input: Readonly<Record<string, unknown>>, options: Omit<CallOptions, 'signal'> = {}): Promise<OutputOf<N>> {
  if (run.signal.aborted) throw cancelled();
  const over = new AbortController();
  try {
    return outputOf(name, await Promise.race([connection.call(name, input, { ...options, signal: run.signal }), whenCancelled(run.signal, over.signal)]));
  } finally {
    over.abort();
  }
}

function outputOf<N extends Name>(_name: N, answer: Answer<Readonly<Record<string, unknown>>>): OutputOf<N> {
  if (!answer.ok) throw ofVault(answer.error, answer.requestId);
  return answer.output as OutputOf<N>;
}

function whenCancelled(signal: AbortSignal, over: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    signal.addEventListener('abort', () => {
      setTimeout(() => { reject(new CliError('CancelledException', EXIT.cancelled, 'cancelled; the vault did not say whether it had ended', { next: 'keystead trail events' })); }, CANCEL_WITHIN).unref();
    }, { once: true, signal: over });
  });
}

/** Runs `use` with a conversation and closes it afterwards. */
export async function withVault<T>(run: Run, use: (connection: Connection) => Promise<T>): Promise<T> {
  const connection = await reach(run.world, await run.place());
  try {
    return await use(connection);
  } finally {
    connection.close();
  }
}

export const flagText = (run: Run, name: string): string | undefined => textOf(run.values, name);
export const flagSwitch = (run: Run, name: string): boolean | undefined => switchOf(run.values, name);
