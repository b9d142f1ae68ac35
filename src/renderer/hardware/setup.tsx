/** From nothing to the first signature of a key in a token: module, token, PIN, key store, self test, key. Leaving is possible at each step, and says what stays. */
import { useQueryClient } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { Check, Circle, CircleX, LoaderCircle } from 'lucide-react';
import { useId, useRef, useState } from 'react';
import type { CallError } from '../../shared/api/client.ts';
import type { KeySpec } from '../../shared/model/algorithms.ts';
import { isAliasName } from '../../shared/model/ids.ts';
import { client } from '../client.ts';
import { specName } from '../format.ts';
import { refreshKeys } from '../keys/data.ts';
import { Button } from '../parts/button.tsx';
import { Dialog, DialogFoot } from '../parts/dialog.tsx';
import { errorOf, InlineError, ProgressRow } from '../parts/feedback.tsx';
import { SelectField, TextField } from '../parts/field.tsx';
import { CommandLine, PublicResult, Verdict } from '../use/result.tsx';
import { unlockToken } from './connect.ts';
import { refreshHardware, useHardware, useKeyStores, useMechanisms, type KeyStore, type Module, type Token } from './data.ts';
import { CHOICE, ModuleChoice } from './module-choice.tsx';
import { StateSaid } from './parts.tsx';
import { PinForm } from './pin-form.tsx';
import { FIRST_MESSAGE, runSetup, SETUP_ACTS, SETUP_WORDS, setupCommands, staying, type SetupAct, type SetupMade, type SetupWanted } from './setup-run.ts';
import { useStepFocus } from './step-focus.ts';
import { InitialiseForm } from './token-dialogs.tsx';
import { slotKeyOf } from './token-names.ts';
import { moduleName, tokenState } from './words.ts';

type Step = { readonly is: 'module' } | { readonly is: 'token' } | { readonly is: 'initialise' | 'pin' | 'key'; readonly token: Token } | { readonly is: 'work'; readonly wanted: SetupWanted } | { readonly is: 'done'; readonly wanted: SetupWanted; readonly made: SetupMade } | { readonly is: 'left'; readonly stays: readonly string[] };

const PLACES = ['Module', 'Token', 'Key', 'Signature'] as const;
const PLACE: Readonly<Record<Step['is'], number>> = { module: 0, token: 1, initialise: 1, pin: 1, key: 2, work: 3, done: 4, left: -1 };

function Places({ at }: { readonly at: number }) {
  return (
    <ol className="flex gap-1.5 px-5 pt-1 pb-2 text-[12px]/4" aria-label="Steps">
      {PLACES.map((name, i) => (
        <li key={name} aria-current={i === at ? 'step' : undefined} className={`flex flex-1 flex-col gap-1.5 ${i === at ? 'font-medium text-fg' : 'text-fg-3'}`}>
          <i aria-hidden="true" className={`h-[3px] rounded-full ${i <= at ? 'bg-steel' : 'bg-line-2'}`} />
          <span>{name}{i < at && <span className="sr-only">, done</span>}</span>
        </li>
      ))}
    </ol>
  );
}

