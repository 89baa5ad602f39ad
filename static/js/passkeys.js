// Passkeys. <form data-passkey="create" data-options="…"> makes one before it is sent; <form data-passkey="get" data-options-url="…">
// proves one. What the browser answers goes into the form's field "answer", and the form is sent as any other.
const able = Boolean(window.PublicKeyCredential?.parseCreationOptionsFromJSON);

function say(form, text) {
  const place = form.querySelector('[data-passkey-says]');
  if (place) { place.textContent = text; place.hidden = !text; }
}

async function create(form) {
  const options = JSON.parse(form.dataset.options).publicKey;
  return navigator.credentials.create({ publicKey: PublicKeyCredential.parseCreationOptionsFromJSON(options) });
}

async function get(form) {
  const token = form.querySelector('[name="csrfmiddlewaretoken"]').value;
  const answer = await fetch(form.dataset.optionsUrl, { method: 'POST', headers: { 'X-CSRFToken': token } });
  if (!answer.ok) throw new Error('There were too many tries. Wait a minute, then try again.');
  const options = (await answer.json()).publicKey;
  return navigator.credentials.get({ publicKey: PublicKeyCredential.parseRequestOptionsFromJSON(options) });
}

function sentence(error) {
  if (error.name === 'InvalidStateError') return 'This device has a passkey for Mindloom already.';
  if (error.name === 'NotAllowedError') return 'No passkey was given. Try again, or sign in another way.';
  return error.message;
}

document.addEventListener('submit', async (event) => {
  const form = event.target;
  if (!form.dataset.passkey || form.elements.answer.value) return;
  event.preventDefault();
  event.stopImmediatePropagation();
  say(form, '');
  try {
    const made = await (form.dataset.passkey === 'create' ? create(form) : get(form));
    form.elements.answer.value = JSON.stringify(made.toJSON());
    form.requestSubmit();
  } catch (error) {
    say(form, sentence(error));
  }
}, { capture: true });

for (const part of document.querySelectorAll('[data-needs-passkeys]')) part.hidden = !able;
for (const part of document.querySelectorAll('[data-without-passkeys]')) part.hidden = able;
