// Find in the log: plain text search over all lines, marked with CSS custom highlights, so the lines themselves stay untouched.
const MAX_MARKED = 1500;
const FEWEST = 2; // letters

function ranges(element, needle) {
  const found = [];
  const walker = document.createTreeWalker(element, NodeFilter.SHOW_TEXT);
  for (let node = walker.nextNode(); node; node = walker.nextNode()) {
    const text = node.data.toLowerCase();
    for (let at = text.indexOf(needle); at >= 0; at = text.indexOf(needle, at + needle.length)) {
      const range = new Range();
      range.setStart(node, at);
      range.setEnd(node, at + needle.length);
      found.push(range);
    }
  }
  return found;
}

export class Finder {
  #hits = [];
  #now = -1;
  #needle = '';

  constructor(log, output) {
    this.log = log;
    this.output = output;
  }

  /** Look through all lines that the filters let through, and go to the first hit. */
  search(text) {
    const began = performance.now();
    this.#needle = text.trim().toLowerCase();
    this.#now = -1;
    this.#look();
    if (this.#hits.length) this.step(1);
    else this.#say();
    performance.measure('log-find', { start: began });
  }

  /** The lines have changed: what is found now, without going anywhere. */
  again() {
    if (!this.#needle) return;
    const n = this.#hits[this.#now]?.n;
    this.#look();
    this.#now = this.#hits.findIndex((line) => line.n === n);
    this.#say();
  }

  #look() {
    const quoted = new RegExp(this.#needle.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'), 'i');
    this.#hits = this.#needle.length < FEWEST
      ? []
      : this.log.passing().filter((line) => quoted.test(line.text) || quoted.test(line.source) || (line.more && quoted.test(line.more)));
    this.mark();
  }

  #say() {
    if (this.#needle.length < FEWEST) this.output.textContent = '';
    else this.output.textContent = this.#hits.length ? `${Math.max(0, this.#now) + 1}/${this.#hits.length}` : 'none';
  }

  step(by) {
    if (!this.#hits.length) return;
    this.#now = (this.#now + by + this.#hits.length) % this.#hits.length;
    const line = this.log.reveal(this.#hits[this.#now]);
    for (const details of line.querySelectorAll('details')) {
      if (details.textContent.toLowerCase().includes(this.#needle)) details.open = true;
    }
    this.#say();
    this.mark();
  }

  /** Mark the hits among the lines that are drawn. */
  mark() {
    if (!CSS.highlights) return;
    CSS.highlights.delete('log-hit');
    CSS.highlights.delete('log-now');
    if (!this.#hits.length) return;
    const hits = new Set(this.#hits);
    const marked = [];
    for (const item of this.log.drawn()) {
      if (marked.length >= MAX_MARKED) break;
      if (hits.has(item.line)) marked.push(...ranges(item.el, this.#needle));
    }
    CSS.highlights.set('log-hit', new Highlight(...marked));
    const now = this.#hits[this.#now];
    if (now?.item?.el) CSS.highlights.set('log-now', new Highlight(...ranges(now.item.el, this.#needle)));
  }
}
