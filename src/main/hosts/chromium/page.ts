/**
 * The first script of every document in the Chromium host, bundled into one classic script. The browser puts a raw function into the
 * page under a name that main chose; it is taken and deleted here, before any script of the page. Frames other than the main one get
 * no bridge. Main takes the receiving end from the same name, and then lets the page's scripts go.
 */
import { createBridge } from '../bridge.ts';
import { NO_NETWORK } from '../no-network.ts';

/** The same in `host.ts`. */
const RAW = '__keystead';

interface Page {
  top: unknown;
  name: string;
  keystead?: unknown;
  [RAW]?: unknown;
}

const page = globalThis as unknown as Page;
const post = page[RAW];
Reflect.deleteProperty(page, RAW);
// In every frame, so that none can lend them to another.
for (const name of NO_NETWORK) Reflect.deleteProperty(page, name);
if (typeof post === 'function' && page.top === globalThis) {
  // A window keeps its name from one document to the next, past a lock.
  page.name = '';
  const { bridge, receive } = createBridge(post as (text: string) => void);
  Object.defineProperty(page, 'keystead', { value: bridge, writable: false, configurable: false, enumerable: true });
  Object.defineProperty(page, RAW, { value: receive, writable: false, configurable: true, enumerable: false });
}
