/** An open vault: its routes, which modal is shown, and what the vault's events refresh. */
import { useQueryClient } from '@tanstack/react-query';
import { createMemoryHistory, createRootRoute, createRoute, createRouter, RouterProvider } from '@tanstack/react-router';
import { lazy, Suspense, useEffect, useMemo, useState } from 'react';
import type { Output } from '../../shared/api/index.ts';
import { refreshAccess } from '../access/data.ts';
import { client, onEvent } from '../client.ts';
import { tailOf } from '../format.ts';
import { coalesced } from '../coalesce.ts';
import { refreshTokens } from '../hardware/data.ts';
import { refreshKeys } from '../keys/data.ts';
import { KeysScreen } from '../keys/keys-screen.tsx';
import { refreshSecrets } from '../secrets/data.ts';
import { ToastHost } from '../parts/toast.tsx';
import { VaultContext, type Shown, type VaultFrame } from './context.ts';
import { AppFrame } from './frame.tsx';

export { firstKeys } from '../keys/data.ts';

const SecretsScreen = lazy(async () => ({ default: (await import('../secrets/secrets-screen.tsx')).SecretsScreen }));
const HardwareScreen = lazy(async () => ({ default: (await import('../hardware/hardware-screen.tsx')).HardwareScreen }));
const AccessScreen = lazy(async () => ({ default: (await import('../access/access-screen.tsx')).AccessScreen }));
const TrailScreen = lazy(async () => ({ default: (await import('../trail/trail-screen.tsx')).TrailScreen }));
const SettingsScreen = lazy(async () => ({ default: (await import('../settings/settings-screen.tsx')).SettingsScreen }));

const root = createRootRoute({ component: AppFrame });
const text = (value: unknown): string | undefined => (typeof value === 'string' && value !== '' ? value : undefined);
const routes = [
  createRoute({ getParentRoute: () => root, path: '/keys', component: KeysScreen, validateSearch: (search): { readonly key?: string } => {
    const key = text(search['key']);
    return key === undefined ? {} : { key };
  } }),
  createRoute({ getParentRoute: () => root, path: '/secrets', component: () => <Suspense><SecretsScreen /></Suspense>, validateSearch: (search): { readonly secret?: string } => {
    const secret = text(search['secret']);
    return secret === undefined ? {} : { secret };
  } }),
  createRoute({ getParentRoute: () => root, path: '/trail', component: () => <Suspense><TrailScreen /></Suspense>, validateSearch: (search): { readonly find?: string } => {
    const find = text(search['find']);
    return find === undefined ? {} : { find };
  } }),
  createRoute({ getParentRoute: () => root, path: '/hardware', component: () => <Suspense><HardwareScreen /></Suspense> }),
  createRoute({ getParentRoute: () => root, path: '/access', component: () => <Suspense><AccessScreen /></Suspense> }),
  createRoute({ getParentRoute: () => root, path: '/settings', component: () => <Suspense><SettingsScreen /></Suspense> }),
] as const;
// In memory: no name of a key or a secret is ever part of an address.
const newRouter = () => createRouter({ routeTree: root.addChildren(routes), history: createMemoryHistory({ initialEntries: ['/keys'] }) });

/** Its first route is matched while the person types the password; one router for each time that the vault is open. */
const prepared = (): ReturnType<typeof newRouter> => {
  const router = newRouter();
  void router.load();
  return router;
};
let early: ReturnType<typeof newRouter> | undefined = prepared();
const takeRouter = (): ReturnType<typeof newRouter> => {
  const router = early ?? newRouter();
  early = undefined;
  return router;
};

declare module '@tanstack/react-router' {
  interface Register {
    router: ReturnType<typeof newRouter>;
  }
}

/** An event that names nothing. */
const ANY = '';
/** Milliseconds between two readings of a list that keeps changing. */
const REST_MS = 400;

export function VaultApp({ status }: { readonly status: Output<'vault:Status'> }) {
  const queries = useQueryClient();
  const [router] = useState(takeRouter);
  const [shown, setShown] = useState<Shown>();
  useEffect(() => {
    const keys = coalesced<string>((ids) => refreshKeys(queries, ids.has(ANY) ? undefined : ids), REST_MS);
    const secrets = coalesced<string>(() => refreshSecrets(queries), REST_MS);
    const hardware = coalesced<string>(() => refreshTokens(queries), REST_MS);
    return onEvent(({ event, id }) => {
      // A key store or a token changed: such an event names no key.
      if ((event === 'key.changed' && id === undefined) || event === 'settings.changed') hardware(ANY);
      if (event === 'key.changed') keys(id === undefined ? ANY : tailOf(id));
      else if (event === 'alias.changed') keys(ANY);
      else if (event === 'door.changed' || event === 'client.changed') void refreshAccess(queries);
      else if (event === 'secret.changed') secrets(ANY);
    });
  }, [queries]);
  const frame = useMemo<VaultFrame>(
    () => ({ status, readOnly: status.State === 'readOnly', shown, show: setShown, lock: () => { void client.vault.lock(); } }),
    [status, shown],
  );
  return (
    <VaultContext value={frame}>
      <ToastHost>
        <RouterProvider router={router} />
      </ToastHost>
    </VaultContext>
  );
}