export function SetUpHardware({ onClose }: { readonly onClose: () => void }) {
  const queries = useQueryClient();
  const hardware = useHardware();
  const stores = useKeyStores();
  const [step, setStep] = useState<Step>({ is: 'module' });
  const [module, setModule] = useState<Module>();
  const [added, setAdded] = useState(false);
  const [initialised, setInitialised] = useState<string>();
  const [made, setMade] = useState<SetupMade>({});
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<CallError>();
  const [storeName, setStoreName] = useState('');

  useStepFocus(`${step.is} ${String(hardware.isSuccess)}`);

  const leave = async (): Promise<void> => {
    const stays = staying({ module: added && module ? moduleName(module.Path) : undefined, token: initialised, made, storeName });
    if (added && module && made.isOwnStore !== true) {
      setBusy(true);
      const answer = await client.hardware.removeModule({ Path: module.Path });
      setBusy(false);
      if (!answer.ok && answer.error.code !== 'NotFoundException') { setError(answer.error); return; }
    }
    await refreshHardware(queries);
    if (stays.length === 0) onClose();
    else setStep({ is: 'left', stays: added && made.isOwnStore !== true ? [...stays, 'The module was removed again.'] : stays });
  };
  const cancel = (): void => { if (!busy) void leave(); };
  const storeOf = ({ CloudHsmClusterId }: Pick<Token, 'CloudHsmClusterId'>): KeyStore | undefined => stores.data?.find((one) => one.CloudHsmClusterId === CloudHsmClusterId);
  const take = (token: Token): void => {
    const store = storeOf(token);
    if (store) setMade({ storeId: store.CustomKeyStoreId });
    setStep({ is: !token.Initialized || !token.PinSet ? 'initialise' : token.LoggedIn ? 'key' : 'pin', token });
  };

  const body = (): React.ReactNode => {
    switch (step.is) {
      case 'module':
        if (hardware.isError) return <><div className="px-5 pt-2 pb-3"><InlineError error={errorOf(hardware.error)} consequence="Nothing was loaded." /></div><DialogFoot><Button tall onClick={onClose}>Close</Button></DialogFoot></>;
        if (!hardware.data) return <div className="px-5 pt-2 pb-6"><ProgressRow label="Looking for modules" /></div>;
        return <ModuleChoice again modules={hardware.data.Modules} registered={hardware.data.Registered} onBusy={setBusy} onCancel={onClose} onLoaded={(loaded, isAdded) => { setModule(loaded); setAdded(isAdded); void refreshHardware(queries).then(() => { setStep({ is: 'token' }); }); }} />;
      case 'token':
        return <TokenChoice module={module} tokens={(hardware.data?.Tokens ?? []).filter(({ Module: path }) => path === module?.Path)} looking={hardware.isFetching} onTake={take} onCancel={cancel} />;
      case 'initialise':
        return (
          <InitialiseForm
            token={step.token}
            onBusy={setBusy}
            onClose={() => { setStep({ is: 'token' }); }}
            cancel="Back"
            onDone={async ({ Serial, Label, CloudHsmClusterId }, pin) => {
              setInitialised(Label);
              const answer = await unlockToken({ Serial, Label }, pin);
              const token: Token = { ...step.token, Serial, Label, CloudHsmClusterId, Initialized: true, PinSet: true, PinState: 'ok', LoggedIn: answer.ok };
              await refreshHardware(queries);
              setStep({ is: answer.ok ? 'key' : 'pin', token });
            }}
          />
        );
      case 'pin':
        return <PinForm inDialog token={step.token} act="Log in" onBusy={setBusy} onCancel={cancel} onTaken={async () => { await refreshHardware(queries); setStep({ is: 'key', token: { ...step.token, LoggedIn: true } }); }} />;
      case 'key':
        return <KeyChoice token={step.token} store={storeOf(step.token)} onCancel={cancel} onMake={(wanted) => { setStoreName(wanted.storeName); setStep({ is: 'work', wanted }); }} />;
      case 'work':
        return <Work wanted={step.wanted} before={made} onMade={setMade} onBusy={setBusy} onCancel={cancel} onDone={(all) => { setStep({ is: 'done', wanted: step.wanted, made: all }); }} />;
      case 'done':
        return <Done wanted={step.wanted} made={step.made} onClose={onClose} />;
      case 'left':
        return (
          <>
            <ul className="flex list-disc flex-col gap-1.5 px-5 pt-2 pb-3 pl-9 text-fg-2">{step.stays.map((text) => <li key={text}>{text}</li>)}</ul>
            <DialogFoot><Button tall kind="primary" onClick={onClose}>Close</Button></DialogFoot>
          </>
        );
    }
  };
  // Nothing that was begun is dropped by a click outside.
  const held = busy || step.is !== 'module';
  return (
    <Dialog title={step.is === 'left' ? 'What stays' : step.is === 'done' ? 'A key in hardware has signed' : 'Set up a token'} onClose={cancel} held={held} className="w-[540px]">
      {step.is !== 'left' && <Places at={PLACE[step.is]} />}
      {error && <div className="px-5 pb-2"><InlineError error={error} consequence="The module stays." /></div>}
      {body()}
    </Dialog>
  );
}

