/**
 * A disk in memory that fills up, fails at the n-th call, and loses power: after `powerCut` every file holds what was synced, and
 * of each later write any part, as a real disk may; names exist as far as their folder was synced.
 */
import type { TrailDisk, TrailFile } from '../../../src/main/trail/disk.ts';

interface Node {
  data: Buffer;
  synced: Buffer;
  links: number;
  /** Its name now: a file keeps its handle when it is renamed. */
  path: string;
}

export interface Fault {
  readonly code: 'ENOSPC' | 'EIO';
  /** Only calls of these kinds count. */
  readonly at: (call: string, path: string) => boolean;
  /** How many of them pass first. */
  skip: number;
  /** How many fail then. */
  times: number;
}

export interface MemoryDisk extends TrailDisk {
  readonly calls: string[];
  faults: Fault[];
  /** Bytes that all files may hold together. */
  capacity: number;
  /** Runs after every call that changes something: for invariants. */
  onChange: (call: string, path: string) => void;
  content(path: string): Buffer;
  syncedContent(path: string): Buffer;
  put(path: string, bytes: Uint8Array): void;
  /** `keep`: which part (0 to 1) of what was not synced survives. Open files are dead afterwards. */
  powerCut(keep: () => number): void;
  /** kill -9: everything written stays, open files are dead. */
  kill(): void;
}

const errno = (code: string): Error => Object.assign(new Error(code), { code });

export function memoryDisk(): MemoryDisk {
  let names = new Map<string, Node>();
  let durableNames = new Map<string, Node>();
  let life = 0;

  const used = (): number => [...names.values()].reduce((sum, { data }) => sum + data.byteLength, 0);
  const step = (call: string, path: string): void => {
    disk.calls.push(`${call} ${path.split('/').at(-1) ?? ''}`);
    const fault = disk.faults.find(({ at, times }) => times > 0 && at(call, path));
    if (!fault) return;
    if (fault.skip > 0) fault.skip -= 1;
    else {
      fault.times -= 1;
      throw errno(fault.code);
    }
  };

  function write(node: Node, bytes: Uint8Array, offset: number, call: string, path: string): void {
    let whole = true;
    try {
      step(call, path);
    } catch (error) {
      // As a disk does: a part of it may be there already.
      if (call !== 'write') throw error;
      whole = false;
      bytes = bytes.subarray(0, bytes.byteLength >> 1);
    }
    const grow = Math.max(0, offset + bytes.byteLength - node.data.byteLength);
    const room = disk.capacity - used();
    const fits = Math.min(bytes.byteLength, bytes.byteLength - grow + Math.max(0, room));
    const next = Buffer.alloc(Math.max(node.data.byteLength, offset + fits));
    node.data.copy(next);
    next.set(bytes.subarray(0, fits), offset);
    node.data = next;
    disk.onChange(call, path);
    if (!whole) throw errno(disk.faults.find(({ at }) => at(call, path))?.code ?? 'EIO');
    if (fits < bytes.byteLength) throw errno('ENOSPC');
  }

  function fileOf(node: Node): TrailFile {
    const born = life;
    const alive = (): void => {
      if (born !== life) throw errno('EBADF');
    };
    return {
      stat: () => (alive(), { size: node.data.byteLength, linked: node.links > 0 }),
      async read(offset, length) {
        alive();
        const out = new Uint8Array(new ArrayBuffer(Math.max(0, Math.min(length, node.data.byteLength - offset))));
        out.set(node.data.subarray(offset, offset + length));
        return out;
      },
      async write(bytes, offset) {
        await Promise.resolve();
        alive();
        write(node, bytes, offset, 'write', node.path);
      },
      overwrite(bytes) {
        alive();
        write(node, bytes, 0, 'overwrite', node.path);
      },
      async sync() {
        await new Promise(setImmediate);
        alive();
        step('sync', node.path);
        node.synced = Buffer.from(node.data);
        disk.onChange('sync', node.path);
      },
      async truncate(length) {
        alive();
        step('truncate', node.path);
        node.data = Buffer.from(node.data.subarray(0, length));
        disk.onChange('truncate', node.path);
      },
      close: async () => undefined,
    };
  }

  const disk: MemoryDisk = {
    calls: [],
    faults: [],
    capacity: Number.POSITIVE_INFINITY,
    onChange: () => undefined,
    makeFolder: async () => undefined,
    list: async (folder) => [...names.keys()].filter((path) => path.startsWith(`${folder}/`)).map((path) => path.slice(folder.length + 1)),
    async open(path, mode) {
      step(`open-${mode}`, path);
      const found = names.get(path);
      if (mode === 'write') {
        if (!found) throw errno('ENOENT');
        return fileOf(found);
      }
      if (found) throw errno('EEXIST');
      const node: Node = { data: Buffer.alloc(0), synced: Buffer.alloc(0), links: 1, path };
      names.set(path, node);
      return fileOf(node);
    },
    async rename(from, to) {
      step('rename', to);
      const node = names.get(from);
      if (!node) throw errno('ENOENT');
      names.delete(from);
      names.set(to, node);
      node.path = to;
      disk.onChange('rename', to);
    },
    async remove(path) {
      step('remove', path);
      const node = names.get(path);
      if (node) node.links -= 1;
      names.delete(path);
    },
    async syncFolder(folder) {
      step('sync-folder', folder);
      durableNames = new Map(names);
      disk.onChange('sync-folder', folder);
    },
    content: (path) => names.get(path)?.data ?? Buffer.alloc(0),
    syncedContent: (path) => names.get(path)?.synced ?? Buffer.alloc(0),
    put(path, bytes) {
      const data = Buffer.from(bytes);
      names.set(path, { data, synced: Buffer.from(data), links: 1, path });
      durableNames.set(path, names.get(path) as Node);
    },
    powerCut(keep) {
      life += 1;
      names = new Map(durableNames);
      for (const [path, node] of names) {
        node.path = path;
        const { data, synced } = node;
        if (data.byteLength === synced.byteLength) {
          // One sector, old or new.
          node.data = Buffer.from(keep() < 0.5 ? synced : data);
        } else {
          const length = Math.min(data.byteLength, synced.byteLength) + Math.floor(keep() * Math.max(0, data.byteLength - synced.byteLength));
          node.data = Buffer.from(data.subarray(0, length));
        }
        node.synced = Buffer.from(node.data);
        node.links = 1;
      }
    },
    kill() {
      life += 1;
    },
  };
  return disk;
}

/** What is wrong with the files as a reader would find them right now. */
export const filesOf = (disk: MemoryDisk, folder: string): { readonly segments: Buffer[]; readonly keyBlock: Buffer } => {
  const segments: Buffer[] = [];
  for (let number = 1; ; number += 1) {
    const bytes = disk.content(`${folder}/trail/${String(number).padStart(8, '0')}.seg`);
    if (bytes.byteLength === 0) return { segments, keyBlock: disk.content(`${folder}/trail/trail.key`) };
    segments.push(bytes);
  }
};
