/** What the settings are made of: cards of rows, a name to the left and its control to the right. */
import type { ReactNode } from 'react';

export const SettingsCard = ({ title, children }: { readonly title: string; readonly children: ReactNode }) => (
  <section aria-label={title} className="mt-7 first:mt-0">
    <h2 className="mb-2 text-[12.5px]/[18px] font-semibold">{title}</h2>
    <div className="edge divide-y divide-line rounded-card bg-raised [[data-theme=light]_&]:bg-pane">{children}</div>
  </section>
);

export const Setting = ({ name, about, children }: { readonly name: string; readonly about?: string; readonly children: ReactNode }) => (
  <div className="flex min-h-[52px] flex-wrap items-center gap-x-4 gap-y-2 px-4 py-2">
    <div className="min-w-[180px] flex-1"><p className="font-medium">{name}</p>{about !== undefined && <p className="text-[12px]/4 text-fg-2">{about}</p>}</div>
    {children}
  </div>
);

export function Toggle({ label, on, onChange }: { readonly label: string; readonly on: boolean; readonly onChange: (on: boolean) => void }) {
  return (
    <button type="button" role="switch" aria-checked={on} aria-label={label} onClick={() => { onChange(!on); }} className="edge-field relative h-6 w-10 rounded-full bg-raised transition-colors duration-[120ms] aria-checked:bg-ink aria-checked:shadow-none">
      <i aria-hidden="true" className={`absolute top-[4px] size-4 rounded-full transition-transform duration-[120ms] ${on ? 'left-[20px] bg-on-ink' : 'left-[4px] bg-control'}`} />
    </button>
  );
}
