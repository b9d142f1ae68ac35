/** What stands between a person and a key in a token: connects its key store, asks for the PIN where that is needed, and goes on. */
import { useQueryClient } from '@tanstack/react-query';
import { useCallback, useEffect, useRef, useState } from 'react';
import { Button } from '../parts/button.tsx';
import { Dialog, DialogFoot } from '../parts/dialog.tsx';
import { InlineError, ProgressRow } from '../parts/feedback.tsx';
import { askedFor, connectStore, tokensFor, type Connecting } from './connect.ts';
import { refreshHardware, useClusters, useHardware, useKeyStores } from './data.ts';
import { PinForm } from './pin-form.tsx';
import { nameOf } from './token-names.ts';

interface ConnectGateProps {
  readonly storeId: string;
  /** `already`: it was connected before anything was done. */
  readonly onConnected: (already: boolean) => void;
  readonly onCancel?: (() => void) | undefined;
  readonly onBusy?: (busy: boolean) => void;
  readonly inDialog?: boolean;
}


export function ConnectGate({ storeId, onConnected, onCancel, onBusy, inDialog = false }: ConnectGateProps) {
  const queries = useQueryClient();
  const [state, setState] = useState<Connecting>();
  const hardware = useHardware();
  const store = useKeyStores().data?.find(({ CustomKeyStoreId }) => CustomKeyStoreId === storeId);
  const [cluster] = useClusters(store ? [store] : []);
  const { own, other } = tokensFor(store?.CloudHsmClusterId, cluster?.Members.map((one) => one.CloudHsmClusterId) ?? [], hardware.data?.Tokens ?? []);
  const connected = useRef(onConnected);
  useEffect(() => { connected.current = onConnected; });
  const go = useCallback(async (): Promise<void> => {
    setState(undefined);
    const next = await connectStore(storeId);
    await refreshHardware(queries);
    setState(next);
    if (next.is === 'connected') connected.current(next.already);
  }, [storeId, queries]);
  const begun = useRef(false);
  useEffect(() => {
    if (begun.current) return;
    begun.current = true;
    void go();
  }, [go]);

  const pad = inDialog ? 'px-5 pt-2 pb-3' : '';
  // Its own token first; where that is away or fails, any other one that holds copies of the keys opens the key store, too.
  const asked = askedFor(state, { own, other });
  if (asked) {
    return (
      <>
        {asked !== own && <div className={inDialog ? 'px-5 pt-2' : 'pb-3'}><p role="status" className="tint-warn rounded-card px-3 py-2.5">{!own ? 'Its first token is not there' : own.PinState === 'locked' ? `The PIN of ${nameOf(own)} is locked` : own.PinSet ? `Token ${nameOf(own)} does not answer` : `Token ${nameOf(own)} has no PIN`}. The key store can be connected through {nameOf(asked)}, which has copies of its keys; the other joins in again once it is back.</p></div>}
        <PinForm key={asked.CloudHsmClusterId} token={asked} act={asked === own ? 'Connect' : `Connect through ${nameOf(asked)}`} inDialog={inDialog} onCancel={onCancel} onTaken={go} {...(onBusy ? { onBusy } : {})} />
      </>
    );
  }
  const foot = onCancel && <DialogFoot><Button tall onClick={onCancel}>Cancel</Button><Button tall kind="primary" onClick={() => { void go(); }}>Try again</Button></DialogFoot>;
  if (state?.is === 'failed') return <><div className={pad}><InlineError error={state.error} consequence="The key store is not connected.">{!foot && <Button kind="ghost" onClick={() => { void go(); }}>Try again</Button>}</InlineError></div>{foot}</>;
  if (state?.is === 'pin' && hardware.data) return <><div className={pad}><p role="alert" className="tint-warn rounded-card px-3 py-2.5">{(cluster?.Members.length ?? 1) > 1 ? 'None of its tokens is there.' : 'The token is not there.'} Put it back, then try again; its keys are as they were.</p></div>{foot ?? <Button className="self-start" onClick={() => { void go(); }}>Try again</Button>}</>;
  return <div className={pad === '' ? '' : `${pad} pb-6`}><ProgressRow label="Asking the token" /></div>;
}

export function ConnectStore({ storeId, onConnected, onClose }: { readonly storeId: string; readonly onConnected: () => void; readonly onClose: () => void }) {
  const [busy, setBusy] = useState(false);
  const store = useKeyStores().data?.find(({ CustomKeyStoreId }) => CustomKeyStoreId === storeId);
  return (
    <Dialog title={`Connect ${store?.CustomKeyStoreName ?? 'the key store'}`} onClose={onClose} held={busy} className="w-[440px]">
      <ConnectGate inDialog storeId={storeId} onConnected={onConnected} onCancel={onClose} onBusy={setBusy} />
    </Dialog>
  );
}
