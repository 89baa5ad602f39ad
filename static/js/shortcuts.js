// Two-key shortcuts ("G R" goes to the runs): the keys named in the page's commands.
// They never act inside a field, and the profile, or on this device the palette, can switch them off (WCAG 2.1.4).
const PAUSE = 1200;
let first = '';
let timer = 0;

const isOff = () => { if (document.documentElement.dataset.shortcuts === 'off') return true; try { return localStorage.getItem('shortcuts') === 'off'; } catch { return false; } };

export function toggleShortcuts() {
  try { localStorage.setItem('shortcuts', isOff() ? 'on' : 'off'); } catch { /* they stay as they are */ }
}

function commandFor(keys) {
  let commands = [];
  try { commands = JSON.parse(document.getElementById('commands')?.textContent || '[]'); } catch { /* no commands then */ }
  return Array.isArray(commands) ? commands.find((command) => command.keys === keys) : undefined;
}

document.addEventListener('keydown', (event) => {
  const busy = event.target.closest?.('input, textarea, select, [contenteditable], dialog, log-viewer');
  if (busy || event.metaKey || event.ctrlKey || event.altKey || !/^[a-z]$/i.test(event.key) || isOff()) { first = ''; return; }
  const keys = `${first} ${event.key}`.trim().toUpperCase();
  const command = commandFor(keys);
  clearTimeout(timer);
  if (command?.href) { first = ''; location.assign(command.href); return; }
  first = event.key;
  timer = setTimeout(() => { first = ''; }, PAUSE);
});
