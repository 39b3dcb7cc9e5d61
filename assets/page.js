() => {
  // What the browser does alone: theme, language, what is folded, the opacity of overlays, the address.
  const ZH = /* the Chinese of every phrase on the page */ {};
  const root = document.documentElement;
  const query = new URLSearchParams(location.search);
  const memory = {
    get: key => localStorage.getItem('mixscope ' + key),
    set: (key, value) => localStorage.setItem('mixscope ' + key, value),
  };

  // Where the program does not answer, a page says so.
  navigator.serviceWorker?.register('offline.js').catch(() => {});

  // Theme
  const themeOf = asked => asked.get('__theme') || asked.get('theme');
  const theme = themeOf(query) || memory.get('theme');
  if (theme) document.body.classList.toggle('dark', theme === 'dark');
  const isDark = () => document.body.classList.contains('dark');
  const switchTheme = () => { memory.set('theme', document.body.classList.toggle('dark') ? 'dark' : 'light'); tellAddress(); };

  // Language: the page is written in English; phrases are looked up, `{}` stands for what varies.
  let language = query.get('lang') || memory.get('language') || (navigator.language.startsWith('zh') ? 'zh' : 'en');
  const escaped = text => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
  const said = phrase => phrase.replaceAll('{}', '').length; // what says most fits best
  const patterns = Object.keys(ZH).filter(phrase => phrase.includes('{}')).sort((a, b) => said(b) - said(a)).map(phrase =>
    [new RegExp('^' + phrase.split('{}').map(escaped).join('(.+?)') + '$', 's'), ZH[phrase]]);
  const inChinese = text => {
    const words = text.trim().replace(/\s+/g, ' ');
    if (!/[A-Za-z]/.test(words)) return text;
    let found = ZH[words];
    for (const [pattern, chinese] of found ? [] : patterns) {
      const match = words.match(pattern);
      if (!match) continue;
      let part = 0;
      found = chinese.replace(/\{\}/g, () => { part += 1; return inChinese(match[part]); });
      break;
    }
    return found ? text.replace(text.trim(), () => found) : text;
  };
  const known = new WeakMap(); // node -> {place: {english, shown}}
  const say = (node, place, read, write) => {
    const places = known.get(node) ?? known.set(node, {}).get(node);
    const now = read();
    if (!places[place] || now !== places[place].shown) places[place] = { english: now };
    const shown = language === 'zh' ? inChinese(places[place].english) : places[place].english;
    places[place].shown = shown;
    if (now !== shown) write(shown);
  };
  const ATTRIBUTES = ['aria-label', 'title', 'placeholder', 'alt', 'data-word'];
  const translate = top => {
    if (top.nodeType !== Node.TEXT_NODE && top.nodeType !== Node.ELEMENT_NODE) return;
    const walker = document.createTreeWalker(top, NodeFilter.SHOW_TEXT | NodeFilter.SHOW_ELEMENT);
    for (let node = walker.currentNode; node; node = walker.nextNode()) {
      const element = node.nodeType === Node.TEXT_NODE ? node.parentElement : node;
      if (!element || element.closest('[translate=no], pre, script, style')) continue;
      if (node.nodeType === Node.TEXT_NODE) say(node, 'text', () => node.data, text => { node.data = text; });
      else for (const name of ATTRIBUTES) {
        if (node.hasAttribute(name)) say(node, name, () => node.getAttribute(name), text => node.setAttribute(name, text));
      }
    }
  };
  // Gradio 6.31 shows the words of a choice as the value of an input, which no supported way puts into another
  // language; they are set here whenever the page changes, and Gradio reads its own state, not the input.
  const translateMenus = () => document.querySelectorAll('input[role=combobox]').forEach(input => {
    if (input !== document.activeElement) say(input, 'value', () => input.value, text => { input.value = text; });
  });
  const switchLanguage = to => {
    language = to;
    root.lang = language === 'zh' ? 'zh-CN' : 'en';
    const button = document.querySelector('#language');
    if (button) button.textContent = language === 'zh' ? 'English' : '中文';
    translate(document.body);
    translateMenus();
  };
  document.addEventListener('focusout', () => setTimeout(translateMenus));

  document.addEventListener('click', event => {
    if (event.target.closest('#theme')) switchTheme();
    if (event.target.closest('#language')) {
      switchLanguage(language === 'zh' ? 'en' : 'zh');
      memory.set('language', language);
      tellAddress();
    }
  });

  // What is said twice is shown once: an alert in the same words as another closes that one.
  const sayOnce = () => {
    const toasts = [...document.querySelectorAll('[data-testid=toast-body]')];
    const words = toasts.map(toast => toast.textContent);
    toasts.forEach((toast, index) => {
      if (words.lastIndexOf(words[index]) === index || toast.closing) return;
      toast.closing = true;
      toast.querySelector('[data-testid=toast-close]')?.click();
    });
  };

  // Arrow keys walk through channels and blocks; a picture opens large, its pixels unsmoothed.
  document.addEventListener('keydown', event => {
    const button = event.target.closest?.('.sprite button, .strip button, .gates button, .listing button');
    if (!button) return;
    const all = [...button.parentElement.querySelectorAll(':scope > button')];
    const row = button.closest('.sprite') ? getComputedStyle(button.parentElement).gridTemplateColumns.split(' ').length : 1;
    const step = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -row, ArrowDown: row }[event.key];
    const next = step && all[all.indexOf(button) + step];
    if (!next) return;
    event.preventDefault();
    next.focus();
    next.click();
  });
  document.addEventListener('click', event => {
    const shown = event.target.closest('button[data-zoom]');
    if (shown) enlarge([...shown.children]);
  });

  /* one cursor over all views */
  // What a piece of a drawing says is read below it: the piece pointed at, or walked to with the arrow keys.
  const read = piece => {
    const view = piece.closest('.view');
    view.querySelectorAll('.read').forEach(other => other.classList.remove('read'));
    piece.classList.add('read');
    const reading = view.querySelector('.reading');
    if (reading.dataset.said !== piece.dataset.says) reading.textContent = reading.dataset.said = piece.dataset.says;
  };
  document.addEventListener('pointerover', event => {
    const piece = event.target.closest?.('[data-says]');
    if (piece) read(piece);
  });
  document.addEventListener('keydown', event => {
    if (!event.target.hasAttribute?.('data-reading')) return;
    const pieces = [...event.target.querySelectorAll('[data-says]')];
    const now = pieces.findIndex(piece => piece.classList.contains('read'));
    const row = Number(event.target.dataset.columns ?? 1);
    const step = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -row, ArrowDown: row }[event.key];
    if (!step) return;
    event.preventDefault();
    read(pieces[now < 0 ? 0 : now + step] ?? pieces[now]);
  });

  // A table is sorted by the column whose head is pressed: the largest first, and the smallest when it is pressed again.
  document.addEventListener('click', event => {
    const head = event.target.closest('.sortable thead button')?.parentElement;
    if (!head) return;
    const body = head.closest('table').tBodies[0];
    const sign = head.ariaSort === 'descending' ? 1 : -1;
    for (const other of head.parentElement.cells) other.ariaSort = null;
    head.ariaSort = sign < 0 ? 'descending' : 'ascending';
    const value = row => Number(row.cells[head.cellIndex].dataset.value ?? sign * Infinity);
    body.append(...[...body.rows].sort((a, b) => sign * (value(a) - value(b)) || 0));
  });

  // A view is drawn anew whenever its content changes; what the visitor has unfolded stays unfolded.
  const open = new Set();
  document.addEventListener('toggle', event => {
    const name = event.target.dataset?.fold;
    if (name) open[event.target.open ? 'add' : 'delete'](name);
  }, true);
  document.addEventListener('input', event => {
    if (event.target.closest('.opacity')) root.style.setProperty('--opacity', event.target.value / 100);
  });
  // What had the focus in it has the focus again.
  let focused = null;
  const KEPT = '[data-focus], [data-place]';
  const nameOf = part => part.dataset.focus ?? part.dataset.place;
  document.addEventListener('focusin', event => {
    const part = event.target.closest(KEPT);
    focused = part && { view: part.closest('[id]').id, name: nameOf(part) };
  });
  const restore = () => {
    if (focused && document.activeElement === document.body) {
      const parts = document.querySelectorAll(`#${CSS.escape(focused.view)} :is(${KEPT})`);
      [...parts].find(part => nameOf(part) === focused.name)?.focus({ preventScroll: true });
    }
    document.querySelectorAll('details[data-fold]').forEach(fold => { if (open.has(fold.dataset.fold) && !fold.open) fold.open = true; });
    const channel = document.querySelector('#channel input')?.value;
    document.querySelectorAll('#grid [data-channel]').forEach(tile => tile.setAttribute('aria-pressed', tile.dataset.channel === channel));
    const opacity = root.style.getPropertyValue('--opacity');
    if (opacity) document.querySelectorAll('.opacity input').forEach(range => { range.value = 100 * opacity; });
  };
  new MutationObserver(changes => {
    for (const change of changes) {
      if (change.type === 'childList') change.addedNodes.forEach(node => translate(node));
      else translate(change.target);
    }
    if (language === 'zh') translateMenus();
    restore();
    if (chosen || pointed) cursorSoon();
    sayOnce();
    tellRailLine();
    setUnfolded();
    offerTour();
  }).observe(document.body, { childList: true, subtree: true, characterData: true, attributeFilter: ATTRIBUTES });

  /* where the visitor was */
  /* what frames the views */
  /* tour and glossary */
  // Shares of branches that were moved by hand: the others fill up to a hundred, in their proportion as it was
  // when the slider was taken, and the question for all of them goes out in the same moment.
  const TENTHS = 1000; // of a percent's tenth, that all shares together are
  const filledUp = (shares, index, share) => {
    const value = Math.round(10 * Math.min(Math.max(share, 0), 100));
    const others = shares.map((_, other) => other).filter(other => other !== index);
    const rest = others.reduce((sum, other) => sum + shares[other], 0);
    const filled = shares.map((one, other) => other === index ? value : Math.round((TENTHS - value) * (rest > 0 ? one / rest : 1 / others.length)));
    const largest = others.reduce((best, other) => filled[other] > filled[best] ? other : best, others[0]);
    filled[largest] += TENTHS - filled.reduce((sum, one) => sum + one, 0);
    return filled.map(one => one / 10);
  };
  const emptied = value => typeof value !== 'number'; // a box, for another number
  let questions = 0;
  let taken = null; // the slider that is moved, and the shares before
  const shares = {
    moved: (index, asked, told, ...sliders) => {
      const settled = JSON.parse(told || '{"number": 0, "shares": []}');
      const now = sliders.slice(0, settled.shares.length);
      if (now.length < 2 || emptied(now[index])) return [];
      const last = JSON.parse(asked || '{"number": 0, "slider": -1, "shares": []}');
      const before = last.number > settled.number ? last : settled;
      if (now[index] === before.shares[index]) return [];
      if (taken?.index !== index || before === settled || last.slider !== index) taken = { index, shares: before.shares };
      const filled = filledUp(taken.shares, index, now[index]);
      if (String(filled) === String(before.shares)) return [undefined, ...filled.map((one, other) => one === now[other] ? undefined : one)];
      questions = Math.max(questions, last.number, settled.number) + 1;
      const question = JSON.stringify({ number: questions, slider: index, shares: filled });
      return [question, ...filled.map((one, other) => one === now[other] ? undefined : one)];
    },
    told: (asked, told, ...sliders) => {
      const settled = JSON.parse(told || 'null');
      const last = JSON.parse(asked || '{"number": 0}');
      if (!settled || last.number > settled.number) return [];
      return settled.shares.map((one, index) => emptied(sliders[index]) ? undefined : one);
    },
  };
  window.mixscope = { shares, address, reach, followed, arrived };
  switchLanguage(language);
  cursorFrom(Object.fromEntries(query));
}
