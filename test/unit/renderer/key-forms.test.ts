// @vitest-environment happy-dom
/** A key as it is made, changed and used in the window: what is sent, what is refused before, and who has the keyboard afterwards. */
import { createPublicKey, generateKeyPairSync } from 'node:crypto';
import { QueryClient, QueryClientProvider } from '@tanstack/react-query';
import { createMemoryHistory, createRootRoute, createRouter, RouterProvider } from '@tanstack/react-router';
import { act, cleanup, fireEvent, render, type RenderResult } from '@testing-library/react';
import { createElement, type ReactNode } from 'react';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { KeyMetadata } from '../../../src/shared/api/kms-keys.ts';
import { CreateClient } from '../../../src/renderer/access/client-dialogs.tsx';
import { CreateKey } from '../../../src/renderer/keys/create-key.tsx';
import { DeleteMaterial } from '../../../src/renderer/keys/delete-material.tsx';
import { Tags } from '../../../src/renderer/keys/key-places.tsx';
import { KeyRotation } from '../../../src/renderer/keys/key-rotation.tsx';
import { rowsOf } from '../../../src/renderer/keys/rows.ts';
import { ToastHost } from '../../../src/renderer/parts/toast.tsx';
import { UsePanel } from '../../../src/renderer/use/use-panel.tsx';
import { VaultContext, type VaultFrame } from '../../../src/renderer/vault/context.ts';
import { loadWindow } from '../../../src/renderer/window-state.ts';

const ID = '00000000-0000-4000-8000-000000000001';
const ARN = `arn:aws:kms:us-east-1:111122223333:key/${ID}`;
const AES = { KeyId: ID, Arn: ARN, KeySpec: 'SYMMETRIC_DEFAULT', KeyUsage: 'ENCRYPT_DECRYPT', KeyState: 'Enabled', KeyManager: 'CUSTOMER', Origin: 'AWS_KMS', Description: '', CreationDate: 0 } as KeyMetadata;
const MATERIAL = 'ab'.repeat(32);
const [ROW] = rowsOf([{ KeyId: ID, KeyArn: ARN }], []);
const row = ROW!;

const asked: { readonly operation: string; readonly input: Readonly<Record<string, unknown>> }[] = [];
const sent = (operation: string) => asked.filter((one) => one.operation === operation).map(({ input }) => input);
let outputs: Record<string, object> = {};
const shows = vi.fn<VaultFrame['show']>();
const turn = (): Promise<void> => act(async () => { await new Promise((done) => { setTimeout(done, 0); }); });
const click = async (view: RenderResult, name: string): Promise<void> => {
  const button = view.getByRole('button', { name, hidden: true });
  button.focus();
  act(() => { fireEvent.click(button); });
  await turn();
  await turn();
};

beforeEach(() => {
  asked.length = 0;
  shows.mockClear();
  outputs = {
    'kms:ListKeys': { Keys: [{ KeyId: ID, KeyArn: ARN }] },
    'kms:ListAliases': { Aliases: [{ AliasName: 'alias/shop', TargetKeyId: ID }] },
    'kms:DescribeKey': { KeyMetadata: AES },
    'kms:DescribeCustomKeyStores': { CustomKeyStores: [] },
    'kms:GetKeyRotationStatus': { KeyId: ID, KeyRotationEnabled: false },
    'kms:ListKeyRotations': { Rotations: [] },
  };
  vi.stubGlobal('keystead', {
    invoke(operation: string, input: Readonly<Record<string, unknown>>) {
      asked.push({ operation, input });
      return Promise.resolve({ ok: true, requestId: 'r', output: outputs[operation] ?? {} });
    },
  });
});
afterEach(() => {
  cleanup();
  vi.unstubAllGlobals();
});

async function shown(content: ReactNode): Promise<RenderResult> {
  const queries = new QueryClient({ defaultOptions: { queries: { retry: false, networkMode: 'always' } } });
  const frame = { status: {}, readOnly: false, shown: undefined, show: shows, lock: () => undefined } as unknown as VaultFrame;
  const page = createElement('section', { 'data-pane': 'detail', tabIndex: -1 }, content);
  const router = createRouter({ routeTree: createRootRoute({ component: () => createElement(VaultContext, { value: frame }, createElement(ToastHost, { children: page })) }), history: createMemoryHistory() });
  const view = render(createElement(QueryClientProvider, { client: queries }, createElement(RouterProvider, { router: router as never })));
  for (let i = 0; i < 4; i++) await turn();
  return view;
}
const hasKeyboard = (): string | null | undefined => document.activeElement?.getAttribute('data-pane');

it('makes no key for a name that another key has', async () => {
  const view = await shown(createElement(CreateKey, { onClose: () => undefined }));
  const name = view.getByLabelText('Name');
  act(() => { fireEvent.input(name, { target: { value: 'shop' } }); });
  act(() => { fireEvent.submit(view.container.querySelector('form')!); });
  await turn();
  expect(view.getByRole('alert', { hidden: true }).textContent).toContain('alias/shop names another key already');
  expect(sent('kms:CreateKey')).toEqual([]);
  expect(document.activeElement).toBe(name);
});

