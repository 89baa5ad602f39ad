// Uploads files one by one with a progress bar each, from the picker or dropped onto the page. Without it the form posts them.
const AT_ONCE = 3;
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

function send(file, shown) {
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
    request.addEventListener('loadend', () => {
      const fine = request.status === 200 || request.status === 201;
      shown.bar.value = fine ? 100 : 0;
      shown.said.textContent = request.status === 200 ? 'unchanged' : fine ? 'received' : 'refused';
      if (!fine) {
        shown.why.textContent = sentence(request);
        shown.why.classList.add('bucket-reason');
      }
      resolve(fine);
    });
    request.send(data);
  });
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
