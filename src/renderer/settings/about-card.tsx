/** Which vault this is and where, which program, and whose work is in it. */
import { useState } from 'react';
import type { Output } from '../../shared/api/index.ts';
import { day } from '../format.ts';
import { Button } from '../parts/button.tsx';
import { CopyButton } from '../parts/copy-button.tsx';
import { useVault } from '../vault/context.ts';
import { useWindow } from '../window-state.ts';
import { Licences } from './licences.tsx';
import { Setting, SettingsCard } from './parts.tsx';

const HOSTS = { electron: 'Electron', chromium: 'Installed Chromium' } as const;

export function AboutCard({ vault }: { readonly vault: Output<'vault:DescribeSettings'> }) {
  const { status } = useVault();
  const { Host } = useWindow();
  const [licences, setLicences] = useState(false);
  const copied = [['Folder', status.Folder], ['Vault ID', vault.VaultId], ['Account', vault.Account], ['Region', vault.Region]] as const;
  return (
    <>
      <SettingsCard title="This vault">
        {copied.map(([name, value]) => (
          <Setting key={name} name={name}><span className="flex min-w-0 items-center gap-1"><code className="min-w-0 font-mono text-[12px] break-all text-fg-2">{value}</code><CopyButton text={value} what={name.toLowerCase()} /></span></Setting>
        ))}
        <Setting name="Made"><span className="text-fg-2">{day(vault.CreationDate * 1000)}</span></Setting>
      </SettingsCard>
      <SettingsCard title="About">
        <Setting name="Keystead" about="Apache License 2.0"><span className="text-fg-2">{status.Version}</span></Setting>
        <Setting name="Window"><span className="text-fg-2 tabular-nums">{HOSTS[Host]}, process {status.ProcessId}</span></Setting>
        <Setting name="Third-party licences" about="The work of others that is in it"><Button onClick={() => { setLicences(true); }}>Show</Button></Setting>
      </SettingsCard>
      {licences && <Licences onClose={() => { setLicences(false); }} />}
    </>
  );
}
