// Uploads files one by one with a progress bar each, from the picker or dropped onto the page. Without it the form posts them.
// A file whose connection was lost is sent again by itself; those that were received stay received.
const AT_ONCE = 3;
const WAITS = [1, 2, 4, 8, 15, 30, 60];
const PASSING = new Set([0, 429, 502, 503, 504]);
const form = document.querySelector('form[data-upload]');

function element(tag, text, name) {
  const made = document.createElement(tag);
  if (text) made.textContent = text;
  if (name) made.className = name;
  return made;
}

function row(file) {
  const item = element('li');
  const bar = element('progress', '', 'progress');
  bar.max = 100;
  bar.value = 0;
  bar.ariaLabel = `Upload of ${file.name}`;
  const said = element('span', 'waiting', 'small muted');
  const names = element('span', '', 'grow');
  names.append(element('span', file.name, 'name'), element('span', '', 'sub'));
  item.append(names, bar, said);
  return { item, bar, said, why: names.lastChild };
}

function sentence(request) {
  try {
    const problem = JSON.parse(request.responseText);
    return Object.values(problem.fields ?? {}).flat().join(' ') || problem.detail;
  } catch {
    return request.status ? 'The server did not take the file. Try again.' : 'The connection was lost. Try again.';
  }
}

function attempt(file, shown) {
  return new Promise((resolve) => {
    const request = new XMLHttpRequest();
    const data = new FormData();
    data.append('file', file);
    data.append('tags', form.elements.tags.value);
    request.open('POST', form.dataset.upload);
    request.setRequestHeader('X-CSRFToken', form.elements.csrfmiddlewaretoken.value);
    request.setRequestHeader('Accept', 'application/json');
    request.upload.addEventListener('progress', (event) => {
      if (event.lengthComputable) shown.bar.value = (100 * event.loaded) / event.total;
      shown.said.textContent = 'uploading';
    });
    request.addEventListener('loadend', () => resolve(request));
    request.send(data);
  });
}

// Until the network is back, or for so long.
function pause(seconds) {
  return new Promise((resolve) => {
    const done = () => {
      clearTimeout(timer);
      removeEventListener('online', done);
      resolve();
    };
    const timer = setTimeout(done, seconds * 1000);
    addEventListener('online', done);
  });
}

async function send(file, shown) {
  let request = await attempt(file, shown);
  let tries = 1;
  for (; PASSING.has(request.status) && tries <= WAITS.length; tries += 1) {
    shown.said.textContent = navigator.onLine ? 'goes on in a moment' : 'waits for the network';
    await pause(WAITS[tries - 1]);
    request = await attempt(file, shown);
  }
  const fine = request.status === 200 || request.status === 201;
  shown.bar.value = fine ? 100 : 0;
  // What was tried again may have been received the first time, when only the answer was lost.
  shown.said.textContent = request.status === 200 && tries === 1 ? 'unchanged' : fine ? 'received' : 'refused';
  if (!fine) {
    shown.why.textContent = sentence(request);
    shown.why.classList.add('bucket-reason');
  }
  return fine;
}

async function upload(files) {
  const list = form.querySelector('[data-upload-list]');
  const waiting = [...files].map((file) => ({ file, shown: row(file) }));
  if (!waiting.length) return;
  list.hidden = false;
  list.replaceChildren(...waiting.map(({ shown }) => shown.item));
  const all = waiting.length;
  let fine = 0;
  async function next() {
    for (let one = waiting.shift(); one; one = waiting.shift()) {
      if (await send(one.file, one.shown)) fine += 1;
      document.body.dispatchEvent(new CustomEvent('documents:changed', { bubbles: true }));
    }
  }
  await Promise.all(Array.from({ length: AT_ONCE }, next));
  form.querySelector('[data-upload-status]').textContent = `${fine} of ${all} files received.`;
  form.querySelector('[data-upload-button]').ariaBusy = null;
  if (fine === all) form.reset();
}

if (form) {
  const input = form.elements.file;
  form.querySelector('[data-upload-drop]').hidden = false;
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    event.stopImmediatePropagation();
    upload(input.files);
  });
  const carriesFiles = (event) => [...(event.dataTransfer?.types ?? [])].includes('Files');
  document.addEventListener('dragover', (event) => {
    if (!carriesFiles(event)) return;
    event.preventDefault();
    form.toggleAttribute('data-over', true);
  });
  document.addEventListener('dragleave', (event) => {
    if (!event.relatedTarget) form.removeAttribute('data-over');
  });
  document.addEventListener('drop', (event) => {
    form.removeAttribute('data-over');
    if (!carriesFiles(event)) return;
    event.preventDefault();
    upload(event.dataTransfer.files);
  });
}
