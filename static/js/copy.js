// <button data-copy-text="id" hidden>: copies the text of an element. Shown only where the browser can.
const able = Boolean(navigator.clipboard);

function show(root) {
  if (able) root.querySelectorAll?.('[data-copy-text][hidden]').forEach((button) => { button.hidden = false; });
}

document.addEventListener('click', async (event) => {
  const button = event.target.closest?.('[data-copy-text]');
  if (!button) return;
  await navigator.clipboard.writeText(document.getElementById(button.dataset.copyText)?.textContent ?? '');
  document.dispatchEvent(new CustomEvent('app:toast', { detail: { text: 'Copied', tone: 'ok' } }));
});
document.addEventListener('htmx:after:swap', () => show(document));
show(document);
