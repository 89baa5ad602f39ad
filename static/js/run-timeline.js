// The timeline of a run and its log: choosing a step shows its lines. Without this file the links do it.
const KEY = 'step';

const viewer = () => document.querySelector('log-viewer[log]');

function mark() {
  const step = viewer()?.filter?.step ?? '';
  for (const link of document.querySelectorAll('#run-timeline [data-step]')) {
    if (link.dataset.step === '') link.hidden = !step;
    else if (link.dataset.step === step) link.ariaCurrent = 'true';
    else link.removeAttribute('aria-current');
  }
}

document.addEventListener('click', (event) => {
  const link = event.target.closest('#run-timeline a[data-step]');
  const log = viewer();
  if (!link || !log || event.metaKey || event.ctrlKey || event.shiftKey) return;
  event.preventDefault();
  // The chosen step once more: all of them again.
  log.within(link.ariaCurrent ? '' : link.dataset.step);
});

document.addEventListener('log:step', (event) => {
  const address = new URL(location.href);
  if (event.detail.step) address.searchParams.set(KEY, event.detail.step); else address.searchParams.delete(KEY);
  history.replaceState(history.state, '', address);
  mark();
});

document.addEventListener('htmx:after:swap', mark);
