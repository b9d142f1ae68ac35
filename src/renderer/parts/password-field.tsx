/**
 * A password. Uncontrolled: what is typed lives in the input element alone, and whoever submits takes it out as `SecretBytes`, which
 * empties the element. Pasting works. Caps Lock is said below.
 */
import { ArrowBigUp, Eye, EyeOff } from 'lucide-react';
import { useId, useImperativeHandle, useRef, useState, type KeyboardEvent, type ReactNode, type Ref } from 'react';
import { SecretBytes } from '../../shared/model/secret-bytes.ts';
import { FIELD } from './field.tsx';

export interface PasswordHandle {
  /** The bytes in UTF-8; the field is empty afterwards. Undefined when nothing was typed. */
  take(): SecretBytes | undefined;
  focus(): void;
  same(other: PasswordHandle): boolean;
  /** For comparing only; not to be kept. */
  read(): string;
}

interface PasswordFieldProps {
  readonly label: string;
  readonly ref: Ref<PasswordHandle>;
  readonly error?: string | undefined;
  readonly hint?: ReactNode;
  readonly disabled?: boolean;
  readonly autoFocus?: boolean;
  readonly autoComplete?: 'current-password' | 'new-password' | 'off';
  readonly tall?: boolean;
  /** Beside the eye: the button of the act. */
  readonly action?: ReactNode;
  readonly placeholder?: string;
  /** Told on every keystroke; must not keep the text. */
  readonly onType?: (text: string) => void;
}

export function PasswordField({ label, ref, error, hint, disabled = false, autoFocus = false, autoComplete = 'current-password', tall = false, action, placeholder, onType }: PasswordFieldProps) {
  const input = useRef<HTMLInputElement>(null);
  const id = useId();
  const [shown, setShown] = useState(false);
  const [caps, setCaps] = useState(false);
  useImperativeHandle(ref, () => ({
    take: () => {
      const element = input.current;
      if (!element || element.value === '') return undefined;
      const secret = SecretBytes.take(new TextEncoder().encode(element.value));
      element.value = '';
      setShown(false);
      onType?.('');
      return secret;
    },
    focus: () => { input.current?.focus(); },
    same: (other) => input.current?.value === other.read(),
    read: () => input.current?.value ?? '',
  }), [onType]);
  const watchCaps = (event: KeyboardEvent): void => { setCaps(event.getModifierState('CapsLock')); };
  const Icon = shown ? EyeOff : Eye;
  return (
    <div>
      <label htmlFor={id} className="mb-1.5 block text-[12px]/4 font-medium text-fg-2">{label}</label>
      <div className={`${FIELD} flex items-center gap-1 pr-1 has-[input:focus-visible]:outline-2 has-[input:focus-visible]:outline-offset-1 has-[input:focus-visible]:outline-brass ${tall ? 'h-[42px]' : ''}`}>
        <input
          ref={input}
          id={id}
          type={shown ? 'text' : 'password'}
          disabled={disabled}
          autoFocus={autoFocus}
          autoComplete={autoComplete}
          autoCapitalize="off"
          spellCheck={false}
          maxLength={512}
          placeholder={placeholder}
          aria-invalid={error !== undefined}
          aria-describedby={`${id}-below`}
          onKeyDown={watchCaps}
          onKeyUp={watchCaps}
          onBlur={() => { setCaps(false); }}
          onInput={(event) => { onType?.(event.currentTarget.value); }}
          className="h-full min-w-0 flex-1 bg-transparent font-secret tracking-wide outline-none focus-visible:outline-none"
        />
        <button type="button" disabled={disabled} aria-label={shown ? `Hide ${label.toLowerCase()}` : `Show ${label.toLowerCase()}`} aria-pressed={shown} onClick={() => { setShown(!shown); }} className="hover-tint grid size-7 place-items-center rounded-[6px] text-fg-3 hover:text-fg">
          <Icon size={15} strokeWidth={1.6} />
        </button>
        {action}
      </div>
      <div id={`${id}-below`} className="text-[12px]/4">
        {error !== undefined && <p role="alert" className="mt-2 text-danger">{error}</p>}
        {caps && <p className="mt-2 flex items-center gap-1.5 text-warn"><ArrowBigUp size={14} strokeWidth={1.6} />Caps Lock is on</p>}
        {hint !== undefined && error === undefined && <div className="mt-2 text-fg-3">{hint}</div>}
      </div>
    </div>
  );
}
