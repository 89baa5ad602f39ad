// Command palette: Ctrl/Cmd+K or [data-palette]. Commands: <script type="application/json" id="commands">.
import { toggleShortcuts } from './shortcuts.js';
import { toggleTheme } from './theme-toggle.js';

const palette = document.getElementById('palette');
const input = palette?.querySelector('input');
const list = palette?.querySelector('[role=listbox]');
const nothing = palette?.querySelector('.palette-empty');

function commands() {
  let listed = [];
  try { listed = JSON.parse(document.getElementById('commands')?.textContent || '[]'); } catch { /* no commands then */ }
  if (!Array.isArray(listed)) listed = [];
  return [...listed, { label: 'Switch between light and dark', run: toggleTheme }, { label: 'Switch single-key shortcuts on or off', run: toggleShortcuts }];
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
  nothing.hidden = found.length > 0;
  select(found[0]);
}

function open() {
  list.replaceChildren(...commands().map(option));
  input.value = '';
  palette.showModal();
  filter();
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
