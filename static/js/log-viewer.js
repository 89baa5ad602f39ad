// <log-viewer src="/ws/runs/…/" after="0" lines-id="…" keep="10000">: a live log for thousands of lines.
// Its toolbar is drawn by the server (templates/cotton/log_viewer.html); the protocol is in docs/ui.md.
import { Controls } from './log-controls.js';
import { build, fill, write } from './log-lines.js';
import { LogSocket } from './log-socket.js';

const CHUNK = 200;      // lines per content-visibility block
const BUDGET = 8;       // milliseconds of work per frame
const SAY_EVERY = 8000; // pause between spoken summaries
const WORDS = { live: 'Live', retrying: 'Reconnecting…', finished: 'Finished' };

class LogViewer extends HTMLElement {
  #abort = null;
  #socket = null;
  #queue = [];
  #byKey = new Map();
  #chunk = null;
  #start = 0;
  #last = 0;
  #shown = 0;
  #total = 0;
  #fresh = 0;
  #events = 0;
  #follow = true;
  #frame = 0;
  #told = { warn: 0, error: 0 };
  #problems = { warn: 0, error: 0 };
  #sayTimer = 0;
  #ended = false;

  connectedCallback() {
    if (this.#abort) return; // a morph may attach the same element again
    this.#abort = new AbortController();
    this.view = this.querySelector('.log-view');
    if (!this.view) return;
    this.jump = this.querySelector('[data-jump]');
    this.controls = new Controls(this, this.#abort.signal);
    const resume = () => !document.hidden && this.#queue.length && this.#schedule();
    document.addEventListener('visibilitychange', resume, { signal: this.#abort.signal });
    window.addEventListener('hashchange', () => this.#goToHash(), { signal: this.#abort.signal });
    this.#seed();
    if (!this.#goToHash()) this.pin();
    if (this.getAttribute('src')) this.#connect(); else { this.#state('finished'); this.#whole(this.#last); }
  }

  disconnectedCallback() {
    queueMicrotask(() => {
      if (this.isConnected) return;
      this.#abort?.abort();
      this.#abort = null;
      this.#socket?.stop();
      this.#socket = null;
      clearTimeout(this.#sayTimer);
    });
  }


  // --- lines in ---

  #seed() {
    const script = document.getElementById(this.getAttribute('lines-id') ?? '');
    const lines = script ? JSON.parse(script.textContent) : [];
    for (const line of lines) this.#queue.push(line);
    this.#events = lines.length;
    this.#last = lines.reduce((last, line) => Math.max(last, line.n), Number(this.getAttribute('after')) || 0);
    this.#flush(Infinity);
  }

  #connect() {
    this.#socket = new LogSocket(this.getAttribute('src'), {
      after: () => this.#last,
      frame: (frame) => this.receive(frame),
      state: (state) => this.#ended || this.#state(state),
    });
    this.#socket.open();
  }

  /** Take one frame from the server. */
  receive(frame) {
    if (frame.t === 'lines') {
      const known = this.#last;
      for (const line of frame.lines) if (line.n > known) { this.#queue.push(line); this.#events += 1; this.#last = Math.max(this.#last, line.n); }
      this.#last = Math.max(this.#last, frame.last ?? 0);
      this.#schedule();
    } else if (frame.t === 'run') {
      this.dispatchEvent(new CustomEvent('run:changed', { detail: frame, bubbles: true }));
      if (frame.terminal) this.#end(frame);
    } else if (frame.t === 'gone') {
      this.#stop(frame.reason || 'This log is no longer available.');
    }
  }

  #end(frame) {
    if (this.#ended) return;
    this.#stop(WORDS.finished);
    this.#whole(frame.last);
    this.dispatchEvent(new CustomEvent('run:finished', { detail: frame, bubbles: true }));
  }

  // Every event is one line operation, so what came in can be counted against what there is.
  #whole(last) {
    const all = last - (Number(this.getAttribute('pruned')) || 0);
    const said = (count) => count.toLocaleString('en');
    this.querySelector('[data-whole]').textContent = this.#events === all
      ? `complete: ${said(all)} of ${said(all)} events`
      : `${said(this.#events)} of ${said(all)} events; load the page anew`;
  }

  #stop(text) {
    this.#ended = true;
    this.#socket?.stop();
    this.#state('finished', text);
    this.#schedule();
  }

  #state(state, text = WORDS[state]) {
    this.dataset.state = state;
    this.querySelector('[data-live]').textContent = text;
  }

  // --- drawing: one flush per frame with a time budget, lines grouped in chunks ---

  #schedule() {
    if (!this.#frame && !document.hidden) this.#frame = requestAnimationFrame(() => { this.#frame = 0; this.#flush(BUDGET); });
  }

  #flush(budget) {
    const until = performance.now() + budget;
    const before = this.#total;
    let done = 0;
    while (done < this.#queue.length && performance.now() < until) this.#apply(this.#queue[done++]);
    this.#queue.splice(0, done);
    this.#evict();
    if (done) this.#count(this.#total - before);
    if (this.#ended && !this.#queue.length) this.view.querySelectorAll('.ln.open').forEach((line) => line.classList.remove('open'));
    if (this.#follow) this.pin();
    if (this.#queue.length) this.#schedule();
  }

  #apply(line) {
    const known = this.#byKey.get(line.key);
    if (!known) {
      const made = this.#add(line);
      made.classList.toggle('open', line.op === 'append');
    } else if (line.op === 'append') {
      write(known.querySelector('.tx'), line.text ?? '');
    } else if (line.op === 'final') {
      fill(known, line.text ?? '', line.more);
      known.classList.remove('open');
    }
  }

  #add(line) {
    if (!this.#chunk || this.#chunk.childElementCount >= CHUNK) {
      this.#chunk?.classList.add('full');
      this.#chunk = document.createElement('div');
      this.#chunk.className = 'chunk';
      this.view.append(this.#chunk);
    }
    this.#start ||= line.at;
    const element = build(line, this.#start);
    element.dataset.key = line.key;
    element.dataset.source = line.source ?? '';
    this.#hide(element);
    this.#byKey.set(line.key, element);
    this.#chunk.append(element);
    this.#total += 1;
    this.#shown += 1;
    if (line.level in this.#problems) this.#problems[line.level] += 1;
    return element;
  }

  #hide(line) {
    line.toggleAttribute('data-off', Boolean(this.dataset.only) && line.dataset.source !== this.dataset.only);
  }

  /** Show only the lines of one source; all when it is empty. */
  only(source) {
    this.dataset.only = source;
    for (const line of this.view.querySelectorAll('.ln')) this.#hide(line);
    if (this.#follow) this.pin();
  }

  #evict() {
    const keep = Number(this.getAttribute('keep')) || 10000;
    while (this.#follow && this.#shown > keep) {
      const oldest = this.view.querySelector('.chunk.full');
      if (!oldest) return;
      for (const line of oldest.children) this.#byKey.delete(line.dataset.key);
      this.#shown -= oldest.childElementCount;
      oldest.remove();
    }
  }

  #count(added) {
    const { warn, error } = this.#problems;
    this.querySelector('[data-count]').textContent = `${this.#total.toLocaleString('en')} lines`;
    this.querySelector('[data-problems]').textContent = `${warn} warnings, ${error} errors`;
    if (!this.#follow && added) {
      this.#fresh += added;
      this.jump.hidden = false;
      this.jump.lastElementChild.textContent = `Jump to latest, ${this.#fresh.toLocaleString('en')} new`;
    }
    if (this.#sayTimer || (warn === this.#told.warn && error === this.#told.error)) return;
    this.#sayTimer = setTimeout(() => {
      this.#sayTimer = 0;
      this.querySelector('[data-say]').textContent = `${this.#problems.error} errors and ${this.#problems.warn} warnings in this log`;
      this.#told = { ...this.#problems };
    }, SAY_EVERY);
  }

  // --- moving about ---

  pin() { this.view.scrollTop = this.view.scrollHeight; }

  get following() { return this.#follow; }

  follow(on) {
    if (on === this.#follow) return;
    this.#follow = on;
    this.controls.press('[data-follow]', on);
    if (on) { this.#fresh = 0; this.jump.hidden = true; this.pin(); }
  }

  scrolled() {
    const { scrollHeight, scrollTop, clientHeight } = this.view;
    if (!this.#follow && scrollHeight - scrollTop - clientHeight < 8) this.follow(true);
  }

  reveal(line) {
    this.follow(false);
    line.scrollIntoView({ block: 'center' });
  }

  #goToHash() {
    const [, from, to] = /^#L(\d+)(?:-L?(\d+))?$/.exec(location.hash) ?? [];
    const line = from && this.view.querySelector(`#L${from}`);
    if (!line) return false;
    this.mark(Number(from), Number(to ?? from));
    this.reveal(line);
    return true;
  }

  mark(a, b) {
    const [from, to] = a < b ? [a, b] : [b, a];
    this.view.querySelectorAll('.ln.on').forEach((line) => line.classList.remove('on'));
    for (let n = from; n <= Math.min(to, from + 5000); n += 1) this.view.querySelector(`#L${n}`)?.classList.add('on');
    return from === to ? `#L${from}` : `#L${from}-L${to}`;
  }
}

customElements.define('log-viewer', LogViewer);
