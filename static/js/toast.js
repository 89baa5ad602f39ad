// Short confirmations. The server sends the header HX-Trigger: {"app:toast": {"text": "Saved", "tone": "ok"}}.
const STAY = 6000;

export function toast(text, tone = 'ok') {
  const box = document.getElementById('toasts');
  if (!box || !text) return;
  const item = document.createElement('div');
  const words = document.createElement('p');
  const close = document.createElement('button');
  item.className = `toast tone-${tone}`;
  words.textContent = text;
  close.type = 'button';
  close.textContent = '×';
  close.ariaLabel = 'Dismiss';
  item.append(words, close);

  let timer = 0;
  const remove = () => {
    item.remove();
    if (!box.childElementCount && box.matches(':popover-open')) box.hidePopover();
  };
  const start = () => { timer = setTimeout(remove, STAY); };
  const stop = () => clearTimeout(timer);
  close.addEventListener('click', remove);
  for (const name of ['pointerenter', 'focusin']) item.addEventListener(name, stop);
  for (const name of ['pointerleave', 'focusout']) item.addEventListener(name, () => { stop(); start(); });

  if (!box.matches(':popover-open')) box.showPopover();
  box.append(item);
  start();
}

document.addEventListener('app:toast', (event) => {
  const { text, value, tone } = event.detail ?? {};
  toast(text ?? value, tone);
});
document.addEventListener('htmx:error', (event) => {
  if (event.detail?.error?.name !== 'AbortError') toast('The server did not answer. Please try again.', 'danger');
});
