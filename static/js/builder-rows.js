// Rows of a builder's form, added, moved and removed without a round trip. [data-rows] is the list; its value names the hidden
// input that carries a row's number, data-row-template the <template> of a new one, in which __n__ stands for the number.
function number(fragment, n) {
  for (const element of fragment.querySelectorAll('*')) {
    for (const attribute of ['id', 'name', 'for', 'value', 'aria-describedby', 'data-counter-for']) {
      const value = element.getAttribute(attribute);
      if (value?.includes('__n__')) element.setAttribute(attribute, value.replaceAll('__n__', n));
    }
  }
}

function add(list) {
  const used = [...list.querySelectorAll(`input[name="${list.dataset.rows}"]`)].map((input) => Number(input.value));
  const fragment = document.getElementById(list.dataset.rowTemplate).content.cloneNode(true);
  number(fragment, String(Math.max(-1, ...used) + 1));
  list.append(fragment);
  list.lastElementChild.querySelector('input:not([type="hidden"]), select').focus();
}

function remove(row, list) {
  const next = row.nextElementSibling ?? row.previousElementSibling;
  row.remove();
  (next?.querySelector('[data-remove-row]') ?? document.querySelector(`[data-add-row="${list.id}"]`)).focus();
}

// Calls `changed(list)` after a row moved or went; a new row changes nothing until something stands in it.
export function watchRows(form, changed) {
  form.addEventListener('click', (event) => {
    const button = event.target.closest('button');
    if (!button) return;
    if (button.dataset.addRow) {
      event.preventDefault();
      add(document.getElementById(button.dataset.addRow));
      return;
    }
    const row = button.closest('[data-row]');
    const list = row?.closest('[data-rows]');
    if (!list) return;
    if ('removeRow' in button.dataset) {
      event.preventDefault();
      remove(row, list);
    } else if (button.dataset.move) {
      event.preventDefault();
      if (button.dataset.move === 'up') row.previousElementSibling?.before(row);
      else row.nextElementSibling?.after(row);
      button.focus();
    } else return;
    changed(list);
  });
}
