// <log-viewer src="/ws/runs/…/" log="/runs/…/log/" after="0" first="0" lines-id="…">: a live log for any number of lines.
// Its toolbar is drawn by the server (templates/cotton/log_viewer.html); the protocol is in docs/ui.md.
import { Controls } from './log-controls.js';
import { LogFilter } from './log-filter.js';
import { build, buildHead, fill, foldHead, grow } from './log-lines.js';
import { LogList } from './log-list.js';
import { LogPast } from './log-past.js';
import { LogSocket } from './log-socket.js';
import { LogStore } from './log-store.js';
import { remember, remembered, when } from './log-times.js';

const BUDGET = 8;       // milliseconds of work per frame
const SAY_EVERY = 8000; // pause between spoken summaries
const TELL_EVERY = 1000;
const WORDS = { live: 'Live', retrying: 'Reconnecting…', finished: 'Finished' };

const said = (count) => count.toLocaleString('en');

class LogViewer extends HTMLElement {
  #abort = null;
  #socket = null;
  #past = null;
  #list = null;
  #resized = null;
  #queue = [];
  #start = 0;
  #last = 0;
  #end = 0;
  #fresh = 0;
  #follow = true;
  #frame = 0;
  #told = { warn: 0, error: 0 };
  #sayTimer = 0;
  #tellTimer = 0;
  #ended = false;
  #wanted = null;
  #marked = [0, 0];

