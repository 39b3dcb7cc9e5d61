  // Where the visitor was: what is looked at stands in the address, Back and Forward step through it, and
  // pictures of the visitor's own are kept in this browser, by the digest the address has.
  const UPLOAD = 'upload-';
  const MOST_PICTURES = 12;

  // A link to a picture of the visitor's own: the page begins with another one, as only the browser has it.
  let begun = (query.get('picture') ?? '').startsWith(UPLOAD) ? query.get('picture') : null;

  // A change of the address is a step of its own where the visitor did something since the last one.
  let acted = false;
  for (const name of ['pointerdown', 'keydown', 'drop', 'paste']) {
    document.addEventListener(name, event => {
      if (!event.isTrusted) return;
      acted = true;
      following = false; // whatever became of it
    }, true);
  }
  const write = parts => {
    const now = new URLSearchParams(location.search);
    for (const [name, value] of Object.entries(parts)) {
      if (value === null || value === '' || value === undefined) now.delete(name); else now.set(name, value);
    }
    const told = '?' + now.toString();
    if (told === location.search || following) return;
    history[acted ? 'pushState' : 'replaceState'](null, '', told);
    acted = false;
    if (window.parent !== window) window.parent.postMessage({ queryString: now.toString() }, 'https://huggingface.co');
  };
  const tellAddress = () => write({ lang: language, theme: isDark() ? 'dark' : 'light', __theme: null });
  const isPath = value => /^([a-z]:)?[\\/]/i.test(String(value)); // of an upload, which is not part of a link
  const address = (usual, [link, tab, ...values]) => {
    const parts = { picture: null, model: null, weights: null, file: null, target: null, tab: tab === 'overview' ? null : tab, ...Object.fromEntries(new URLSearchParams(link)) };
    // What is as it starts need not be in the link.
    const chosen = Object.keys(usual).map((name, i) => [name, String(values[i]) === String(usual[name]) || isPath(values[i]) ? null : values[i]]);
    if (!link) return;
    if (begun && begun !== parts.picture) {
      begun = null;
      follow(location.search);
      return;
    }
    begun = null;
    write({ ...parts, ...Object.fromEntries(chosen) });
    if ((parts.picture ?? '').startsWith(UPLOAD)) keep(parts.picture);
  };

  // Pictures of the visitor's own: kept here when they are looked at, and uploaded again when a link asks for them.
  const stored = new Promise(resolve => {
    const asked = indexedDB.open('mixscope', 1);
    asked.onupgradeneeded = () => asked.result.createObjectStore('pictures', { keyPath: 'name' });
    asked.onsuccess = () => resolve(asked.result);
    asked.onerror = () => resolve(null); // a browser that keeps nothing
  });
  const inStore = async (mode, ask) => {
    const store = await stored;
    if (!store) return undefined;
    return new Promise(resolve => {
      const asked = ask(store.transaction('pictures', mode).objectStore('pictures'));
      asked.onsuccess = () => resolve(asked.result);
      asked.onerror = () => resolve(undefined);
    });
  };
  const keep = async name => {
    const shown = document.querySelector('#picture img');
    if (!shown || await inStore('readonly', store => store.getKey(name))) return;
    const content = await (await fetch(shown.src)).blob();
    await inStore('readwrite', store => store.put({ name, content, at: Date.now() }));
    const all = await inStore('readonly', store => store.getAll()) ?? [];
    const old = all.sort((a, b) => b.at - a.at).slice(MOST_PICTURES);
    for (const one of old) await inStore('readwrite', store => store.delete(one.name));
  };
  const uploaded = async name => {
    const kept = await inStore('readonly', store => store.get(name));
    if (!kept) return null;
    const form = new FormData();
    form.append('files', new File([kept.content], 'picture', { type: kept.content.type }));
    const answer = await fetch(new URL('gradio_api/upload', location.origin + location.pathname), { method: 'POST', body: form });
    return answer.ok ? (await answer.json())[0] : null;
  };

  // To follow a link without loading the page anew; every tab is then drawn anew when it is seen.
  let follows = 0;
  let following = false;
  const followed = () => follows ? `#${follows}` : '';
  const arrived = () => { following = false; };
  const follow = async search => {
    const asked = Object.fromEntries(new URLSearchParams(search));
    const mine = follows += 1;
    following = true;
    acted = false;
    const upload = (asked.picture ?? '').startsWith(UPLOAD) ? await uploaded(asked.picture) : null;
    if (mine !== follows) return; // the visitor went on
    if (asked.lang && asked.lang !== language) switchLanguage(asked.lang);
    if (themeOf(new URLSearchParams(search))) document.body.classList.toggle('dark', themeOf(new URLSearchParams(search)) === 'dark');
    const button = document.querySelector('#ways button');
    button.dataset.pick = JSON.stringify({ query: asked, upload });
    button.click();
  };
  window.addEventListener('popstate', () => follow(location.search));
