export function Kbd({ children, on = 'plain' }: { readonly children: string; readonly on?: 'plain' | 'ink' }) {
  const tone = on === 'ink' ? 'shadow-[inset_0_0_0_1px_color-mix(in_oklab,var(--on-ink)_45%,transparent)] text-on-ink' : 'edge-2 text-fg-3';
  return <kbd aria-hidden="true" className={`inline-grid h-[18px] min-w-[18px] place-items-center rounded-[4px] px-1 font-sans text-[11px]/4 font-medium ${tone}`}>{children}</kbd>;
}
