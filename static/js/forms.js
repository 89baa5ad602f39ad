// Small helps for every form: focus the first wrong field, show a password, count characters, submit once.
function focusFirstError(root) {
  const field = root.querySelector?.('[aria-invalid="true"]');
  if (field) field.focus();
  return Boolean(field);
}

function count(counter) {
  const field = document.getElementById(counter.dataset.counterFor);
  if (!field) return;
  const limit = Number(counter.dataset.limit);
  const length = [...field.value].length;
  counter.hidden = length < limit * 0.8;
  counter.textContent = `${length.toLocaleString('en')} of ${limit.toLocaleString('en')}`;
  counter.toggleAttribute('data-over', length > limit);
}

function prepare(root) {
  for (const button of root.querySelectorAll('[data-show-password]')) button.hidden = false;
  for (const counter of root.querySelectorAll('[data-counter-for]')) count(counter);
}

document.addEventListener('click', (event) => {
  const button = event.target.closest('[data-show-password]');
  if (!button) return;
  const field = document.getElementById(button.getAttribute('aria-controls'));
  const shown = field.type === 'text';
  field.type = shown ? 'password' : 'text';
  button.ariaPressed = String(!shown);
});

document.addEventListener('input', (event) => {
  for (const counter of document.querySelectorAll('[data-counter-for]')) {
    if (counter.dataset.counterFor === event.target.id) count(counter);
  }
});

// A second click on "Save" must not save twice. htmx forms are freed when their request ends.
const busy = new WeakSet();
document.addEventListener('submit', (event) => {
  const form = event.target;
  if (event.defaultPrevented || form.method === 'dialog' || form.method === 'get') return;
  if (busy.has(form)) { event.preventDefault(); return; }
  busy.add(form);
  // Later, so that the pressed button's name and value are still sent.
  setTimeout(() => { if (event.submitter) event.submitter.ariaBusy = 'true'; });
});
function free(form) {
  busy.delete(form);
  for (const button of form.querySelectorAll('[aria-busy="true"]')) button.ariaBusy = null;
}
addEventListener('pageshow', () => { for (const form of document.forms) free(form); });
document.addEventListener('htmx:finally:request', (event) => {
  const form = event.target.closest?.('form');
  if (form) free(form);
});

// htmx swaps a 422 answer by itself; the person is then taken to what needs attention.
document.addEventListener('htmx:after:swap', (event) => {
  prepare(document);
  if (event.detail?.ctx?.response?.status === 422) focusFirstError(document.querySelector('main') ?? document);
});

prepare(document);
focusFirstError(document);
