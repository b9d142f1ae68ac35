/**
 * Step 6: where a rule obliges it, a person is asked, by request id. Silence, a closed window and lock all mean no.
 *
 * An approval is bound to a hash of principal, operation, resource and canonical input, is used once, and lasts 60 s.
 */
import type { RequestId } from '../../shared/model/ids.ts';

export interface ApprovalQuestion {
  readonly requestId: RequestId;
  readonly principal: string;
  readonly operation: string;
  readonly resource?: string;
  /** Why the person is asked: the rule's own words. */
  readonly message: string;
  /** What exactly is approved (SHA-256, hex); an answer must carry it back. */
  readonly binding: string;
}

export interface Approvals {
  /** Resolves true only for an explicit yes to this very question. Never rejects. */
  ask(question: ApprovalQuestion, signal: AbortSignal): Promise<boolean>;
  answer(requestId: RequestId, binding: string, allow: boolean): boolean;
  /** Lock, closed window: everything pending is denied. */
  denyAll(): void;
  readonly pending: readonly ApprovalQuestion[];
}

interface Waiting {
  readonly question: ApprovalQuestion;
  readonly settle: (allow: boolean) => void;
}

/** `present` shows the question to a person and says whether there is anybody to show it to. `after` calls back once. */
export function createApprovals(ports: {
  readonly present: (question: ApprovalQuestion) => boolean;
  readonly after: (milliseconds: number, call: () => void) => { cancel(): void };
  readonly timeout?: number;
}): Approvals {
  const waiting = new Map<string, Waiting>();
  return {
    ask(question, signal) {
      if (signal.aborted || !ports.present(question)) return Promise.resolve(false);
      return new Promise((resolve) => {
        const settle = (allow: boolean): void => {
          waiting.delete(question.requestId);
          timer.cancel();
          signal.removeEventListener('abort', deny);
          resolve(allow);
        };
        const deny = (): void => {
          settle(false);
        };
        const timer = ports.after(ports.timeout ?? 60_000, deny);
        signal.addEventListener('abort', deny);
        waiting.set(question.requestId, { question, settle });
      });
    },
    answer(requestId, binding, allow) {
      const found = waiting.get(requestId);
      if (found?.question.binding !== binding) return false;
      found.settle(allow);
      return true;
    },
    denyAll() {
      for (const one of [...waiting.values()]) one.settle(false);
    },
    get pending() {
      return [...waiting.values()].map((one) => one.question);
    },
  };
}
