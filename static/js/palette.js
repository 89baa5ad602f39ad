// Command palette: Ctrl/Cmd+K or [data-palette]. The page has its commands in <script type="application/json" id="commands">;
// the list's data-more says where those are that are fetched when it opens.
import { toggleShortcuts } from './shortcuts.js';
import { toggleTheme } from './theme-toggle.js';

const palette = document.getElementById('palette');
const input = palette?.querySelector('input');
const list = palette?.querySelector('[role=listbox]');
const nothing = palette?.querySelector('.palette-empty');

let fetched = [];
let asking = false;

function commands() {
  let listed = [];
  try { listed = JSON.parse(document.getElementById('commands')?.textContent || '[]'); } catch { /* no commands then */ }
  if (!Array.isArray(listed)) listed = [];
  return [...listed, { label: 'Switch between light and dark', run: toggleTheme }, { label: 'Switch single-key shortcuts on or off', run: toggleShortcuts }, ...fetched];
}

function option(command, index) {
  const item = document.createElement('div');
  const label = document.createElement('span');
  const icons = document.getElementById('command-icons')?.content;
  const icon = command.icon && icons?.querySelector(`[data-icon="${CSS.escape(command.icon)}"] > svg`);
  item.role = 'option';
  item.id = `command-${index}`;
  label.className = 'grow';
  label.textContent = command.label;
  if (icon) item.append(icon.cloneNode(true));
  item.append(label);
  if (command.keys) {
    const keys = document.createElement('kbd');
    keys.textContent = command.keys;
    item.append(keys);
  }
  item.addEventListener('click', () => choose(command));
  return item;
}

function choose(command) {
  palette.close();
  if (command.run) command.run();
  else if (command.href) location.assign(command.href);
}

const visible = () => [...list.children].filter((item) => !item.hidden);

function select(item) {
  for (const other of list.children) other.ariaSelected = String(other === item);
  if (!item) { input.removeAttribute('aria-activedescendant'); return; }
  input.setAttribute('aria-activedescendant', item.id);
  item.scrollIntoView({ block: 'nearest' });
}

function filter() {
  const wanted = input.value.toLowerCase().split(/\s+/).filter(Boolean);
  for (const item of list.children) {
    const text = item.textContent.toLowerCase();
    item.hidden = !wanted.every((word) => text.includes(word));
  }
  const found = visible();
  nothing.hidden = found.length > 0 || asking;
  select(found[0]);
}

function show() {
  list.replaceChildren(...commands().map(option));
  filter();
}

async function more() {
  if (!list.dataset.more || asking) return;
  asking = true;
  try {
    const answer = await fetch(list.dataset.more, { headers: { Accept: 'application/json' } });
    if (answer.ok && !answer.redirected) fetched = (await answer.json()).commands;
  } catch { /* what the page has is offered; the next opening asks again */ }
  asking = false;
  const chosen = input.getAttribute('aria-activedescendant');
  show();
  const item = chosen && document.getElementById(chosen);
  if (item && !item.hidden) select(item);
}

function open() {
  input.value = '';
  palette.showModal();
  more();
  show();
  input.focus();
}

if (palette) {
  input.addEventListener('input', filter);
  input.addEventListener('keydown', (event) => {
    const items = visible();
    const now = items.findIndex((item) => item.ariaSelected === 'true');
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (event.key === 'Enter') { event.preventDefault(); items[now]?.click(); }
    if (step && items.length) { event.preventDefault(); select(items[(now + step + items.length) % items.length]); }
  });
  document.addEventListener('click', (event) => {
    if (event.target.closest('[data-palette]')) open();
  });
  document.addEventListener('keydown', (event) => {
    if (!(event.metaKey || event.ctrlKey) || event.shiftKey || event.altKey || event.key.toLowerCase() !== 'k') return;
    event.preventDefault();
    if (palette.open) palette.close(); else if (!document.querySelector('dialog[open]')) open();
  });
}
