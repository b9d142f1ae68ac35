/** The desktop's notifications through Electron. One that is clicked brings the window to the front. */
import type { Notification } from 'electron';
import type { Notifications } from '../port.ts';
import type { ElectronApi } from './api.ts';

export function notificationsOf({ Notification: NotificationOf }: Pick<ElectronApi, 'Notification'>, show: () => void): Notifications {
  /** One that nothing holds is collected, and its click with it. */
  const shown = new Set<Notification>();
  return {
    isThere: () => Promise.resolve(NotificationOf.isSupported()),
    show({ title, body, isUrgent }) {
      const notification = new NotificationOf({ title, body, urgency: isUrgent ? 'critical' : 'normal' });
      const gone = (): void => void shown.delete(notification);
      notification.on('click', () => {
        gone();
        show();
      });
      notification.on('close', gone);
      notification.on('failed', gone);
      shown.add(notification);
      notification.show();
      return Promise.resolve();
    },
  };
}
