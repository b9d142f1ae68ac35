/** What the screen of AWS access asks the vault. */
import { useQuery, type QueryClient } from '@tanstack/react-query';
import type { Output } from '../../shared/api/index.ts';
import { client, outputOf } from '../client.ts';

export type Door = Output<'access:DescribeAwsDoor'>;
export type AwsClient = Output<'access:ListClients'>['Clients'][number];
export type AwsRequest = Output<'access:ListAwsRequests'>['Requests'][number];

const ACCESS = ['access'] as const;
/** How often the requests are looked at while the screen is there. */
const WATCH_MS = 2000;

export const useDoor = () => useQuery({ queryKey: [...ACCESS, 'door'], queryFn: async () => outputOf(await client.access.describeAwsDoor()) });
/** When each was used last changes as requests come in. */
export const useClients = (open: boolean) =>
  useQuery({ queryKey: [...ACCESS, 'clients'], queryFn: async () => outputOf(await client.access.listClients()).Clients, ...(open ? { refetchInterval: WATCH_MS } : {}) });
export const useRequests = (open: boolean) =>
  useQuery({ queryKey: [...ACCESS, 'requests'], queryFn: async () => outputOf(await client.access.listAwsRequests({ Limit: 50 })).Requests, ...(open ? { refetchInterval: WATCH_MS } : {}) });

export const refreshAccess = (queries: QueryClient): Promise<void> => queries.invalidateQueries({ queryKey: ACCESS });
