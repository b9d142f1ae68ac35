/** The tray's icon, 32×32: a keyhole. A PNG in base64, so that it needs no file beside the program. */
export const ICON = `data:image/png;base64,${[
  'iVBORw0KGgoAAAANSUhEUgAAACAAAAAgCAYAAABzenr0AAAAfUlEQVR42mNgGErgxat3/4nBA2IpTRxDqeUUOYJalpPlCGpbTpIjaGU5UY6gteV4HUEvy3E6ghTNElLyWDFdHIDLclIdQXXfUxQKow',
  '4YdQCpeZgalo86YNQBZJeGNCmKRx0wKBokg6JJNigapYOiWT4oOiaDoms2KDqntAYAuSPN0LzaTYAAAAAASUVORK5CYII=',
].join('')}`;
