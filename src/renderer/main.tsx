/**
 * The window's page. It shows what the vault's process answers and asks for what a person does; it decides nothing and keeps nothing.
 * Locking unmounts everything below the gate and empties the cache. It holds a value only while it is revealed.
 */
import './no-eval.ts';
import '@fontsource-variable/geist/wght.css';
import '@fontsource-variable/geist-mono/wght.css';
import '@fontsource-variable/jetbrains-mono/wght.css';
import './styles.css';
import { QueryClient, QueryClientProvider } from '@tanstack/react-query';
import { createRoot } from 'react-dom/client';
import { App } from './app.tsx';
import { startAttending } from './attended.ts';
import { listenToVault } from './client.ts';
import { startTheme } from './theme.ts';
import { loadWindow } from './window-state.ts';

/** A vault that does not answer is said on the screen, and not by there being none. */
const PATIENCE_MS = 300;

startTheme();
startAttending();
listenToVault();
await Promise.race([loadWindow(), new Promise((resolve) => { setTimeout(resolve, PATIENCE_MS); })]);

const queries = new QueryClient({
  // Everything is local: the vault says what changed, and the network's state means nothing here.
  defaultOptions: { queries: { retry: false, staleTime: Number.POSITIVE_INFINITY, refetchOnWindowFocus: false, networkMode: 'always' } },
});
const root = document.querySelector('#root');
if (root) {
  createRoot(root).render(
    <QueryClientProvider client={queries}>
      <App />
    </QueryClientProvider>,
  );
}
