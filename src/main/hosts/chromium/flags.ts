/**
 * How the browser is started: one window, one page, no network, nothing kept, nobody else's code.
 *
 * The sandbox stays on: there is no `--no-sandbox` here, and root starts the browser as a user without rights.
 */

/** Shown by nothing on the network: the top-level domain `invalid` is reserved (RFC 2606). Its files come from this process. */
export const ORIGIN = 'https://vault.invalid';
export const START = `${ORIGIN}/`;

/** Parts of the browser that talk to servers, learn from the person, or start processes ahead of need. */
const FEATURES_OFF = [
  'AutofillServerCommunication',
  'AsyncDns',
  'BackForwardCache',
  'CertificateTransparencyComponentUpdater',
  'DialMediaRouteProvider',
  'GlobalMediaControls',
  'InterestFeedContentSuggestions',
  'LensOverlay',
  'MediaRouter',
  'NetworkTimeServiceQuerying',
  'OptimizationHints',
  'OptimizationHintsFetching',
  'OptimizationGuideModelDownloading',
  'Prerender2',
  'SpareRendererForSitePerProcess',
  'Translate',
  'WebOTP',
];

export function flags({ profile, headless }: { readonly profile: string; readonly headless: boolean }): readonly string[] {
  return [
    `--app=${START}`,
    '--remote-debugging-pipe',
    `--user-data-dir=${profile}`,
    '--window-size=1280,800',
    ...(headless ? ['--headless=new', '--disable-gpu'] : []),
    // Off the network: a proxy where nobody can listen, for loopback addresses too, which also asks for no names; no datagrams round the proxy.
    '--proxy-server=http://0.0.0.0:1',
    '--proxy-bypass-list=<-loopback>',
    '--disable-quic',
    '--force-webrtc-ip-handling-policy=disable_non_proxied_udp',
    '--webrtc-ip-handling-policy=disable_non_proxied_udp',
    '--dns-prefetch-disable',
    '--no-pings',
    '--disable-background-networking',
    '--disable-component-update',
    '--disable-domain-reliability',
    '--disable-client-side-phishing-detection',
    '--disable-sync',
    '--disable-breakpad',
    '--disable-crash-reporter',
    '--metrics-recording-only',
    // Nobody else's code.
    '--disable-extensions',
    '--disable-component-extensions-with-background-pages',
    '--disable-default-apps',
    '--disable-plugins',
    // Nothing of the person's own profile, and no questions.
    '--no-first-run',
    '--no-default-browser-check',
    '--no-service-autorun',
    '--disable-search-engine-choice-screen',
    '--password-store=basic',
    '--use-mock-keychain',
    '--deny-permission-prompts',
    '--block-new-web-contents',
    '--disable-notifications',
    '--disable-print-preview',
    `--disable-features=${FEATURES_OFF.join(',')}`,
  ];
}

/** What the profile says before the browser first reads it; each of these is off where a flag can be overruled by a default. */
export const PREFERENCES = {
  net: { network_prediction_options: 2 },
  dns_over_https: { mode: 'off' },
  webrtc: { ip_handling_policy: 'disable_non_proxied_udp', multiple_routes_enabled: false, nonproxied_udp_enabled: false },
  credentials_enable_service: false,
  credentials_enable_autosignin: false,
  profile: { password_manager_enabled: false, default_content_setting_values: { cookies: 2, notifications: 2, popups: 2, geolocation: 2, media_stream: 2 } },
  autofill: { profile_enabled: false, credit_card_enabled: false },
  safebrowsing: { enabled: false },
  translate: { enabled: false },
  spellcheck: { use_spelling_service: false },
  search: { suggest_enabled: false },
  alternate_error_pages: { enabled: false },
  signin: { allowed: false },
  browser: { enable_spellchecking: false },
};

/** What the browser inherits. No session bus: neither the keyring nor another service of the desktop is its business. */
const INHERITED = ['PATH', 'LANG', 'LC_ALL', 'LANGUAGE', 'TZ', 'DISPLAY', 'WAYLAND_DISPLAY', 'XAUTHORITY', 'XDG_RUNTIME_DIR', 'XDG_SESSION_TYPE', 'SystemRoot', 'windir', 'TEMP', 'USERPROFILE', 'LOCALAPPDATA', 'ProgramFiles', 'ProgramFiles(x86)'];

export function environment(from: Readonly<Record<string, string | undefined>>, home: string): Record<string, string> {
  const picked: Record<string, string> = {};
  for (const name of INHERITED) {
    const value = from[name];
    if (value !== undefined) picked[name] = value;
  }
  // X's cookie is in the person's home, which the browser does not have.
  if (picked['DISPLAY'] !== undefined && from['HOME'] !== undefined) picked['XAUTHORITY'] ??= `${from['HOME']}/.Xauthority`;
  return { ...picked, HOME: home, TMPDIR: home };
}
