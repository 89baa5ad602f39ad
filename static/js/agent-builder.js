// The builder of agents and teams: keeps the draft while it is written, inserts variables, estimates tokens.
import { watchRows } from './builder-rows.js';

const form = document.getElementById('builder-form');
const builder = document.getElementById('builder');
const publishForm = document.getElementById('publish-form');
const rows = document.getElementById('variable-rows');
const instructions = form.elements.instructions;
const say = (text) => { document.getElementById('save-state').textContent = text; };
const clone = (id) => document.getElementById(id).content.cloneNode(true);

// --- Keeping the draft: one request at a time, the next one with whatever was written meanwhile.
const WAIT_MS = 800;
const RETRY_MS = 5000;
let timer = 0;
let dirty = false;
let stopped = false;
let current = Promise.resolve(true);

function changed() {
  if (stopped) return;
  dirty = true;
  clearTimeout(timer);
  timer = setTimeout(save, WAIT_MS);
}

function save() {
  clearTimeout(timer);
  current = current.then(() => (dirty && !stopped ? send() : !dirty));
  return current;
}

async function send() {
  dirty = false;
  say('Saving…');
  let response;
  try {
    response = await fetch(form.dataset.autosave, { method: 'POST', body: new FormData(form), credentials: 'same-origin', headers: { Accept: 'application/json' }, redirect: 'error' });
  } catch {
    return later('Not saved: Mindloom does not answer. It is tried again.');
  }
  const answer = await response.json().catch(() => null);
  if (response.ok && answer) { kept(answer); return true; }
  if (response.status >= 500 || !answer) return later('Not saved: something went wrong. It is tried again.');
  dirty = true;
  showErrors(answer.errors ?? {});
  say(answer.message);
  if (response.status !== 422) stop(answer.message);
  return false;
}

function later(text) {
  dirty = true;
  say(text);
  timer = setTimeout(save, RETRY_MS);
  return false;
}

function kept(answer) {
  form.elements.draft_digest.value = answer.digest;
  showErrors({});
  showNotes(answer.notes);
  document.getElementById('changed').hidden = !answer.changed;
  say(`Draft saved ${answer.saved}.`);
  document.body.dispatchEvent(new CustomEvent('agent:saved', { bubbles: true }));
}

function stop(message) {
  stopped = true;
  const callout = clone('not-saved');
  callout.querySelector('[data-text]').textContent = message;
  form.querySelector('.builder-alerts').replaceChildren(callout);
  form.querySelector('.builder-alerts').scrollIntoView({ block: 'nearest' });
}

function showErrors(errors) {
  for (const old of form.querySelectorAll('.field-error')) old.remove();
  for (const input of form.querySelectorAll('[aria-invalid]')) input.removeAttribute('aria-invalid');
  for (const [name, sentences] of Object.entries(errors)) {
    const input = form.elements.namedItem(name);
    const first = input instanceof RadioNodeList ? input[0] : input;
    const box = first?.closest('.field') ?? form.querySelector('.builder-alerts');
    const error = clone('field-error');
    const line = error.firstElementChild;
    line.querySelector('span').textContent = sentences.join(' ');
    line.id = `${name || 'general'}-live-error`;
    box.append(error);
    if (first?.closest('.field')) {
      first.setAttribute('aria-invalid', 'true');
      first.setAttribute('aria-describedby', line.id);
    }
  }
}

function showNotes(notes) {
  for (const link of builder.querySelectorAll('[data-section]')) {
    const wrong = Boolean(notes[link.dataset.section]);
    link.classList.toggle('warn', wrong);
    link.querySelector('[data-ok]').hidden = wrong;
    link.querySelector('[data-warn]').hidden = !wrong;
  }
  for (const list of form.querySelectorAll('[data-notes]')) {
    const sentences = notes[list.dataset.notes] ?? [];
    list.hidden = sentences.length === 0;
    list.replaceChildren(...sentences.map((sentence) => Object.assign(document.createElement('li'), { textContent: sentence })));
  }
}

form.addEventListener('input', changed);
form.addEventListener('change', changed);
form.addEventListener('submit', (event) => { if (!event.defaultPrevented) { clearTimeout(timer); stopped = true; dirty = false; } });
addEventListener('beforeunload', (event) => { if (dirty) event.preventDefault(); });
document.addEventListener('visibilitychange', () => { if (document.hidden) save(); });
document.addEventListener('click', (event) => { if (event.target.closest('[data-open-dialog="publish"]')) save(); });
publishForm.addEventListener('submit', async (event) => {
  if (!dirty || stopped) return;
  event.preventDefault();
  if (await save()) publishForm.requestSubmit();
  else publishForm.closest('dialog').close();
});

// --- Variables, and the other rows
function names() {
  const found = [...rows.querySelectorAll('input[name$="-name"]')].map((input) => input.value.trim());
  return [...new Set(found.filter((name) => /^[a-z][a-z0-9_]*$/.test(name)))];
}

function showInsertable() {
  const chips = names().map((name) => {
    const chip = clone('insert-chip').firstElementChild;
    chip.dataset.insert = name;
    chip.textContent = name;
    return chip;
  });
  document.getElementById('insertable').replaceChildren(...chips);
  document.getElementById('no-variables').hidden = chips.length > 0;
  document.getElementById('variable-count').textContent = chips.length;
}

form.addEventListener('click', (event) => {
  const name = event.target.closest('button')?.dataset.insert;
  if (!name) return;
  const { selectionStart, selectionEnd } = instructions;
  instructions.setRangeText(`{{ ${name} }}`, selectionStart, selectionEnd, 'end');
  instructions.focus();
  instructions.dispatchEvent(new Event('input', { bubbles: true }));
});
watchRows(form, (list) => { if (list === rows) showInsertable(); changed(); });
rows.addEventListener('input', (event) => { if (event.target.name?.endsWith('-name')) showInsertable(); });
instructions.addEventListener('input', () => {
  document.getElementById('tokens').textContent = Math.ceil(instructions.value.length / 4).toLocaleString('en');
});

// --- A slider says its value; who moves it has decided.
for (const slider of form.querySelectorAll('[data-slider]')) {
  const range = slider.querySelector('input[type="range"]');
  const automatic = slider.querySelector('input[type="checkbox"]');
  const shown = slider.querySelector('[data-slider-value]');
  const show = () => { shown.textContent = automatic.checked ? 'as the model likes' : range.value; };
  range.addEventListener('input', () => { automatic.checked = false; show(); });
  automatic.addEventListener('change', show);
  show();
}

// --- On small screens either the form or the test panel is shown. The section in view is marked.
const modes = document.querySelector('.builder-modes');
modes.hidden = false;
modes.addEventListener('click', (event) => {
  const pane = event.target.closest('[data-pane]')?.dataset.pane;
  if (!pane) return;
  builder.dataset.shown = pane;
  for (const button of modes.children) button.setAttribute('aria-pressed', String(button.dataset.pane === pane));
  if (pane === 'test') save();
});
const seen = new IntersectionObserver((entries) => {
  const entry = entries.find((one) => one.isIntersecting);
  if (!entry) return;
  for (const link of builder.querySelectorAll('[data-section]')) {
    if (link.dataset.section === entry.target.id) link.setAttribute('aria-current', 'true');
    else link.removeAttribute('aria-current');
  }
}, { rootMargin: '-20% 0px -70% 0px' });
for (const section of form.querySelectorAll('section.fieldset')) seen.observe(section);
