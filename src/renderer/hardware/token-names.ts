/** What a token is called on the screen, and how one is told from another. Pure. */
import type { Token } from './data.ts';

type Named = Pick<Token, 'Serial' | 'Label'>;

/** In a list or a map. */
export const keyOf = ({ Serial, Label }: Named): string => `${Serial}\n${Label}`;
/** The same, of a slot whose token has no name yet. */
export const slotKeyOf = ({ Initialized, Slot, ...named }: Named & Pick<Token, 'Initialized' | 'Slot'>): string => (Initialized ? keyOf(named) : Slot);
export const nameOf = ({ Label, Serial }: Named): string => (Label === '' ? Serial : Label);
/** Where one is chosen among several. */
export const longNameOf = ({ Label, Serial }: Named): string => `${Label === '' ? 'No label' : Label}, serial number ${Serial}`;
