/** Programs that this vault may run. */
import { useQuery } from '@tanstack/react-query';
import type { Output } from '../../shared/api/index.ts';
import { client, outputOf } from '../client.ts';

export type Command = Output<'vault:ListCommands'>['Commands'][number];
export const COMMANDS = ['commands'] as const;
export const useCommands = (enabled = true) => useQuery({ queryKey: COMMANDS, enabled, queryFn: async () => outputOf(await client.vault.listCommands()).Commands });
