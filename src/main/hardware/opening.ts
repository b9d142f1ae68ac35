/** Which `Hardware` a request works with: the one of the opening of the vault in which it began. */
import { VaultError } from '../../shared/model/errors.ts';
import { Hardware, type HardwarePorts } from './hardware.ts';

export interface HardwareOpenings {
  /** The vault is being opened: from now on `now` gives a new one. */
  begin(): Hardware;
  /** To be asked for before a request waits for anything, and kept: it is of no use after lock. VaultLockedException. */
  now(): Hardware;
  readonly current: Hardware | undefined;
  /** Lock. At once nothing new starts; resolves when all processes are gone. */
  end(): Promise<void>;
}

export function hardwareOpenings(ports: HardwarePorts): HardwareOpenings {
  let current: Hardware | undefined;
  const end = async (): Promise<void> => {
    const ending = current;
    current = undefined;
    await ending?.end();
  };
  return {
    begin() {
      void end();
      return (current = new Hardware(ports));
    },
    now() {
      if (!current) throw new VaultError('VaultLockedException', 'the vault is locked; unlock it with `keystead unlock`');
      return current;
    },
    get current() {
      return current;
    },
    end,
  };
}