describe('in a key store that spans two tokens', () => {
  const member = (Label: string, Health: string) => ({ CloudHsmClusterId: `cluster-${Label}`, Serial: Label, Label, Health });
  const offer = (KeySpec: string) => ({ KeySpec, KeyUsage: 'SIGN_VERIFY' });
  /** The new key's dialog, with the key store chosen. */
  async function chosen(members: readonly object[]): Promise<RenderResult> {
    Object.assign(outputs, {
      'kms:DescribeCustomKeyStores': { CustomKeyStores: [{ CustomKeyStoreId: 'cks-1', CustomKeyStoreName: 'pair', CloudHsmClusterId: 'cluster-left', ConnectionState: 'CONNECTED' }] },
      'hardware:ListTokens': { Tokens: [], Failures: [] },
      'hardware:ListModules': { Modules: [], Registered: [] },
      'hardware:DescribeCluster': { State: 'open', KeySpecs: ['ECC_NIST_P256'], Members: members },
      'hardware:ListMechanisms': { Mechanisms: [], Offers: [offer('ECC_NIST_P256'), offer('ECC_NIST_EDWARDS25519')] },
    });
    const view = await shown(createElement(CreateKey, { onClose: () => undefined }));
    for (const name of [/^Sign and verify/, /^In hardware: pair/]) {
      act(() => { fireEvent.click(view.getByRole('radio', { name, hidden: true })); });
      for (let i = 0; i < 4; i++) await turn();
    }
    return view;
  }

  it('offers what the token makes and what was seen to travel, and says where it will be', async () => {
    const view = await chosen([member('left', 'connected'), member('right', 'connected')]);
    expect(Array.from(view.getByLabelText('Kind').querySelectorAll('option'), ({ value }) => value)).toEqual(['ECC_NIST_P256']);
    expect(view.container.textContent).toContain('Tokens left and right; cannot be exported');
    expect(view.container.textContent).toContain('copied to the others');
    expect(view.container.textContent).not.toContain('Whoever loses the token');
  });

  it('asks a token that answers where the first one is away', async () => {
    const view = await chosen([member('left', 'failing'), member('right', 'connected')]);
    expect(sent('hardware:ListMechanisms')).toEqual([{ Serial: 'right', Label: 'right' }]);
    expect(view.getByLabelText('Kind')).toBeTruthy();
  });
});

it('destroys the imported material that was named, and says that only the same brings it back', async () => {
  const view = await shown(createElement(DeleteMaterial, { keyId: ID, materialId: MATERIAL, onClose: () => undefined }));
  expect(view.container.textContent).toContain('until the same material is imported again');
  expect(sent('kms:DeleteImportedKeyMaterial')).toEqual([]);
  await click(view, 'Delete the key material');
  expect(sent('kms:DeleteImportedKeyMaterial')).toEqual([{ KeyId: ID, KeyMaterialId: MATERIAL }]);
});

describe('rotation', () => {
  const rotation = (value: Partial<KeyMetadata> = {}) => createElement(KeyRotation, { row, value: { ...AES, ...value }, at: 0 });

  it('is turned on and off with the keyboard left on the page', async () => {
    const view = await shown(rotation());
    outputs['kms:GetKeyRotationStatus'] = { KeyId: ID, KeyRotationEnabled: true, RotationPeriodInDays: 365 };
    await click(view, 'Turn on automatic rotation');
    expect(sent('kms:EnableKeyRotation')).toEqual([{ KeyId: ID, RotationPeriodInDays: 365 }]);
    expect(view.getByText('Turn off automatic rotation')).toBeTruthy();
    expect(hasKeyboard()).toBe('detail');
  });

  it('comes more or less often without being turned off in between', async () => {
    outputs['kms:GetKeyRotationStatus'] = { KeyId: ID, KeyRotationEnabled: true, RotationPeriodInDays: 120 };
    const view = await shown(rotation());
    expect(view.getByLabelText('How often')).toHaveProperty('value', '120');
    expect(view.queryByText('Change how often')).toBeNull();
    act(() => { fireEvent.change(view.getByLabelText('How often'), { target: { value: '90' } }); });
    await click(view, 'Change how often');
    expect(sent('kms:EnableKeyRotation')).toEqual([{ KeyId: ID, RotationPeriodInDays: 90 }]);
    expect(sent('kms:DisableKeyRotation')).toEqual([]);
  });

  it('offers to delete each imported material that is here, and says when it goes', async () => {
    const entry = { KeyId: ARN, KeyMaterialState: 'CURRENT', KeyMaterialId: MATERIAL };
    outputs['kms:ListKeyRotations'] = { Rotations: [{ ...entry, KeyMaterialId: 'cd'.repeat(32), KeyMaterialState: 'NON_CURRENT', ImportState: 'PENDING_IMPORT' }, { ...entry, ImportState: 'IMPORTED', ValidTo: 4_000_000_000 }] };
    const view = await shown(rotation({ Origin: 'EXTERNAL' }));
    expect(view.container.textContent).toContain('expires on');
    expect(view.getAllByText('Delete…')).toHaveLength(1);
    await click(view, `Delete key material ${MATERIAL.slice(0, 8)}`);
    expect(shows).toHaveBeenCalledWith({ kind: 'delete-material', keyId: ID, materialId: MATERIAL });
  });
});

