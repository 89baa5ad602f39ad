// The members of a team: what the server drew anew is kept, members are dragged, and their variables know the team's.
const form = document.getElementById('builder-form');
const members = () => document.getElementById('member-part');
const list = () => document.getElementById('member-rows');
const keep = () => form.dispatchEvent(new Event('input', { bubbles: true }));
let pressed = null;

// --- Buttons ask the server for the rows, because a member brings its own variables.
form.addEventListener('click', (event) => {
  const button = event.target.closest('button[data-members]');
  if (button) pressed = { verb: button.value.split('-')[0], place: placeOf(button) };
}, true);

form.addEventListener('change', (event) => {
  if (event.target.matches('[data-version]')) pressed = { verb: 'version' };
});

form.addEventListener('keydown', (event) => {
  if (event.key !== 'Enter' || !event.target.matches('[data-member-search]')) return;
  event.preventDefault();
  document.getElementById('new_member_choice').focus();
});

function placeOf(element) {
  return [...(list()?.children ?? [])].indexOf(element.closest('[data-member]'));
}

document.addEventListener('htmx:after:swap', () => {
  prepare();
  if (!pressed) return;
  const { verb, place } = pressed;
  pressed = null;
  keep();
  const rows = list()?.children ?? [];
  if (verb === 'add_member') rows[rows.length - 1]?.querySelector('textarea')?.focus();
  if (verb === 'remove_member') (rows[Math.min(place, rows.length - 1)]?.querySelector('[value^="remove_member"]') ?? document.getElementById('member_search'))?.focus();
});

// --- Dragging, for those who like it; the arrows do the same.
let dragged = null;

function prepare() {
  members().classList.add('can-drag');
  offer();
}

form.addEventListener('pointerdown', (event) => {
  const row = event.target.closest('[data-grip]')?.closest('[data-member]');
  if (row) row.draggable = true;
});
form.addEventListener('dragstart', (event) => {
  dragged = event.target.closest?.('[data-member]');
  if (!dragged) return;
  event.dataTransfer.effectAllowed = 'move';
  event.dataTransfer.setData('text/plain', '');
  dragged.classList.add('is-dragged');
});
form.addEventListener('dragover', (event) => {
  const over = event.target.closest?.('[data-member]');
  if (!dragged || !over) return;
  event.preventDefault();
  if (over === dragged) return;
  const box = over.getBoundingClientRect();
  if (event.clientY > box.top + box.height / 2) over.after(dragged);
  else over.before(dragged);
});
form.addEventListener('drop', (event) => { if (dragged) event.preventDefault(); });
form.addEventListener('dragend', () => {
  if (!dragged) return;
  dragged.classList.remove('is-dragged');
  dragged.draggable = false;
  dragged = null;
  keep();
});

// --- What the team asks for can be handed on to its members.
function offered() {
  return [...document.querySelectorAll('#variable-rows > *')].map((row) => {
    const value = (name) => row.querySelector(`input[name$="-${name}"]`)?.value.trim() ?? '';
    return { name: value('name'), label: value('label') || value('name') };
  }).filter((one) => /^[a-z][a-z0-9_]*$/.test(one.name));
}

function offer() {
  const known = offered();
  for (const select of form.querySelectorAll('select[data-team-variables]')) {
    const chosen = select.value;
    const options = known.map((one) => new Option(`Team: ${one.label}`, one.name));
    if (chosen && !known.some((one) => one.name === chosen)) options.push(new Option(`${chosen}, which the team does not have`, chosen));
    select.replaceChildren(select.options[0], ...options);
    select.value = chosen;
  }
}

form.addEventListener('input', (event) => { if (event.target.closest?.('#variable-rows')) offer(); });
document.addEventListener('agent:saved', offer);
prepare();
