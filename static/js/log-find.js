// Find in the log: plain text search, marked with CSS custom highlights, so the lines themselves stay untouched.
const MAX_MARKED = 1500;

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

  constructor(view, output, reveal) {
    this.view = view;
    this.output = output;
    this.reveal = reveal;
  }

  search(text) {
    this.#needle = text.trim().toLowerCase();
    this.#hits = [];
    this.#now = -1;
    CSS.highlights?.delete('log-hit');
    CSS.highlights?.delete('log-now');
    this.output.textContent = '';
    if (this.#needle.length < 2) return;
    for (const line of this.view.querySelectorAll('.ln')) {
      if (line.textContent.toLowerCase().includes(this.#needle)) this.#hits.push(line);
    }
    this.#mark();
    if (this.#hits.length) this.step(1); else this.output.textContent = 'none';
  }

  step(by) {
    if (!this.#hits.length) return;
    this.#now = (this.#now + by + this.#hits.length) % this.#hits.length;
    const line = this.#hits[this.#now];
    for (const details of line.querySelectorAll('details')) {
      if (details.textContent.toLowerCase().includes(this.#needle)) details.open = true;
    }
    if (CSS.highlights) CSS.highlights.set('log-now', new Highlight(...ranges(line, this.#needle)));
    this.output.textContent = `${this.#now + 1}/${this.#hits.length}`;
    this.reveal(line);
  }

  #mark() {
    if (!CSS.highlights) return;
    const marked = [];
    for (const line of this.#hits) {
      if (marked.length >= MAX_MARKED) break;
      marked.push(...ranges(line, this.#needle));
    }
    CSS.highlights.set('log-hit', new Highlight(...marked));
  }
}