interface TokenChoiceProps {
  readonly module: Module | undefined;
  readonly tokens: readonly Token[];
  readonly looking: boolean;
  readonly onTake: (token: Token) => void;
  readonly onCancel: () => void;
}

function TokenChoice({ module, tokens, looking, onTake, onCancel }: TokenChoiceProps) {
  const queries = useQueryClient();
  const group = useId();
  const [chosen, setChosen] = useState<string>();
  const usable = tokens.filter(({ PinState }) => PinState !== 'locked');
  const token = usable.find((one) => slotKeyOf(one) === chosen) ?? usable[0];
  return (
    <form className="flex min-h-0 flex-col" onSubmit={(event) => { event.preventDefault(); if (token) onTake(token); }}>
      <div className="flex flex-col gap-3 overflow-y-auto px-5 pt-2 pb-3">
        <p className="text-fg-2"><span className="text-ok">Loaded</span> in a process of its own: <bdi>{module?.Description ?? moduleName(module?.Path ?? '')}</bdi> {module?.Version}{module?.Manufacturer ? <>, <bdi>{module.Manufacturer}</bdi></> : ''}.</p>
        {tokens.length === 0 ? (looking ? <ProgressRow label="Looking for tokens" /> : <p className="text-fg-2">It shows no token. Put one in, then look again.</p>) : (
          <fieldset>
            <legend className="mb-1.5 text-[12px]/4 font-medium text-fg-2">Which token?</legend>
            <div className="flex flex-col gap-1.5">
              {tokens.map((one) => (
                <label key={slotKeyOf(one)} className={CHOICE}>
                  <input type="radio" name={group} disabled={one.PinState === 'locked'} checked={token !== undefined && slotKeyOf(one) === slotKeyOf(token)} onChange={() => { setChosen(slotKeyOf(one)); }} className="absolute inset-0 appearance-none focus-visible:outline-none" />
                  <span className="min-w-0 flex-1"><span className="block truncate font-medium"><bdi>{one.Initialized ? one.Label : 'Empty token'}</bdi></span><span className="block truncate text-[12px]/4 text-fg-2"><bdi>{one.Model}</bdi>, {one.Serial === '' ? `slot ${one.Slot}` : <>serial <code className="font-mono">{one.Serial}</code></>}</span></span>
                  <StateSaid said={tokenState(one)} />
                </label>
              ))}
            </div>
          </fieldset>
        )}
      </div>
      <DialogFoot>
        <Button tall onClick={onCancel}>Cancel</Button>
        {tokens.length === 0 && <Button tall onClick={() => { void refreshHardware(queries); }}>Look again</Button>}
        {token && <Button tall kind="primary" type="submit">{!token.Initialized || !token.PinSet ? 'Initialise it' : token.LoggedIn ? 'Use this token' : 'Give its PIN'}</Button>}
      </DialogFoot>
    </form>
  );
}

interface KeyChoiceProps {
  readonly token: Token;
  readonly store: KeyStore | undefined;
  readonly onMake: (wanted: SetupWanted) => void;
  readonly onCancel: () => void;
}

