// One question dialog for hx-confirm="…" and for plain forms, buttons and links with data-confirm="…".
// data-confirm-title and data-confirm-action name the thing and the button.
const dialog = document.getElementById('confirm');

export function ask(text, { title = 'Are you sure?', action = 'Continue' } = {}) {
  if (!dialog) return Promise.resolve(window.confirm(text));
  dialog.querySelector('#confirm-title').textContent = title;
  dialog.querySelector('#confirm-text').textContent = text;
  dialog.querySelector('[data-confirm-yes]').textContent = action;
  dialog.returnValue = '';
  dialog.showModal();
  dialog.querySelector('[data-confirm-no]').focus();
  return new Promise((resolve) => {
    dialog.addEventListener('close', () => resolve(dialog.returnValue === 'yes'), { once: true });
  });
}

const words = (element) => ({
  title: element.dataset.confirmTitle || undefined,
  action: element.dataset.confirmAction || undefined,
});

dialog?.addEventListener('click', (event) => {
  if (event.target.closest('[data-confirm-yes]')) dialog.close('yes');
  if (event.target.closest('[data-confirm-no]') || event.target === dialog) dialog.close('no');
});

document.addEventListener('htmx:confirm', (event) => {
  const { ctx, issueRequest, dropRequest } = event.detail;
  event.preventDefault();
  ask(ctx.confirm, words(ctx.sourceElement)).then((yes) => (yes ? issueRequest() : dropRequest()));
});

const agreed = new WeakSet();

// Capture, so that a declined form is stopped before htmx or any other listener sees it.
document.addEventListener('submit', (event) => {
  const source = event.submitter?.dataset.confirm ? event.submitter : event.target;
  if (!source.dataset.confirm || agreed.delete(event.target)) return;
  event.preventDefault();
  event.stopImmediatePropagation();
  const { target: form, submitter } = event;
  ask(source.dataset.confirm, words(source)).then((yes) => {
    if (!yes) return;
    agreed.add(form);
    form.requestSubmit(submitter);
  });
}, true);

document.addEventListener('click', (event) => {
  const link = event.target.closest('a[data-confirm]');
  if (!link) return;
  event.preventDefault();
  ask(link.dataset.confirm, words(link)).then((yes) => yes && location.assign(link.href));
}, true);
