  // Where the visitor was: what is looked at stands in the address, Back and Forward step through it, and
  // pictures of the visitor's own are kept in this browser, by the digest the address has.
  const UPLOAD = 'upload-';
  const MOST_PICTURES = 12;

  // A link to a picture of the visitor's own: the page begins with another one, as only the browser has it.
  const isMine = name => (name ?? '').startsWith(UPLOAD);
  let begun = isMine(query.get('picture')) ? query.get('picture') : null;
  let compares = isMine(query.get('other')); // with another one of them

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
    if (acted) noted = null;
    acted = false;
    note();
    if (window.parent !== window && !isBeside) window.parent.postMessage({ queryString: now.toString() }, 'https://huggingface.co');
  };
  const tellAddress = () => write({ lang: language, theme: isDark() ? 'dark' : 'light', __theme: null });
  const markOf = value => String(value).split('|')[0]; // of an upload; its path is not part of a link
  const address = (usual, [link, tab, ...values]) => {
    const parts = { picture: null, model: null, weights: null, file: null, target: null, tab: tab === 'overview' ? null : tab, ...Object.fromEntries(new URLSearchParams(link)) };
    // What is as it starts need not be in the link.
    const chosen = Object.keys(usual).map((name, i) => [name, String(values[i]) === String(usual[name]) ? null : isMine(String(values[i])) ? markOf(values[i]) : values[i]]);
    if (!link) return;
    if (compares || (begun && begun !== parts.picture)) {
      begun = null;
      compares = false;
      follow(location.search);
      return;
    }
    begun = null;
    const told = { ...parts, ...Object.fromEntries(chosen) };
    if (following) unwritten = told;
    write(told);
    if (isMine(told.picture)) keep(told.picture, '#picture img');
    if (isMine(told.other)) keep(told.other, '#other img');
  };

  // The last questions, each with a small picture of its view; a step that is still being drawn is noted once.
  const MOST_VISITS = 12;
  const SIDE = 72;
  const isBeside = query.has('twin'); // this page is one of two, shown side by side
  if (isBeside) document.body.classList.add('beside');
  let visits = JSON.parse(memory.get('visits') ?? '[]');
  let pinned = [];
  let noted = null; // the visit this step was noted as
  let waits = null;
  const note = () => {
    clearTimeout(waits);
    waits = setTimeout(noteNow, 600);
  };
  const englishOf = element => {
    const text = element?.firstChild;
    return known.get(text)?.text?.english ?? element?.textContent ?? '';
  };
  const picture = () => {
    const views = [...document.querySelectorAll('#tabs [role=tabpanel] :is(.view, .card) img')];
    const size = one => one.clientWidth * one.clientHeight;
    const seen = views.filter(one => !one.closest('#survey') && one.checkVisibility() && size(one) > 3600 && one.naturalHeight > 1);
    const [shown = document.querySelector('#picture img')] = seen.sort((a, b) => size(b) - size(a));
    if (!shown?.complete) return '';
    const canvas = Object.assign(document.createElement('canvas'), { width: SIDE, height: SIDE });
    const pen = canvas.getContext('2d');
    const side = Math.min(shown.naturalWidth, shown.naturalHeight);
    pen.imageSmoothingEnabled = side > SIDE;
    pen.drawImage(shown, (shown.naturalWidth - side) / 2, (shown.naturalHeight - side) / 2, side, side, 0, 0, SIDE, SIDE);
    return canvas.toDataURL('image/webp', 0.8);
  };
  const question = search => {
    const parts = new URLSearchParams(search);
    for (const name of ['lang', 'theme', '__theme']) parts.delete(name);
    return parts.toString();
  };
  const noteNow = () => {
    const [model, top] = document.querySelectorAll('#status b');
    if (isBeside || !model || following) return;
    const asked = question(location.search);
    const one = { asked, tab: englishOf(document.querySelector('#tabs [role=tab][aria-selected=true]')), model: model.textContent, top: top?.textContent ?? '', image: picture() };
    const same = other => ['tab', 'model', 'top', 'image'].every(part => other[part] === one[part]); // to the eye
    visits = [one, ...visits.filter(other => other.asked !== asked && other.asked !== noted && !same(other))].slice(0, MOST_VISITS);
    noted = asked;
    memory.set('visits', JSON.stringify(visits));
    list();
  };
  document.addEventListener('load', event => {
    if (noted && event.target.matches?.('#tabs :is(.view, .card) img')) note(); // it was drawn after it was noted
  }, true);
  const made = (name, parts, ...children) => {
    const element = Object.assign(document.createElement(name), parts);
    element.append(...children);
    return element;
  };
  const listed = one => {
    const again = made('button', { type: 'button', className: 'again' },
      ...(one.image ? [made('img', { src: one.image, alt: '' })] : []),
      made('span', { textContent: one.tab }), made('b', { textContent: one.model, translate: false }), made('span', { textContent: one.top }));
    again.addEventListener('click', () => {
      history.pushState(null, '', '?' + one.asked);
      noted = one.asked;
      follow(location.search);
    });
    const pin = made('button', { type: 'button', className: 'pin', textContent: 'Pin' });
    pin.setAttribute('aria-label', 'Pin to compare');
    pin.setAttribute('aria-pressed', pinned.includes(one.asked));
    pin.addEventListener('click', () => {
      pinned = pinned.includes(one.asked) ? pinned.filter(asked => asked !== one.asked) : [...pinned, one.asked].slice(-2);
      list();
    });
    const item = made('li', {}, again, pin);
    item.dataset.asked = one.asked;
    return item;
  };
  const list = () => {
    const strip = document.querySelector('.visits');
    if (!strip) return;
    pinned = pinned.filter(asked => visits.some(one => one.asked === asked));
    const focused = document.activeElement.closest('.visits button'); // has the focus again
    const name = focused?.className;
    const asked = focused?.closest('li')?.dataset.asked;
    strip.hidden = isBeside || visits.length < 2;
    strip.querySelector('ol').replaceChildren(...visits.map(listed));
    strip.querySelector('[data-beside]').hidden = pinned.length < 2;
    [...strip.querySelectorAll('li')].find(item => item.dataset.asked === asked)?.querySelector(`.${name}`).focus({ preventScroll: true });
  };
  document.addEventListener('click', event => {
    if (!event.target.closest('[data-beside]')) return;
    const close = made('button', { type: 'button', className: 'plain-button', textContent: 'Close' });
    const pages = pinned.map(asked => made('iframe', { src: `?${asked}&twin=1&lang=${language}&theme=${isDark() ? 'dark' : 'light'}`, title: visits.find(one => one.asked === asked).tab }));
    const dialog = made('dialog', { className: 'two' }, close, made('div', {}, ...pages));
    close.addEventListener('click', () => dialog.close());
    dialog.addEventListener('close', () => dialog.remove());
    document.body.append(dialog);
    dialog.showModal();
  });

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
  const keep = async (name, where) => {
    const shown = document.querySelector(where);
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
  let reached = 0; // the last whose controls are set; who goes back and at once forward follows two
  let following = false;
  let unwritten = null; // what the controls said last while a link is followed
  const reach = number => { reached = Number(number); };
  const followed = () => reached ? `#${reached}` : '';
  const arrived = () => {
    following = reached < follows;
    const asked = new URLSearchParams(location.search);
    const isOfBefore = ['picture', 'model', 'weights', 'file'].some(name => asked.has(name) && asked.get(name) !== unwritten?.[name]);
    if (!following && !isOfBefore) write(unwritten ?? {}); // a value the controls cannot have is put right
    note();
  };
  const follow = async search => {
    const asked = Object.fromEntries(new URLSearchParams(search));
    const mine = follows += 1;
    following = true;
    unwritten = null;
    acted = false;
    document.querySelectorAll('[data-moves][aria-pressed=true]').forEach(button => button.click()); // it plays no further
    const [upload, other] = await Promise.all(['picture', 'other'].map(name => isMine(asked[name]) ? uploaded(asked[name]) : null));
    if (mine !== follows) return; // the visitor went on
    cursorFrom(asked);
    if (asked.lang && asked.lang !== language) switchLanguage(asked.lang);
    if (themeOf(new URLSearchParams(search))) document.body.classList.toggle('dark', themeOf(new URLSearchParams(search)) === 'dark');
    const button = document.querySelector('#ways-back button');
    button.dataset.pick = JSON.stringify({ query: asked, upload, other, number: mine });
    button.click();
  };
  window.addEventListener('popstate', () => follow(location.search));
