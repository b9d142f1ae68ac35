/** Requests about a token's join that another request makes while it is under way: in the clock's name, each with a record and a commit of its own. */
import { VaultError } from '../../shared/model/errors.ts';
import { asSchedule } from '../doors/as-schedule.ts';
import type { DoorPort } from '../doors/port.ts';
import type { JoinNotes } from '../hardware/unfinished.ts';

const JOB = 'join';

export const createJoinNotes = (port: () => Pick<DoorPort, 'dispatch' | 'newRequestId'>): JoinNotes => ({
  async begin(CustomKeyStoreId, CloudHsmClusterId, Join) {
    const done = await asSchedule(port(), JOB, 'hardware:BeginJoin', { CustomKeyStoreId, CloudHsmClusterId, Join });
    if (!done.ok) throw new VaultError(done.error.code, done.error.message);
  },
  async takeBack(CustomKeyStoreId) {
    await asSchedule(port(), JOB, 'hardware:TakeBackJoins', { CustomKeyStoreId });
  },
});
