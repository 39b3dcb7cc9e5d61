// Shows one page where the server does not answer; nothing else is kept or answered here.
const KEPT = 'mixscope offline 1';

self.addEventListener('install', event => {
  event.waitUntil(caches.open(KEPT).then(kept => kept.add('offline.html')).then(() => self.skipWaiting()));
});

self.addEventListener('activate', event => {
  const old = names => names.filter(name => name.startsWith('mixscope offline') && name !== KEPT);
  event.waitUntil(caches.keys().then(names => Promise.all(old(names).map(name => caches.delete(name)))));
});

self.addEventListener('fetch', event => {
  if (event.request.mode !== 'navigate') return;
  event.respondWith(fetch(event.request).catch(() => caches.match('offline.html')));
});
