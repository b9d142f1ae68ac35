/** Dark, light, or as the system has it. */
import { onWindow, windowState } from './window-state.ts';

const dark = window.matchMedia('(prefers-color-scheme: dark)');

function apply(): void {
  const { Theme } = windowState();
  document.documentElement.dataset['theme'] = Theme === 'system' ? (dark.matches ? 'dark' : 'light') : Theme;
}

export function startTheme(): void {
  apply();
  dark.addEventListener('change', apply);
  onWindow(apply);
}
