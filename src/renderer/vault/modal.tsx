/** The one modal of the frame. Each is loaded when it is first needed. */
import { lazy, Suspense, useCallback } from 'react';
import type { Shown } from './context.ts';
import { useVault } from './context.ts';

const Palette = lazy(async () => ({ default: (await import('../palette/palette.tsx')).Palette }));
const Shortcuts = lazy(async () => ({ default: (await import('../palette/shortcuts.tsx')).ShortcutSheet }));
const VaultsDialog = lazy(async () => ({ default: (await import('../vaults/vaults-dialog.tsx')).VaultsDialog }));
const CreateKey = lazy(async () => ({ default: (await import('../keys/create-key.tsx')).CreateKey }));
const UsePanel = lazy(async () => ({ default: (await import('../use/use-panel.tsx')).UsePanel }));
const DeleteKey = lazy(async () => ({ default: (await import('../keys/delete-key.tsx')).DeleteKey }));
const EditDescription = lazy(async () => ({ default: (await import('../keys/edit-key.tsx')).EditDescription }));
const AddAlias = lazy(async () => ({ default: (await import('../keys/edit-key.tsx')).AddAlias }));
const ImportMaterial = lazy(async () => ({ default: (await import('../keys/key-import.tsx')).ImportMaterial }));
const DeleteMaterial = lazy(async () => ({ default: (await import('../keys/delete-material.tsx')).DeleteMaterial }));
const AddTag = lazy(async () => ({ default: (await import('../keys/key-places.tsx')).AddTag }));
const Replicate = lazy(async () => ({ default: (await import('../keys/key-places.tsx')).Replicate }));
const KeyInRegion = lazy(async () => ({ default: (await import('../keys/key-region.tsx')).KeyInRegion }));
const SetUpHardware = lazy(async () => ({ default: (await import('../hardware/setup.tsx')).SetUpHardware }));
const ConnectStore = lazy(async () => ({ default: (await import('../hardware/connect-gate.tsx')).ConnectStore }));
const secrets = () => import('../secrets/edit-secret.tsx');
const CreateSecret = lazy(async () => ({ default: (await secrets()).CreateSecret }));
const ChangeSecret = lazy(async () => ({ default: (await secrets()).ChangeSecret }));
const DescribeSecret = lazy(async () => ({ default: (await secrets()).DescribeSecret }));
const DeleteSecret = lazy(async () => ({ default: (await secrets()).DeleteSecret }));
const AddSecretTag = lazy(async () => ({ default: (await import('../secrets/secret-tags.tsx')).AddSecretTag }));
const ImportSecrets = lazy(async () => ({ default: (await import('../secrets/import-secrets.tsx')).ImportSecrets }));
const SetUpRotation = lazy(async () => ({ default: (await import('../secrets/rotation-setup.tsx')).SetUpRotation }));

const AddReplica = lazy(async () => ({ default: (await import('../secrets/replica-dialogs.tsx')).AddReplica }));
const RemoveReplica = lazy(async () => ({ default: (await import('../secrets/replica-dialogs.tsx')).RemoveReplica }));

export function Modal({ shown }: { readonly shown: Shown }) {
  const { show } = useVault();
  const close = useCallback(() => { show(undefined); }, [show]);
  return <Suspense>{contentOf(shown, close, show)}</Suspense>;
}

function contentOf(shown: Shown, close: () => void, show: (what: Shown | undefined) => void) {
  switch (shown.kind) {
    case 'palette': return <Palette onClose={close} />;
    case 'shortcuts': return <Shortcuts onClose={close} />;
    case 'vaults': return <VaultsDialog onClose={close} />;
    case 'create': return <CreateKey onClose={close} />;
    case 'use': return <UsePanel keyId={shown.keyId} first={shown.action} onClose={close} />;
    case 'delete': return <DeleteKey keyId={shown.keyId} onClose={close} />;
    case 'description': return <EditDescription keyId={shown.keyId} onClose={close} />;
    case 'alias': return <AddAlias keyId={shown.keyId} onClose={close} />;
    case 'import': return <ImportMaterial keyId={shown.keyId} onClose={close} />;
    case 'delete-material': return <DeleteMaterial keyId={shown.keyId} materialId={shown.materialId} onClose={close} />;
    case 'tag': return <AddTag keyId={shown.keyId} before={shown.before} onClose={close} />;
    case 'replicate': return <Replicate keyId={shown.keyId} onClose={close} />;
    case 'region': return <KeyInRegion keyId={shown.keyId} region={shown.region} onClose={close} />;
    case 'set-up-hardware': return <SetUpHardware onClose={close} />;
    case 'connect-store': return <ConnectStore storeId={shown.storeId} onConnected={() => { show(shown.then); }} onClose={close} />;
    case 'create-secret': return <CreateSecret onClose={close} />;
    case 'import-secrets': return <ImportSecrets first={shown.first} onClose={close} />;
    case 'change-secret': return <ChangeSecret name={shown.name} onClose={close} />;
    case 'describe-secret': return <DescribeSecret name={shown.name} onClose={close} />;
    case 'tag-secret': return <AddSecretTag name={shown.name} before={shown.before} onClose={close} />;
    case 'set-up-rotation': return <SetUpRotation name={shown.name} onClose={close} />;
    case 'add-replica': return <AddReplica name={shown.name} onClose={close} />;
    case 'remove-replica': return <RemoveReplica name={shown.name} region={shown.region} onClose={close} />;
    case 'delete-secret': return <DeleteSecret name={shown.name} onClose={close} />;
  }
}
