// The toolbar and the keys of a <log-viewer>; the viewer itself only knows lines.
import { Finder } from './log-find.js';
import { plain } from './log-lines.js';

const GUTTER = 44; // pixels at the start of a line that hold its number

export class Controls {
  #anchor = 0;
  #timer = 0;

  constructor(log, signal) {
    this.log = log;
    this.view = log.view;
    this.finder = new Finder(this.view, log.querySelector('[data-hits]'), (line) => log.reveal(line));
    const on = (target, name, handler, options = {}) => target?.addEventListener(name, handler, { ...options, signal });
    on(log, 'click', (event) => this.#click(event));
    on(this.view, 'scroll', () => log.scrolled(), { passive: true });
    on(this.view, 'wheel', (event) => event.deltaY < 0 && log.follow(false), { passive: true });
    on(this.view, 'touchmove', () => log.follow(false), { passive: true });
    on(this.view, 'keydown', (event) => this.#key(event));
    on(this.view, 'copy', (event) => this.#copySelection(event));
    on(document, 'fullscreenchange', () => this.press('[data-full]', document.fullscreenElement === log));
    on(log.querySelector('[data-only]'), 'change', (event) => log.only(event.target.value));
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

  #toggle(button, attribute, on, off) {
    const now = this.log.dataset[attribute] !== on;
    this.log.dataset[attribute] = now ? on : off;
    button.ariaPressed = String(now);
  }

  #filter() {
    const off = (name) => [...this.log.querySelectorAll(`[data-toggle-${name}][aria-pressed=false]`)]
      .map((button) => button.getAttribute(`data-toggle-${name}`)).join(' ');
    this.log.dataset.hideLevels = off('level');
    this.log.dataset.hideKinds = off('kind');
    if (this.log.following) this.log.pin();
  }

  #click(event) {
    const line = event.target.closest('.ln');
    const button = event.target.closest('button');
    if (line && !button && event.clientX - line.getBoundingClientRect().left < GUTTER) this.#pick(line, event.shiftKey);
    if (!button) return;
    if (button.matches('[data-follow]')) this.log.follow(!this.log.following);
    else if (button.matches('[data-jump]')) this.log.follow(true);
    else if (button.matches('[data-wrap-toggle]')) this.#toggle(button, 'wrap', 'on', 'off');
    else if (button.matches('[data-times-toggle]')) this.#toggle(button, 'times', 'relative', 'clock');
    else if (button.matches('[data-copy]')) navigator.clipboard?.writeText(this.#text(this.view.querySelectorAll('.ln')));
    else if (button.matches('[data-full]')) this.#fullScreen();
    else if (button.matches('[data-toggle-level], [data-toggle-kind]')) {
      button.ariaPressed = String(button.ariaPressed !== 'true');
      this.#filter();
    }
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

  #text(lines) { return [...lines].map(plain).join('\n'); }

  #copySelection(event) {
    const selection = document.getSelection();
    const lines = [...this.view.querySelectorAll('.ln')].filter((line) => selection.containsNode(line, true));
    if (lines.length < 2) return; // part of one line: the browser's own copy is right
    event.preventDefault();
    event.clipboardData.setData('text/plain', this.#text(lines));
  }

  #nextProblem() {
    const errors = this.view.querySelectorAll('.ln[data-level=error]');
    const lines = [...(errors.length ? errors : this.view.querySelectorAll('.ln[data-level=warn]'))];
    const middle = this.view.getBoundingClientRect().top + this.view.clientHeight / 2 + 10;
    const next = lines.find((line) => line.getBoundingClientRect().top > middle) ?? lines[0];
    if (!next) return;
    this.log.reveal(next);
    this.log.mark(Number(next.dataset.n), Number(next.dataset.n));
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
    else if (key === 'e') this.#nextProblem();
  }
}