function KeyChoice({ token, store, onMake, onCancel }: KeyChoiceProps) {
  const { data, error } = useMechanisms(token);
  useStepFocus(String(data !== undefined));
  const storeName = useRef<HTMLInputElement>(null);
  const keyName = useRef<HTMLInputElement>(null);
  const specs = [...new Set((data?.Offers ?? []).filter(({ KeyUsage }) => KeyUsage === 'SIGN_VERIFY').map(({ KeySpec }) => KeySpec))];
  const [picked, setPicked] = useState<KeySpec>();
  const [problem, setProblem] = useState<string>();
  const spec = picked ?? specs.find((name) => name === 'ECC_NIST_P256') ?? specs[0];
  const make = (): void => {
    const name = (keyName.current?.value ?? '').trim().replace(/^alias\//, '');
    if (!isAliasName(`alias/${name}`) || name.startsWith('aws/')) {
      setProblem('A name has letters, digits, / _ and -, and does not begin with aws/.');
      keyName.current?.focus();
      return;
    }
    if (spec) onMake({ clusterId: token.CloudHsmClusterId ?? '', storeName: store?.CustomKeyStoreName ?? storeName.current?.value.trim() ?? '', spec, keyName: name });
  };
  if (error) return <><div className="px-5 pt-2 pb-3"><InlineError error={errorOf(error)} consequence="No key was made." /></div><DialogFoot><Button tall onClick={onCancel}>Cancel</Button></DialogFoot></>;
  if (!data) return <div className="px-5 pt-2 pb-6"><ProgressRow label="Asking the token what it can do" /></div>;
  if (!spec) return <><p className="px-5 pt-2 pb-3 text-fg-2">Token <bdi>{token.Label}</bdi> makes no key pair that signs. It can be a key store for other keys: close this, and make one at the token.</p><DialogFoot><Button tall onClick={onCancel}>Close</Button></DialogFoot></>;
  return (
    <form className="flex min-h-0 flex-col" onSubmit={(event) => { event.preventDefault(); make(); }}>
      <div className="flex flex-col gap-4 overflow-y-auto px-5 pt-2 pb-3">
        {store ? <p className="text-fg-2">In key store <b className="font-medium text-fg"><bdi>{store.CustomKeyStoreName}</bdi></b>, which is this token already.</p> : <TextField ref={storeName} label="Name of the key store" required maxLength={256} defaultValue={token.Label} hint="What KMS calls the token: keys say that they are in it" />}
        <TextField ref={keyName} label="Name of the first key" required maxLength={250} defaultValue="first-hardware-key" error={problem} hint="Becomes its alias" />
        <SelectField label="Kind" value={spec} options={specs.map((name) => [name, specName(name)] as const)} onPick={setPicked} hint="What the token was found to sign with" />
        <p className="text-[12px]/4 text-fg-3">The key is made in the token and cannot be exported or backed up. Whoever loses the token loses the key.</p>
      </div>
      <DialogFoot><Button tall onClick={onCancel}>Cancel</Button><Button tall kind="primary" type="submit">Test the token, make the key, sign</Button></DialogFoot>
    </form>
  );
}

interface WorkProps {
  readonly wanted: SetupWanted;
  readonly before: SetupMade;
  readonly onMade: (made: SetupMade) => void;
  readonly onDone: (made: SetupMade) => void;
  readonly onBusy: (busy: boolean) => void;
  readonly onCancel: () => void;
}

function Work({ wanted: given, before, onMade, onDone, onBusy, onCancel }: WorkProps) {
  const queries = useQueryClient();
  const [at, setAt] = useState<SetupAct>();
  const [wanted, setWanted] = useState(given);
  const [failed, setFailed] = useState<{ readonly at: SetupAct; readonly error: CallError }>();
  const running = useRef(false);
  const run = async (): Promise<void> => {
    if (running.current) return;
    running.current = true;
    setFailed(undefined);
    onBusy(true);
    const end = await runSetup(wanted, before, setAt);
    running.current = false;
    onBusy(false);
    onMade(end.made);
    await Promise.all([refreshHardware(queries), refreshKeys(queries)]);
    if (end.ok) onDone(end.made);
    else setFailed(end);
  };
  const begun = useRef(false);
  const begin = (element: HTMLElement | null): void => {
    if (!element || begun.current) return;
    begun.current = true;
    void run();
  };
  const now = at === undefined ? -1 : SETUP_ACTS.indexOf(at);
  // Another name is what mends a name that is taken.
  const renames = failed && (failed.error.code === 'AlreadyExistsException' || failed.error.code === 'CustomKeyStoreNameInUseException');
  return (
    <div ref={begin}>
      <p role="status" className="sr-only">{at === undefined || failed ? '' : SETUP_WORDS[at]}</p>
      <ul className="flex flex-col gap-0.5 px-5 pt-2 pb-3" aria-label="Progress">
        {SETUP_ACTS.map((act, i) => {
          const state = failed && i === SETUP_ACTS.indexOf(failed.at) ? 'failed' : i < now ? 'done' : i === now && !failed ? 'doing' : 'waiting';
          return (
            <li key={act} className={`flex h-[30px] items-center gap-3 ${state === 'waiting' ? 'text-fg-3' : ''}`}>
              {state === 'done' ? <Check size={16} strokeWidth={1.8} className="text-ok" aria-hidden="true" /> : state === 'doing' ? <LoaderCircle size={16} strokeWidth={1.6} className="animate-spin text-brass motion-reduce:animate-none" aria-hidden="true" /> : state === 'failed' ? <CircleX size={16} strokeWidth={1.6} className="text-danger" aria-hidden="true" /> : <Circle size={16} strokeWidth={1.4} aria-hidden="true" />}
              <span className={state === 'doing' ? 'font-medium' : ''}>{SETUP_WORDS[act]}</span>
              <span className="sr-only">{state === 'done' ? 'done' : state === 'failed' ? 'failed' : state === 'doing' ? 'under way' : ''}</span>
            </li>
          );
        })}
      </ul>
      {failed && (
        <form onSubmit={(event) => { event.preventDefault(); void run(); }}>
          <div className="flex flex-col gap-3 px-5 pb-3">
            <InlineError error={failed.error} consequence="Nothing after this step was done." />
            {renames && failed.at === 'store' && <TextField label="Another name of the key store" required maxLength={256} value={wanted.storeName} onChange={(event) => { setWanted({ ...wanted, storeName: event.target.value }); }} />}
            {renames && failed.at === 'key' && <TextField label="Another name of the key" required maxLength={250} value={wanted.keyName} onChange={(event) => { setWanted({ ...wanted, keyName: event.target.value }); }} />}
          </div>
          <DialogFoot><Button tall onClick={onCancel}>Leave it there</Button><Button tall kind="primary" type="submit">Go on from here</Button></DialogFoot>
        </form>
      )}
    </div>
  );
}

function Done({ wanted, made, onClose }: { readonly wanted: SetupWanted; readonly made: SetupMade; readonly onClose: () => void }) {
  const navigate = useNavigate();
  const { signed, keyId } = made;
  if (!signed || keyId === undefined) return null;
  return (
    <>
      <div className="flex flex-col gap-4 overflow-y-auto px-5 pt-2 pb-3">
        <Verdict title={`${wanted.keyName} signed in the token, and the signature fits`} about={`${specName(wanted.spec)}, ${signed.algorithm}. The private half was made there and stays there.`} />
        <div><h3 className="mb-1.5 text-[12px]/4 font-medium text-fg-2">Message</h3><pre className="edge rounded-card bg-raised px-3 py-2 font-mono text-[12px]/[18px] whitespace-pre-wrap">{FIRST_MESSAGE.trimEnd()}</pre></div>
        <PublicResult label="Signature" bytes={signed.signature} file="signature.bin" />
        {setupCommands(`alias/${wanted.keyName}`, signed.algorithm).map((command, i) => (i === 0 ? <CommandLine key={command} command={command} /> : <CommandLine key={command} command={command} title={i === 1 ? 'Its public key' : 'Checked by another program'} />))}
      </div>
      <DialogFoot><Button tall onClick={onClose}>Close</Button><Button tall kind="primary" onClick={() => { onClose(); void navigate({ to: '/keys', search: { key: keyId } }); }}>Go to the key</Button></DialogFoot>
    </>
  );
}