  connectedCallback() {
    if (this.#abort) return; // a morph may attach the same element again
    this.#abort = new AbortController();
    this.view = this.querySelector('.log-view');
    if (!this.view) return;
    this.jump = this.querySelector('[data-jump]');
    this.times = remembered();
    this.store = new LogStore();
    this.filter = new LogFilter(this.store);
    this.#list = new LogList(this.view, (item) => this.#draw(item));
    this.#list.filled = () => this.controls.finder.mark();
    this.#seed();
    this.filter.step = this.getAttribute('step') ?? '';
    this.controls = new Controls(this, this.#abort.signal);
    const resume = () => !document.hidden && this.#queue.length && this.#schedule();
    this.#resized = new ResizeObserver(() => this.#follow && this.pin());
    this.#resized.observe(this.view);
    document.addEventListener('visibilitychange', resume, { signal: this.#abort.signal });
    window.addEventListener('hashchange', () => this.#goToHash(), { signal: this.#abort.signal });
    this.#ended = !this.getAttribute('src');
    this.controls.stepShown(this.filter.step);
    this.show();
    if (!this.#goToHash()) this.pin();
    this.#past.fetch().catch(() => {});
    if (this.#ended) { this.#state('finished'); this.#end = this.#last; } else this.#connect();
    this.#whole();
  }

  disconnectedCallback() {
    queueMicrotask(() => {
      if (this.isConnected) return;
      this.#abort?.abort();
      this.#abort = null;
      this.#socket?.stop();
      this.#socket = null;
      this.#past?.stop();
      this.#list?.stop();
      this.#resized?.disconnect();
      clearTimeout(this.#sayTimer);
      clearTimeout(this.#tellTimer);
    });
  }

  // --- lines in ---

  #seed() {
    const read = (id) => JSON.parse(document.getElementById(id)?.textContent ?? '[]');
    const id = this.getAttribute('lines-id') ?? '';
    const lines = read(id);
    this.store.setSteps(read(`${id}-steps`));
    for (const line of lines) this.store.take(line);
    this.#start = Number(this.getAttribute('began')) || lines[0]?.at || 0;
    this.#last = lines.reduce((last, line) => Math.max(last, line.n), Number(this.getAttribute('after')) || 0);
    this.#past = new LogPast(this.getAttribute('log'), Number(this.getAttribute('first')) || 0, (parts) => this.#earlier(parts), this.querySelector('[data-earlier]'));
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
      // What does not follow the last known event is asked for again, so that nothing is ever left out.
      if ((frame.after ?? 0) > this.#last) { this.#socket?.again(); return; }
      const known = this.#last;
      this.store.setSteps(frame.steps);
      for (const line of frame.lines) if (line.n > known) this.#queue.push(line);
      this.#last = Math.max(known, frame.last);
      if (frame.steps?.length) this.#stepsChanged(frame.steps);
      this.#schedule();
    } else if (frame.t === 'run') {
      if (frame.last > this.#last) { this.#socket?.again(); return; }
      this.dispatchEvent(new CustomEvent('run:changed', { detail: frame, bubbles: true }));
      if (frame.terminal) this.#finish(frame);
    } else if (frame.t === 'gone') {
      this.#stop(frame.reason || 'This log is no longer available.');
    }
  }

  #earlier({ ops, steps }) {
    this.#drain();
    this.store.setSteps(steps);
    this.store.takeEarlier(ops);
    this.#start = Number(this.getAttribute('began')) || this.store.lines[0]?.at || 0;
    // Who has chosen a step and looks at its first line gets the step's real beginning.
    const isAtStart = Boolean(this.filter.step) && !this.#follow && this.view.scrollTop < 1;
    this.show();
    if (isAtStart) this.view.scrollTop = 0;
    if (this.#wanted) this.#goTo(...this.#wanted);
    this.#whole();
    this.controls.finder.again();
  }

  #finish(frame) {
    if (this.#ended) return;
    this.#stop(WORDS.finished);
    this.#end = frame.last;
    this.#whole();
    this.dispatchEvent(new CustomEvent('run:finished', { detail: frame, bubbles: true }));
  }

  // Every event is one line operation, so what came in can be counted against what there is.
  #whole() {
    const all = (this.#end || this.#last) - (Number(this.getAttribute('pruned')) || 0);
    const here = this.store.events + this.#queue.length;
    const text = here === all ? `complete: ${said(all)} of ${said(all)} events` : `${said(here)} of ${said(all)} events`;
    this.querySelector('[data-whole]').textContent = this.#ended || here !== all ? text : `${said(all)} events so far`;
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

  // --- drawing: one flush per frame with a time budget ---

  #schedule() {
    if (!this.#frame && !document.hidden) this.#frame = requestAnimationFrame(() => { this.#frame = 0; this.#flush(BUDGET); });
  }

  #drain() { while (this.#queue.length) this.#flush(Infinity); }

  #flush(budget) {
    const until = performance.now() + budget;
    const before = this.store.lines.length;
    let done = 0;
    while (done < this.#queue.length && (performance.now() < until)) this.#apply(this.#queue[done++]);
    this.#queue.splice(0, done);
    if (done) this.#count(this.store.lines.length - before);
    if (this.#wanted && this.#wanted[0] <= this.#last) this.#goTo(...this.#wanted);
    if (this.#ended && !this.#queue.length) this.view.querySelectorAll('.ln.open').forEach((line) => line.classList.remove('open'));
    if (this.#follow) this.pin();
    if (this.#queue.length) this.#schedule();
  }

  #apply(op) {
    const line = this.store.take(op);
    if (line.n === op.n) for (const item of this.filter.items(line)) this.#list.push(item);
    else if (line.item?.el) {
      if (op.op === 'append') grow(line.item.el, line, this.#log); else fill(line.item.el, line, this.#log);
    }
  }

  get #log() { return this.getAttribute('log') ?? ''; }

  #draw(item) {
    if (item.head) return buildHead(this.store.steps.get(item.head), item, this.filter.isClosed(item.head));
    const { line } = item;
    const element = build(this.#ended && line.open ? { ...line, open: false } : line, { log: this.#log, when: (at) => when(at, this.#start, this.times) });
    const step = this.filter.opens(line);
    element.dataset.depth = Math.min(4, this.filter.depth(line));
    element.classList.toggle('on', line.n >= this.#marked[0] && line.n <= this.#marked[1]);
    if (step) foldHead(element, step, this.filter.isClosed(step.key));
    return element;
  }

  // The figures on the folds' lines, and whoever shows steps elsewhere: not for every piece of a text.
  #stepsChanged(steps) {
    for (const { key, first } of steps) {
      const head = this.filter.head(key);
      if (head) this.#list.redraw(head);
      const { item } = this.store.lineOf(first) ?? {};
      if (item?.el && item.line.n === first) this.#list.redraw(item);
    }
    this.#tellTimer ||= setTimeout(() => {
      this.#tellTimer = 0;
      this.dispatchEvent(new CustomEvent('run:steps', { bubbles: true }));
    }, TELL_EVERY);
  }

  /** Show what the filters let through; the reader stays where they are. */
  show() {
    const anchor = this.#follow ? null : this.#list.anchor;
    this.#list.reset(this.filter.all());
    this.#count(0);
    if (!this.#list.last) return;
    if (!anchor) { this.pin(); return; }
    const line = this.store.lineOf(anchor.item.n);
    const item = [line, ...this.store.lines.slice(line?.place ?? 0)].find((one) => one?.item?.group?.el.isConnected && this.filter.passes(one))?.item;
    this.#list.place(item ?? this.#list.last, anchor.offset);
  }

  /** Lines that the filters let through, also those that are folded away. */
  passing() { return this.store.lines.filter((line) => this.filter.passes(line)); }

  drawn() { return this.#list.drawn; }

  /** Show only the lines of one source; all when it is empty. */
  only(source) { this.filter.source = source; this.show(); }

  /** Show only the lines of one step; all when it is empty. */
  within(step) {
    this.filter.step = step;
    this.show();
    if (step) { this.follow(false); this.view.scrollTop = 0; }
    this.controls.stepShown(step);
    this.dispatchEvent(new CustomEvent('log:step', { detail: { step }, bubbles: true }));
  }

  retime(mode) {
    this.times = mode;
    remember(mode);
    for (const { line, el, head } of this.drawn()) if (!head) el.dataset.when = when(line.at, this.#start, mode);
  }

  /** The whole log as the download has it: what is not here yet is fetched first. */
  async text() {
    await this.#past.all();
    this.#drain();
    for (const n of this.store.cut) await this.whole(n);
    return this.store.text();
  }

  /** Fetch what event `n` has in full. */
  async whole(n) {
    const answer = await fetch(`${this.#log}${n}/`);
    if (!answer.ok) throw new Error(`The server answered ${answer.status}.`);
    const line = this.store.setWhole(n, await answer.text());
    if (line?.item?.el) fill(line.item.el, line, this.#log);
    return line;
  }

  #count(added) {
    const { warn, error } = this.store.problems;
    this.querySelector('[data-count]').textContent = `${said(this.store.lines.length)} lines`;
    this.controls?.problems(warn, error);
    if (!this.#ended) this.#whole();
    if (!this.#follow && added) {
      this.#fresh += added;
      this.jump.hidden = false;
      this.jump.lastElementChild.textContent = `Jump to latest, ${said(this.#fresh)} new`;
    }
    if (this.#sayTimer || (warn === this.#told.warn && error === this.#told.error)) return;
    this.#sayTimer = setTimeout(() => {
      this.#sayTimer = 0;
      this.#told = { ...this.store.problems };
      this.querySelector('[data-say]').textContent = `${this.#told.error} errors and ${this.#told.warn} warnings in this log`;
    }, SAY_EVERY);
  }

  // --- moving about ---

  pin() {
    if (this.#list.last) this.#list.show(this.#list.last);
    this.view.scrollTop = this.view.scrollHeight;
  }

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

  /** Bring a line into the middle, opening what it is folded into; its element. */
  reveal(line) {
    this.follow(false);
    if (this.filter.openTo(line) || !line.item?.group?.el.isConnected) this.show();
    if (!this.filter.passes(line)) { this.controls.showEverything(); this.show(); }
    this.#list.place(line.item, this.view.clientHeight / 2);
    line.item.el.scrollIntoView({ block: 'nearest' }); // the page itself may be elsewhere
    return line.item.el;
  }

  #goToHash() {
    const [, from, to] = /^#L(\d+)(?:-L?(\d+))?$/.exec(location.hash) ?? [];
    return Boolean(from) && this.#goTo(Number(from), Number(to ?? from));
  }

  // A line that is not here yet is fetched with all that follows it, or waited for when it is still to come.
  #goTo(from, to) {
    this.mark(from, to);
    const isHere = this.#past.reaches(from);
    const line = isHere ? this.store.lineOf(from) : null;
    this.#wanted = line ? null : [from, to];
    if (!isHere) this.#past.fetch(from).catch(() => {}); // the button says that it can be tried again
    if (line) this.reveal(line);
    return Boolean(line) || !isHere;
  }

  mark(a, b) {
    this.#marked = a < b ? [a, b] : [b, a];
    const [from, to] = this.#marked;
    const first = this.store.lineOf(from)?.n ?? from;
    this.#marked[0] = Math.min(first, from);
    for (const { line, el, head } of this.drawn()) if (!head) el.classList.toggle('on', line.n >= this.#marked[0] && line.n <= to);
    return from === to ? `#L${from}` : `#L${from}-L${to}`;
  }
}

customElements.define('log-viewer', LogViewer);
