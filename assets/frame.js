  // What frames the views: a picture over the whole screen, the size of the text, and the rail of a phone.
  const enlarge = parts => {
    const dialog = document.createElement('dialog');
    dialog.className = 'zoom';
    const stage = document.createElement('div'); // a dialog itself cannot fill the screen
    stage.append(...parts.map(part => part.cloneNode(true)));
    const whole = document.createElement('button');
    Object.assign(whole, { type: 'button', className: 'whole', textContent: '⛶', title: 'Full screen' });
    whole.setAttribute('aria-label', 'Full screen');
    stage.append(whole);
    dialog.append(stage);
    dialog.addEventListener('click', event => {
      if (event.target !== whole) dialog.close();
      else if (document.fullscreenElement) document.exitFullscreen();
      else stage.requestFullscreen();
    });
    dialog.addEventListener('close', () => dialog.remove());
    document.body.append(dialog);
    dialog.showModal();
  };
  // Any picture of a view, and that in the rail: a double click, or the key F where it has the focus.
  const picturesOf = part => {
    const rail = part?.closest?.('#picture .image-frame');
    if (rail) return [...rail.querySelectorAll('img')];
    const frame = part?.closest?.('.overlay, .over, .cells, .large, .look') ?? part;
    if (!frame?.closest?.('.view, .card') || frame.closest('.sprite')) return [];
    return frame.matches('img') ? [frame] : [...frame.querySelectorAll('img')];
  };
  document.addEventListener('dblclick', event => {
    const pictures = picturesOf(event.target);
    if (pictures.length && !document.querySelector('dialog.zoom')) enlarge(pictures);
  });
  document.addEventListener('keydown', event => {
    if (event.key !== 'f' || event.ctrlKey || event.metaKey || event.target.matches('input, textarea')) return;
    const pictures = picturesOf(event.target);
    if (pictures.length) enlarge(pictures);
  });

  // The size of the text, for a projector.
  const SIZES = ['1', '1.25', '1.5'];
  const setSize = size => {
    root.style.setProperty('zoom', size);
    root.dataset.text = size;
    document.querySelector('#text-size')?.setAttribute('aria-pressed', size !== '1');
  };
  setSize(SIZES.includes(memory.get('text')) ? memory.get('text') : '1');
  document.addEventListener('click', event => {
    if (!event.target.closest('#text-size')) return;
    const size = SIZES[(SIZES.indexOf(root.dataset.text) + 1) % SIZES.length];
    memory.set('text', size);
    setSize(size);
  });

  // On a phone the rail is one line until it is opened.
  const tellRailLine = () => {
    const line = document.querySelector('#rail-line');
    if (!line) return;
    const set = (part, name, value) => { if (part[name] !== value) part[name] = value; };
    const picture = document.querySelector('#picture img');
    const image = line.querySelector('img');
    set(image, 'hidden', !picture);
    if (picture) set(image, 'src', picture.src);
    set(line.querySelector('b'), 'textContent', document.querySelector('#status b')?.textContent ?? '');
    const badge = document.querySelector('#badge .badge');
    set(line, 'className', badge ? badge.className.replace('badge', '').trim() : '');
    set(line.querySelector('.known'), 'textContent', badge?.querySelector('p')?.textContent ?? '');
  };
  document.addEventListener('click', event => {
    const line = event.target.closest('#rail-line');
    if (line) line.setAttribute('aria-expanded', line.getAttribute('aria-expanded') !== 'true');
  });

  // Depth as an animation: what stands there layer by layer is shown one after another, large.
  const PACE = 700; // ms a layer
  const playFrom = (button, number) => {
    const frames = button.closest('.view, .card')?.querySelectorAll('[data-frame]') ?? [];
    if (!frames.length || !button.isConnected || button.getAttribute('aria-pressed') !== 'true') return;
    const now = frames[number % frames.length];
    frames.forEach(frame => frame.classList.toggle('now', frame === now));
    button.nextElementSibling.replaceChildren(...[...now.children].map(part => part.cloneNode(true)));
    setTimeout(() => playFrom(button, number + 1), PACE);
  };
  // Where a slider chooses the depth, it is moved on once all it asked for has been seen for a while.
  const STEPS = 10;
  const moveOn = (button, seen = false) => {
    if (!button.isConnected || button.getAttribute('aria-pressed') !== 'true') return;
    const slider = document.querySelector(`#${button.dataset.moves} input[type=range]`);
    const drawn = slider.checkVisibility() && document.querySelector(`[data-drawn="${slider.value}"]`);
    if (drawn && seen) {
      const step = (slider.max - slider.min) / STEPS;
      slider.value = Number(slider.value) >= slider.max ? slider.min : Number(slider.value) + step;
      slider.dispatchEvent(new Event('input', { bubbles: true }));
    }
    setTimeout(() => moveOn(button, drawn), PACE / 2);
  };
  document.addEventListener('click', event => {
    const button = event.target.closest('[data-moves]');
    if (!button) return;
    button.setAttribute('aria-pressed', button.getAttribute('aria-pressed') !== 'true');
    moveOn(button);
  });
  document.addEventListener('click', event => {
    const button = event.target.closest('.play');
    if (!button) return;
    const plays = button.getAttribute('aria-pressed') === 'true';
    button.setAttribute('aria-pressed', !plays);
    button.nextElementSibling.hidden = plays;
    if (plays) button.closest('.view, .card').querySelectorAll('.now').forEach(frame => frame.classList.remove('now'));
    else playFrom(button, 0);
  });

  // What comes later on a phone is folded; what was unfolded stays so when it is drawn anew.
  const unfolded = new Set();
  const viewOf = button => button.closest('.view').getAttribute('aria-label');
  const setUnfolded = () => document.querySelectorAll('.unfold').forEach(button => {
    const is = String(unfolded.has(viewOf(button)));
    if (button.getAttribute('aria-expanded') !== is) button.setAttribute('aria-expanded', is);
  });
  document.addEventListener('click', event => {
    const button = event.target.closest('.unfold');
    if (!button) return;
    unfolded[unfolded.has(viewOf(button)) ? 'delete' : 'add'](viewOf(button));
    setUnfolded();
  });