it('leaves the keyboard on the page when a tag is removed', async () => {
  outputs['kms:ListResourceTags'] = { Tags: [{ TagKey: 'team', TagValue: 'orders' }] };
  const view = await shown(createElement(Tags, { row, changeable: true }));
  outputs['kms:ListResourceTags'] = { Tags: [] };
  await click(view, 'Remove the tag team');
  expect(view.getByText('None')).toBeTruthy();
  expect(hasKeyboard()).toBe('detail');
});

it.each(['Base64', 'Text'])('takes the other side’s public key as PEM, with %s chosen', async (encoding) => {
  const pem = generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey.export({ type: 'spki', format: 'pem' }).toString();
  outputs['kms:DescribeKey'] = { KeyMetadata: { ...AES, KeySpec: 'ECC_NIST_P256', KeyUsage: 'KEY_AGREEMENT' } };
  const view = await shown(createElement(UsePanel, { keyId: ID, first: 'shared-secret', onClose: () => undefined }));
  act(() => { fireEvent.click(view.getByLabelText(encoding)); });
  act(() => { fireEvent.input(view.getByLabelText('Public key of the other side'), { target: { value: pem } }); });
  act(() => { fireEvent.submit(view.container.querySelector('form')!); });
  await turn();
  const der = createPublicKey(pem).export({ type: 'spki', format: 'der' }).toString('base64');
  expect(sent('kms:DeriveSharedSecret')).toMatchObject([{ PublicKey: der }]);
});

it.each([['AWS_KMS', ['ED25519_SHA_512', 'ED25519_PH_SHA_512']], ['AWS_CLOUDHSM', []]] as const)('offers an Ed25519 key of origin %s the algorithms that it signs with, and no choice of one', async (Origin, algorithms) => {
  outputs['kms:DescribeKey'] = { KeyMetadata: { ...AES, Origin, KeySpec: 'ECC_NIST_EDWARDS25519', KeyUsage: 'SIGN_VERIFY' } };
  const view = await shown(createElement(UsePanel, { keyId: ID, first: 'sign', onClose: () => undefined }));
  expect(Array.from(view.container.querySelectorAll('option'), ({ value }) => value)).toEqual(algorithms);
});

it('copies all that a shell has to know past the page: the new access key, and where it goes', async () => {
  outputs['window:DescribeSettings'] = { Host: 'chromium', Copies: true, Picks: false, Notifies: false, Theme: 'dark', SingleLetterKeys: true, ClipboardSeconds: 30, Notifications: true };
  outputs['access:DescribeAwsDoor'] = { Endpoint: 'https://127.0.0.1:5998', Region: 'eu-west-1', Tls: true, CertificateAuthorityFile: '/v/aws-ca.pem', State: 'open' };
  outputs['access:CreateClient'] = { Name: 'shop', Arn: 'arn:aws:iam::111122223333:user/shop', AccessKeyId: 'AKIAIOSFODNN7EXAMPLE', SecretAccessKey: Buffer.from('wJalr/XUt+FEMI').toString('base64') };
  outputs['window:CopyValue'] = { Encoding: 'text', Size: 1 };
  await loadWindow();
  const view = await shown(createElement(CreateClient, { onClose: () => undefined }));
  act(() => { fireEvent.input(view.getByLabelText('Name'), { target: { value: 'shop' } }); });
  act(() => { fireEvent.submit(view.container.querySelector('form')!); });
  await turn();
  await turn();
  await click(view, 'Copy all for a shell');
  const [input] = sent('window:CopyValue');
  expect(Buffer.from(input?.['Value'] as string, 'base64').toString().split('\n')).toEqual([
    "export AWS_ACCESS_KEY_ID='AKIAIOSFODNN7EXAMPLE'",
    "export AWS_SECRET_ACCESS_KEY='wJalr/XUt+FEMI'",
    "export AWS_ENDPOINT_URL_KMS='https://127.0.0.1:5998'",
    "export AWS_ENDPOINT_URL_SECRETS_MANAGER='https://127.0.0.1:5998'",
    "export AWS_REGION='eu-west-1'",
    "export AWS_DEFAULT_REGION='eu-west-1'",
    "export AWS_CA_BUNDLE='/v/aws-ca.pem'",
    "export NODE_EXTRA_CA_CERTS='/v/aws-ca.pem'",
    '',
  ]);
  expect(document.documentElement.outerHTML).not.toContain('wJalr/XUt+FEMI');
});
