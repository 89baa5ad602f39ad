// A conversation: the answer while it is written (<turn-stream>), and the composer's keys and files.
import { LogSocket } from './log-socket.js';

const SHOWN = new Set(['content']);

class TurnStream extends HTMLElement {
  #socket = null;
  #last = 0;
  #blocks = new Map();

  connectedCallback() {
    if (this.#socket) return;
    this.#socket = new LogSocket(this.getAttribute('src'), {
      after: () => this.#last,
      frame: (frame) => this.#receive(frame),
      state: () => {},
    });
    this.#socket.open();
  }

  disconnectedCallback() {
    queueMicrotask(() => { if (!this.isConnected) { this.#socket?.stop(); this.#socket = null; } });
  }

  #receive(frame) {
    if (frame.t === 'lines') {
      for (const line of frame.lines) if (line.n > this.#last) this.#line(line);
      this.#last = Math.max(this.#last, frame.last ?? 0);
    } else if (frame.t === 'run' && (frame.terminal || frame.state === 'waiting')) {
      this.#socket?.stop();
      this.dispatchEvent(new CustomEvent('turn:changed', { bubbles: true }));
    }
  }

  #line(line) {
    this.#last = line.n;
    const hint = this.querySelector('[data-hint]');
    if (!SHOWN.has(line.kind)) {
      if (hint && line.kind !== 'model') hint.textContent = line.text;
      return;
    }
    let block = this.#blocks.get(line.key);
    if (!block) {
      block = document.createElement('div');
      // A member of a team speaks under its name.
      if (line.source !== this.getAttribute('speaker')) { const who = document.createElement('b'); who.textContent = line.source; block.append(who); }
      block.append(document.createElement('span'));
      this.#blocks.set(line.key, block);
      this.querySelector('[data-text]').append(block);
    }
    const text = block.querySelector('span');
    if (line.op === 'append') text.append(line.text); else text.textContent = line.text;
    if (hint) hint.hidden = true;
    keepInSight(this);
  }
}
customElements.define('turn-stream', TurnStream);

// Whoever reads further up stays there.
function keepInSight(element) {
  const below = element.getBoundingClientRect().bottom - innerHeight;
  if (below > 0 && below < 400) scrollBy({ top: below + 160 });
}

const composer = () => document.getElementById('composer');

document.addEventListener('keydown', (event) => {
  if (event.key !== 'Enter' || event.shiftKey || event.isComposing || !event.target.matches('[data-send-with-enter]')) return;
  event.preventDefault();
  event.target.form.requestSubmit(event.target.form.querySelector('[data-send]'));
});

document.addEventListener('change', (event) => {
  if (event.target.type !== 'file' || event.target.form !== composer()) return;
  const shown = composer().querySelector('[data-files]');
  shown.replaceChildren(...[...event.target.files].map((file) => {
    const name = document.createElement('span');
    name.className = 'tag';
    name.textContent = file.name;
    return name;
  }));
  if (event.target.files.length) {
    const none = document.createElement('button');
    none.type = 'button';
    none.className = 'btn sm ghost';
    none.textContent = 'Remove';
    none.addEventListener('click', () => { event.target.value = ''; shown.replaceChildren(); event.target.focus(); });
    shown.append(none);
  }
});

// A finished answer is said once, in short, and the keyboard is back where one goes on.
document.addEventListener('htmx:after:swap', () => {
  const turns = document.querySelectorAll('.turn');
  const last = turns[turns.length - 1];
  const say = document.querySelector('[data-say]');
  if (!last || !say || last.querySelector('turn-stream')) return;
  const answer = last.querySelector('.prose');
  const told = answer ?? last.querySelector('.callout, .answered p.muted');
  say.textContent = `${answer ? 'Answered: ' : ''}${(told?.textContent ?? '').trim().slice(0, 200)}`;
  document.querySelector('#composer [role="status"]')?.remove();
  if (document.activeElement === document.body) composer()?.querySelector('[data-send-with-enter]')?.focus({ preventScroll: true });
});

if (composer()) {
  if (document.querySelector('.turn')) document.querySelector('.turn:last-of-type')?.scrollIntoView({ block: 'nearest' });
  if (!document.querySelector('[aria-invalid="true"]')) composer().querySelector('[data-send-with-enter]')?.focus({ preventScroll: true });
}
if (new URLSearchParams(location.search).has('rename')) document.getElementById('rename')?.showModal();
