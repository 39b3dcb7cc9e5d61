  // One cursor over all views: the place chosen, or the one pointed at, is ringed in every picture and in every map
  // of its places, with the value there. `data-whole` marks a frame of all the model sees; a place is two shares of it.
  const RAMPS = /* the colours of maps, low to high */ {};
  const LEVELS = Object.fromEntries(Object.entries(RAMPS).map(([name, colours]) =>
    [name, new Map(colours.match(/.{6}/g).map((colour, level) => [colour, level]))]));
  const GREY = '808080'; // of what is no number
  const insideOf = (share, all) => Math.min(Math.max(Math.floor(share * all), 0), all - 1);
  const middleOf = ({ row, column, rows, columns }) => ({ row: (Number(row) + 0.5) / rows, column: (Number(column) + 0.5) / columns });
  const pen = Object.assign(document.createElement('canvas'), { width: 1, height: 1 }).getContext('2d', { willReadFrequently: true });
  let chosen = null; // the place that was chosen last
  let pointed = null; // the place under the pointer

  const readColour = (frame, { row, column }) => {
    const image = frame.querySelector('img.heat') ?? frame.querySelector('img');
    if (!image?.complete || !image.naturalWidth) return '';
    pen.clearRect(0, 0, 1, 1);
    pen.drawImage(image, insideOf(column, image.naturalWidth), insideOf(row, image.naturalHeight), 1, 1, 0, 0, 1, 1);
    const colour = [...pen.getImageData(0, 0, 1, 1).data.slice(0, 3)].map(one => one.toString(16).padStart(2, '0')).join('');
    const [low, high] = [Number(frame.dataset.low), Number(frame.dataset.high)];
    const level = LEVELS['signed' in frame.dataset ? 'signed' : 'unsigned'].get(colour);
    if (colour === GREY || level === undefined) return '–';
    const step = (high - low) / 255; // a colour tells to one or two of them
    const value = low + step * level;
    if (!step) return value.toPrecision(3);
    const digits = Math.round(-Math.log10(Math.abs(step)));
    const told = digits > 5 ? value.toExponential(1) : value.toFixed(Math.max(digits, 0));
    return Number(told) ? told : told.replace('-', '');
  };
  const valueAt = (frame, place) => {
    const { values, rows, columns, low } = frame.dataset;
    if (values) return values.split(' ')[insideOf(place.row, rows) * columns + insideOf(place.column, columns)];
    return low === undefined ? '' : readColour(frame, place);
  };
  const tell = (map, { row, column }) => {
    const told = map.parentElement.querySelector('.told');
    const { rows, columns, values } = map.dataset;
    const cell = [insideOf(row, rows), insideOf(column, columns)];
    if (!told || !values || map.told === String(cell)) return;
    map.told = String(cell);
    told.firstElementChild.textContent = `row ${cell[0]}, column ${cell[1]}`;
    told.lastElementChild.textContent = values.split(' ')[cell[0] * columns + cell[1]];
  };
  // The picture in the rail is Gradio's own; what the model sees of it gets a frame like that of any other.
  const frameRail = () => {
    const image = document.querySelector('#picture .image-frame img');
    const seen = document.querySelector('#cut [data-seen]')?.dataset.seen.split(' ').map(Number);
    const old = document.querySelector('#picture [data-whole]');
    if (!image?.naturalWidth || !seen) {
      old?.remove();
      return;
    }
    const { naturalWidth, naturalHeight, clientWidth, clientHeight } = image;
    const shown = Math.min(1, clientWidth / naturalWidth, clientHeight / naturalHeight); // it is never enlarged
    const [wide, high] = [naturalWidth * shown, naturalHeight * shown];
    const frame = old ?? image.parentElement.appendChild(document.createElement('i'));
    frame.dataset.whole = '';
    Object.assign(frame.style, {
      left: `${image.offsetLeft + (clientWidth - wide) / 2 + seen[0] * wide}px`,
      top: `${image.offsetTop + (clientHeight - high) / 2 + seen[1] * high}px`,
      width: `${seen[2] * wide}px`,
      height: `${seen[3] * high}px`,
    });
  };
  const drawCursor = () => {
    const place = pointed ?? chosen;
    root.classList.toggle('cursor', place !== null);
    root.classList.toggle('cursor-low', place?.row > 0.6);
    for (const map of document.querySelectorAll('.cells[data-values]')) tell(map, pointed ?? middleOf(map.dataset));
    if (!place) return;
    frameRail();
    root.style.setProperty('--right', `${100 * place.column}%`);
    root.style.setProperty('--down', `${100 * place.row}%`);
    for (const frame of document.querySelectorAll(':is([data-low], [data-values])[data-whole]')) {
      if (frame.checkVisibility()) frame.dataset.told = valueAt(frame, place);
    }
  };
  let drawing = 0;
  const cursorSoon = () => { drawing ||= requestAnimationFrame(() => { drawing = 0; drawCursor(); }); };

  // What is chosen is kept in the address; cells of a map are marked in all maps, whatever their size.
  const choosePlace = place => {
    chosen = place;
    write({ cursor: place && `${place.row.toFixed(4)},${place.column.toFixed(4)}` });
    for (const map of place ? document.querySelectorAll('.cells[data-whole]') : []) {
      const [row, column] = [insideOf(place.row, map.dataset.rows), insideOf(place.column, map.dataset.columns)];
      Object.assign(map.dataset, { row, column });
      map.style.setProperty('--row', row);
      map.style.setProperty('--column', column);
    }
    cursorSoon();
  };
  const cursorFrom = parts => {
    const told = ['cursor', 'cell', 'place', 'gaze_place', 'spot', 'walk_place'].map(name => parts[name]).find(Boolean);
    const [row, column] = (told ?? '').split(',').map(Number);
    chosen = row >= 0 && row <= 1 && column >= 0 && column <= 1 ? { row, column } : null;
    cursorSoon();
  };
  const choosing = event => {
    if (event.key === 'Escape' && chosen && !document.querySelector('dialog[open]')) choosePlace(null);
    const map = event.target.closest?.('[data-place][data-whole], [data-cell]');
    if (map && (event.type === 'click' || event.key.startsWith('Arrow'))) choosePlace(middleOf(map.dataset));
  };
  document.addEventListener('click', choosing);
  document.addEventListener('keydown', choosing);
  document.addEventListener('pointermove', event => {
    if (event.target.matches?.('#picture img')) frameRail();
    const frame = event.target.closest?.('[data-whole]');
    if (!frame && !pointed) return;
    const box = frame?.getBoundingClientRect();
    pointed = frame ? { row: (event.clientY - box.top) / box.height, column: (event.clientX - box.left) / box.width } : null;
    cursorSoon();
  });
  const leave = () => { pointed = null; cursorSoon(); };
  root.addEventListener('pointerleave', leave);
  document.addEventListener('pointerup', event => event.pointerType === 'touch' && leave());
  document.addEventListener('load', event => event.target.matches?.('#picture img') && cursorSoon(), true);
  window.addEventListener('resize', cursorSoon);
