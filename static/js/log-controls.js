// The toolbar and the keys of a <log-viewer>; the viewer itself only knows lines.
import { Finder } from './log-find.js';

const GUTTER = 44; // pixels at the start of a line that hold its number

export class Controls {
  #anchor = 0;
  #timer = 0;

  constructor(log, signal) {
    this.log = log;
    this.view = log.view;
    this.finder = new Finder(log, log.querySelector('[data-hits]'));
    const on = (target, name, handler, options = {}) => target?.addEventListener(name, handler, { ...options, signal });
    on(log, 'click', (event) => this.#click(event));
    on(this.view, 'scroll', () => log.scrolled(), { passive: true });
    on(this.view, 'wheel', (event) => event.deltaY < 0 && log.follow(false), { passive: true });
    on(this.view, 'touchmove', () => log.follow(false), { passive: true });
    on(this.view, 'keydown', (event) => this.#key(event));
    on(this.view, 'copy', (event) => this.#copySelection(event));
    on(document, 'fullscreenchange', () => this.press('[data-full]', document.fullscreenElement === log));
    on(log.querySelector('[data-only]'), 'change', (event) => log.only(event.target.value));
    this.times = log.querySelector('[data-times]');
    if (this.times) this.times.value = log.times;
    on(this.times, 'change', () => log.retime(this.times.value));
    this.#listenToFind(log.querySelector('[data-find]'), on);
    this.#filter();
  }

  #listenToFind(find, on) {
    on(find, 'input', () => {
      clearTimeout(this.#timer);
      this.#timer = setTimeout(() => this.finder.search(find.value), 120);
    });
    on(find, 'keydown', (event) => {
      if (event.key === 'Enter') { event.preventDefault(); this.finder.step(event.shiftKey ? -1 : 1); }
      if (event.key === 'Escape') { find.value = ''; this.finder.search(''); this.view.focus(); }
    });
  }

  press(selector, on) {
    const button = this.log.querySelector(selector);
    if (button) button.ariaPressed = String(on);
  }

  #off(name) {
    return [...this.log.querySelectorAll(`[data-toggle-${name}][aria-pressed=false]`)].map((button) => button.getAttribute(`data-toggle-${name}`));
  }

  #filter() { this.log.filter.hide(this.#off('level'), this.#off('kind')); }

  /** Let all lines through again, because one is to be seen that the filters hide. */
  showEverything() {
    for (const button of this.log.querySelectorAll('[data-toggle-level], [data-toggle-kind]')) button.ariaPressed = 'true';
    const only = this.log.querySelector('[data-only]');
    if (only) only.value = '';
    this.log.filter.source = '';
    this.log.within('');
    this.#filter();
  }

  /** Say which step's lines are shown. */
  stepShown(step) {
    const chip = this.log.querySelector('[data-step-chip]');
    if (!chip) return;
    chip.hidden = !step;
    chip.querySelector('span').textContent = step && this.log.store.nameOf(step);
  }

  /** How many warnings and errors there are; the first of them is one press away. */
  problems(warn, error) {
    const button = this.log.querySelector('[data-first-problem]');
    const words = [[error, 'error'], [warn, 'warning']].filter(([count]) => count).map(([count, word]) => `${count.toLocaleString('en')} ${word}${count === 1 ? '' : 's'}`);
    button.hidden = !words.length;
    button.textContent = words.join(', ');
  }

  #click(event) {
    const line = event.target.closest('.ln[data-n]');
    const button = event.target.closest('button, a, summary');
    if (line && !button && event.clientX - line.getBoundingClientRect().left < GUTTER) this.#pick(line, event.shiftKey);
    if (!button || !this.log.contains(button)) return;
    if (button.matches('[data-follow]')) this.log.follow(!this.log.following);
    else if (button.matches('[data-jump]')) this.log.follow(true);
    else if (button.matches('[data-wrap-toggle]')) this.#wrap(button);
    else if (button.matches('[data-copy]')) this.#copy(button);
    else if (button.matches('[data-full]')) this.#fullScreen();
    else if (button.matches('[data-first-problem]')) this.#toProblem(true);
    else if (button.matches('[data-fold]')) this.#fold(button);
    else if (button.matches('[data-fold-all]')) { this.log.filter.closeAll(!this.log.filter.hasClosed); this.#folded(); }
    else if (button.matches('[data-step-chip]')) this.log.within('');
    else if (button.matches('[data-all]')) this.#all(event, button);
    else if (button.matches('[data-toggle-level], [data-toggle-kind]')) {
      button.ariaPressed = String(button.ariaPressed !== 'true');
      this.#filter();
      this.log.show();
    }
  }

  #wrap(button) {
    const on = this.log.dataset.wrap !== 'on';
    this.log.dataset.wrap = on ? 'on' : 'off';
    button.ariaPressed = String(on);
  }

  #fold(button) {
    const key = button.dataset.fold;
    this.log.filter.close(key, !this.log.filter.isClosed(key));
    const wasFollowing = this.log.following;
    this.log.follow(false);
    this.#folded();
    // The reader stays at the fold they used.
    this.view.querySelector(`[data-fold="${CSS.escape(key)}"]`)?.focus({ preventScroll: true });
    if (wasFollowing) this.log.scrolled();
  }

