  // A tour of five stops on whatever is shown, offered once, and a glossary.
  let stop = -1;
  const stops = () => [...document.querySelectorAll('#tour [data-stop]')];
  const offerTour = () => {
    const skip = document.querySelector('#tour-skip');
    if (!skip || skip.hidden === Boolean(memory.get('tour'))) return;
    skip.hidden = Boolean(memory.get('tour'));
    document.querySelector('#tour-start').classList.toggle('new', !skip.hidden);
  };
  const pointOut = () => {
    document.querySelectorAll('.pointed-out').forEach(part => part.classList.remove('pointed-out'));
    const shown = stops()[stop]?.dataset.stop;
    const part = shown && [document.querySelector(shown), document.querySelector('#folded')].find(one => one?.checkVisibility());
    part?.classList.add('pointed-out');
    part?.scrollIntoView({ block: 'center' });
  };
  const goTo = number => {
    memory.set('tour', 'seen');
    offerTour();
    stop = number >= 0 && number < stops().length ? number : -1;
    const card = document.querySelector('#tour');
    card.hidden = stop < 0;
    stops().forEach((one, index) => { one.hidden = index !== stop; });
    if (stop >= 0) {
      card.querySelector('.note').textContent = `${stop + 1} / ${stops().length}`;
      card.querySelector('[data-step="-1"]').disabled = stop === 0;
      card.querySelector('[data-step="1"]').hidden = stop === stops().length - 1;
      document.querySelector(`#tabs button[role=tab][data-tab-id=${stops()[stop].dataset.tab}]`)?.click();
      card.querySelector(stop === stops().length - 1 ? '[data-step="0"]' : '[data-step="1"]').focus({ preventScroll: true });
    }
    setTimeout(pointOut, 50); // the tab has been shown by then
  };
  document.addEventListener('click', event => {
    const step = event.target.closest?.('#tour [data-step]');
    if (step) goTo(Number(step.dataset.step) ? stop + Number(step.dataset.step) : -1);
    if (event.target.closest?.('#tour-start')) goTo(0);
    if (event.target.closest?.('#tour-skip')) goTo(-1);
    const term = event.target.closest?.('[data-term]');
    if (term || event.target.closest?.('#glossary-open')) {
      const glossary = document.querySelector('#glossary');
      glossary.showModal();
      const meaning = term && glossary.querySelector(`[data-meaning="${term.dataset.term}"]`);
      glossary.querySelectorAll('.pointed-out').forEach(part => part.classList.remove('pointed-out'));
      meaning?.classList.add('pointed-out');
      meaning?.scrollIntoView({ block: 'center' });
    }
    if (event.target.closest?.('#glossary [data-close]')) document.querySelector('#glossary').close();
  });
  document.addEventListener('keydown', event => { if (event.key === 'Escape' && stop >= 0) goTo(-1); });
