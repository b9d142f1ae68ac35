/** A key in a token as another way in: which token, its PIN, and the proof that it is the owner who asks. */
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useRef, useState } from 'react';
import type { CallError } from '../../shared/api/client.ts';
import { client, outputOf } from '../client.ts';
import { sentence } from '../format.ts';
import { isLastTry } from '../gate/token-factor.tsx';
import type { Token } from '../hardware/data.ts';
import { keyOf, longNameOf } from '../hardware/token-names.ts';
import { Button } from '../parts/button.tsx';
import { Dialog, DialogFoot } from '../parts/dialog.tsx';
import { errorOf, InlineError, ProgressRow, SkeletonRows } from '../parts/feedback.tsx';
import { SelectField } from '../parts/field.tsx';
import { PasswordField, type PasswordHandle } from '../parts/password-field.tsx';
import { STATUS } from '../status.ts';
import { Proof, type ProofHandle, type ProofKind } from './proof.tsx';
import { isWrongProof } from './wrong-proof.ts';

/** Whether an error is about this token’s own PIN, and not about what is given as a proof. */
const isOf = (error: CallError | undefined, { CloudHsmClusterId }: Pick<Token, 'CloudHsmClusterId'>): boolean => CloudHsmClusterId !== undefined && error?.details?.['token'] === CloudHsmClusterId;

export function AddTokenSlot({ kinds, onClose }: { readonly kinds: readonly ProofKind[]; readonly onClose: () => void }) {
  const queries = useQueryClient();
  const proof = useRef<ProofHandle>(null);
  const pin = useRef<PasswordHandle>(null);
  const [picked, setPicked] = useState<string>();
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<{ readonly pin?: string; readonly proof?: string }>({});
  const [error, setError] = useState<CallError>();
  const found = useQuery({ queryKey: ['hardware', 'tokens'], queryFn: async () => outputOf(await client.hardware.listTokens()) });
  const tokens = (found.data?.Tokens ?? []).filter(({ Initialized, PinSet }) => Initialized && PinSet);
  const token = tokens.find((one) => keyOf(one) === picked) ?? tokens[0];
  const isOfNew = token !== undefined && isOf(error, token);
  const insists = isOfNew && isLastTry(error);

  const submit = async (): Promise<void> => {
    if (!token) return;
    setProblem({});
    setError(undefined);
    // Looked at first: what was taken out of one field would be left over for the other's sake.
    if (pin.current?.read() === '') { setProblem({ pin: 'The PIN is needed to make a key in the token.' }); pin.current.focus(); return; }
    const given = proof.current?.take();
    if (!given) { setProblem({ proof: 'This is needed to go on.' }); proof.current?.focus(); return; }
    const typed = pin.current?.take();
    if (!typed) return;
    setBusy(true);
    const answer = await client.vault.addSlot({ Type: 'token', Serial: token.Serial, Label: token.Label, Pin: typed, ...given, ...(insists ? { NewTokenLastTry: true as const } : {}) });
    setBusy(false);
    if (answer.ok) {
      await Promise.all([queries.invalidateQueries({ queryKey: ['slots'] }), queries.invalidateQueries({ queryKey: STATUS })]);
      onClose();
      return;
    }
    const { code, message } = answer.error;
    const isOwn = isOf(answer.error, token);
    if (code === 'IncorrectPinException' && isOwn) setProblem({ pin: sentence(message) });
    else if (isWrongProof(answer.error)) setProblem({ proof: sentence(message) });
    else setError(answer.error);
    setTimeout(() => { (isOwn ? pin : proof).current?.focus(); }, 0);
  };

  return (
    <Dialog title="Add a hardware token" onClose={onClose} held={busy} className="w-[420px]">
      <form className="flex min-h-0 flex-col" onSubmit={(event) => { event.preventDefault(); if (!busy) void submit(); }}>
        <div className="flex flex-col gap-4 overflow-y-auto px-5 pt-2 pb-3">
          <p className="text-fg-2">A key is made in the token and never leaves it. From then on the token and its PIN open this vault, also without the password.</p>
          {found.error && <InlineError error={errorOf(found.error)} />}
          {!found.data && !found.error && <SkeletonRows rows={1} height={52} />}
          {found.data && !token && <p>No token with a PIN is there. Plug one in, or add its module with <code className="font-mono text-[12px]">keystead hardware add-module</code>.</p>}
          {token && <SelectField label="Token" value={keyOf(token)} options={tokens.map((one) => [keyOf(one), longNameOf(one)])} onPick={(key) => { setPicked(key); setError(undefined); }} />}
          {token && <PasswordField ref={pin} label="PIN of the token" autoComplete="off" disabled={busy} error={problem.pin} hint={insists ? 'Going on uses the last try that the token says is left' : 'It goes to the token\'s module and is not kept'} />}
          {token && <Proof ref={proof} kinds={kinds} error={problem.proof} refusal={isOfNew ? undefined : error} disabled={busy} />}
          {error && <InlineError error={error} consequence="The ways in are as they were." />}
        </div>
        <DialogFoot>
          {busy && <span className="mr-auto self-center"><ProgressRow label="Making a key" /></span>}
          <Button tall onClick={onClose} disabled={busy}>Cancel</Button>
          <Button tall kind="primary" type="submit" busy={busy} disabled={!token}>Add the token</Button>
        </DialogFoot>
      </form>
    </Dialog>
  );
}