  #folded() {
    this.press('[data-fold-all]', this.log.filter.hasClosed);
    this.log.show();
    this.finder.again();
  }

  async #all(event, link) {
    if (event.metaKey || event.ctrlKey || event.shiftKey) return;
    event.preventDefault();
    const line = link.closest('.ln').item;
    link.ariaBusy = 'true';
    try {
      await this.log.whole(Number(link.dataset.all));
      const details = line.el?.querySelector('details:last-of-type');
      if (details) { details.open = true; details.querySelector('summary').focus({ preventScroll: true }); }
    } catch {
      link.textContent = 'It could not be fetched. Try again';
      link.ariaBusy = 'false';
    }
  }

  // The clipboard is asked at once and filled when the text is here: later it would be no answer to the press any more.
  async #copy(button) {
    const text = this.log.text();
    button.ariaBusy = 'true';
    try {
      const content = text.then((found) => new Blob([found], { type: 'text/plain' }));
      await navigator.clipboard.write([new ClipboardItem({ 'text/plain': content })]);
      this.#toast('The whole log is copied.', 'ok');
    } catch {
      this.#toast('The log could not be copied. Download it instead.', 'warn');
    }
    button.ariaBusy = 'false';
  }

  #toast(text, tone) {
    this.log.dispatchEvent(new CustomEvent('app:toast', { detail: { text, tone }, bubbles: true }));
  }

  #fullScreen() {
    if (document.fullscreenElement) document.exitFullscreen();
    else this.log.requestFullscreen?.();
  }

  // A click on a line number makes a link to it; with Shift, to everything in between.
  #pick(line, extend) {
    const n = Number(line.dataset.n);
    this.#anchor = extend && this.#anchor ? this.#anchor : n;
    history.replaceState(history.state, '', this.log.mark(this.#anchor, n));
    this.log.follow(false);
  }

  #copySelection(event) {
    const selection = document.getSelection();
    const lines = this.log.drawn().filter((item) => !item.head && selection.containsNode(item.el, true)).map((item) => item.line);
    if (lines.length < 2) return; // part of one line: the browser's own copy is right
    event.preventDefault();
    event.clipboardData.setData('text/plain', this.log.store.textOf(lines));
  }

  // The first problem, or the next one below the middle; errors before warnings.
  #toProblem(first) {
    const lines = this.log.store.lines;
    const errors = lines.filter((line) => line.level === 'error');
    const found = errors.length ? errors : lines.filter((line) => line.level === 'warn');
    const middle = this.view.getBoundingClientRect().top + this.view.clientHeight / 2 + 10;
    const below = this.log.drawn().find((item) => item.el.getBoundingClientRect().top > middle)?.n ?? Infinity;
    const next = (first ? null : found.find((line) => line.n >= below)) ?? found[0];
    if (!next) return;
    this.log.reveal(next);
    this.log.mark(next.n, next.n);
    this.view.focus({ preventScroll: true });
  }

  // Single keys act only while the log itself has the focus (WCAG 2.1.4).
  #key(event) {
    if (event.metaKey || event.ctrlKey || event.altKey) return;
    const key = event.key.toLowerCase();
    if (['pageup', 'arrowup', 'home'].includes(key)) this.log.follow(false);
    else if (key === 'end') this.log.follow(true);
    else if (key === '/') { event.preventDefault(); this.log.querySelector('[data-find]').focus(); }
    else if (key === 'f') this.log.follow(!this.log.following);
    else if (key === 'w') this.log.querySelector('[data-wrap-toggle]').click();
    else if (key === 'e') this.#toProblem(false);
  }
}
