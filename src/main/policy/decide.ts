/**
 * The policy decision: pure, total, and with reasons. Default deny; an explicit deny wins; a policy that cannot be
 * evaluated denies.
 *
 * Defends against: a request that nobody allowed, a policy whose unknown element would silently widen it.
 * Does not: look at doors, rates or lock state (those are the request rules), nor decide anything about the input.
 */

export interface Statement {
  readonly sid: string;
  readonly effect: 'Allow' | 'Deny';
  /** Principal ids, or `*`. A statement of a principal's own policy has none. */
  readonly principals?: readonly string[];
  /** `kms:Sign`, `kms:*`, `*`: `*` stands for any run of characters. */
  readonly actions: readonly string[];
  /** ARNs with `*`; absent means any. */
  readonly resources?: readonly string[];
}

export interface PolicyDocument {
  readonly id: string;
  readonly statements: readonly Statement[];
}

export interface Question {
  readonly principal: string;
  readonly action: string;
  /** Absent when the operation has no resource, or the resource does not exist. */
  readonly resource?: string;
}

export interface Policies {
  readonly principal: PolicyDocument;
  readonly resource?: PolicyDocument;
}

export type Reason =
  | { readonly kind: 'allowed' | 'denied'; readonly policy: string; readonly statement: string }
  | { readonly kind: 'nothing-allows' }
  | { readonly kind: 'policy-error'; readonly policy: string };

export interface Decision {
  readonly allowed: boolean;
  readonly reasons: readonly Reason[];
}

const KNOWN = new Set<string>(['sid', 'effect', 'principals', 'actions', 'resources'] satisfies (keyof Statement)[]);

/** Glob match with `*` only, linear time: no regular expression is built from a policy's text. */
export function matches(pattern: string, text: string): boolean {
  // Most patterns are names without any, and a client's policy has a hundred of them.
  if (!pattern.includes('*')) return pattern === text;
  const parts = pattern.split('*');
  const first = parts[0] ?? '';
  const last = parts[parts.length - 1] ?? '';
  if (!text.startsWith(first) || !text.endsWith(last) || text.length < first.length + last.length) return false;
  let at = first.length;
  const end = text.length - last.length;
  for (const part of parts.slice(1, -1)) {
    const found = text.indexOf(part, at);
    if (found < 0 || found + part.length > end) return false;
    at = found + part.length;
  }
  return true;
}

const anyMatches = (patterns: readonly string[], text: string): boolean => patterns.some((pattern) => matches(pattern, text));

/** Whether the statement speaks of this question. Throws on anything that it does not know: that is a policy error. */
function applies(statement: Statement, question: Question): boolean {
  for (const key of Object.keys(statement)) if (!KNOWN.has(key)) throw new TypeError(`unknown element \`${key}\``);
  if (statement.principals && !anyMatches(statement.principals, question.principal)) return false;
  if (!anyMatches(statement.actions, question.action)) return false;
  if (!statement.resources) return true;
  return question.resource !== undefined && anyMatches(statement.resources, question.resource);
}

function evaluate(policy: PolicyDocument, question: Question): Reason[] {
  try {
    return policy.statements
      .filter((statement) => applies(statement, question))
      .map((statement) => ({ kind: statement.effect === 'Allow' ? ('allowed' as const) : ('denied' as const), policy: policy.id, statement: statement.sid }));
  } catch {
    return [{ kind: 'policy-error', policy: policy.id }];
  }
}

/** Never throws. Reasons are for the owner; a caller gets only the yes or no. */
export function decide(question: Question, policies: Policies): Decision {
  const reasons = [...evaluate(policies.principal, question), ...(policies.resource ? evaluate(policies.resource, question) : [])];
  const against = reasons.filter((reason) => reason.kind === 'denied' || reason.kind === 'policy-error');
  if (against.length > 0) return { allowed: false, reasons: against };
  if (reasons.length === 0) return { allowed: false, reasons: [{ kind: 'nothing-allows' }] };
  return { allowed: true, reasons };
}
