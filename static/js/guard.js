// <form data-guard>: ask before unsaved changes are lost.
const state = (form) => new URLSearchParams([...new FormData(form)].map(([name, value]) => [name, value instanceof File ? value.name : value])).toString();
const clean = new WeakMap();
const guarded = () => [...document.querySelectorAll('form[data-guard]')];
const remember = () => { for (const form of guarded()) if (!clean.has(form)) clean.set(form, state(form)); };

document.addEventListener('submit', (event) => {
  if (!event.defaultPrevented && clean.has(event.target)) clean.set(event.target, state(event.target));
});
document.addEventListener('htmx:after:request', (event) => {
  const form = event.target.closest?.('form[data-guard]');
  if (form && event.detail.ctx.response.status < 400) clean.set(form, state(form));
});
addEventListener('beforeunload', (event) => {
  if (guarded().some((form) => clean.has(form) && clean.get(form) !== state(form))) event.preventDefault();
});
document.addEventListener('htmx:after:swap', remember);
remember();
