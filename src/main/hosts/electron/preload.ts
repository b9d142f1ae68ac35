/**
 * The preload: sandboxed, in a world of its own, bundled into one CommonJS file. It gives the page the bridge and nothing else, and main the
 * page's JSON as bytes.
 */
import { contextBridge, ipcRenderer } from 'electron';
import { createBridge } from '../bridge.ts';
import { NO_NETWORK } from '../no-network.ts';
import { CHANNEL } from './api.ts';

const { bridge, receive } = createBridge((text) => ipcRenderer.send(CHANNEL, new TextEncoder().encode(text)));
ipcRenderer.on(CHANNEL, (_event, data: unknown) => {
  if (data instanceof Uint8Array) receive(new TextDecoder().decode(data));
});
contextBridge.executeInMainWorld({
  func: (names: readonly string[]) => {
    for (const name of names) Reflect.deleteProperty(globalThis, name);
  },
  args: [NO_NETWORK],
});
contextBridge.exposeInMainWorld('keystead', { invoke: bridge.invoke, on: bridge.on });
