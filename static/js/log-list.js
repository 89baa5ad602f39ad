// A long list in one scroll area. Its items are grouped; only groups near what is seen have elements, the others keep their height.
const SIZE = 50;
const ROW = 20;
const NEAR = '700px 0px';

export class LogList {
  #groups = [];
  #near;

  /** `draw` makes the element of an item. An item knows its element as `el`, while it has one. */
  constructor(view, draw) {
    this.view = view;
    this.draw = draw;
    this.#near = new IntersectionObserver((entries) => entries.forEach((entry) => {
      const group = this.#groups.find((one) => one.el === entry.target);
      if (!group) return;
      if (entry.isIntersecting) this.#fill(group); else this.#clear(group);
    }), { root: view, rootMargin: NEAR });
  }

  stop() { this.#near.disconnect(); }

  get first() { return this.#groups[0]?.items[0]; }

  get last() { return this.#groups.at(-1)?.items.at(-1); }

  /** Replace everything. Nothing is drawn before it is near, or asked for with `show`. */
  reset(items) {
    for (const group of this.#groups) { this.#forget(group); group.el.remove(); }
    this.#near.disconnect();
    this.#groups = [];
    const made = document.createDocumentFragment();
    for (let from = 0; from < items.length; from += SIZE) made.append(this.#group(items.slice(from, from + SIZE)).el);
    this.view.append(made);
    for (const group of this.#groups) this.#near.observe(group.el);
  }

  #group(items) {
    const el = document.createElement('div');
    el.className = 'chunk';
    const group = { el, items, drawn: false };
    for (const item of items) Object.assign(item, { group, el: null });
    this.#groups.push(group);
    this.#guess(group);
    return group;
  }

  #guess(group) { group.el.style.blockSize = `${group.items.length * ROW}px`; }

  push(item) {
    let group = this.#groups.at(-1);
    if (!group || group.items.length >= SIZE) {
      group = this.#group([]);
      // What comes last is drawn at once while the end is seen.
      this.#fill(group);
      this.view.append(group.el);
      this.#near.observe(group.el);
    }
    group.items.push(item);
    Object.assign(item, { group, el: null });
    if (group.drawn) group.el.append(this.#make(item)); else this.#guess(group);
  }

  #make(item) {
    item.el = this.draw(item);
    item.el.item = item;
    return item.el;
  }

  /** Draw an item anew, where it is drawn. */
  redraw(item) {
    const old = item.el;
    if (old) old.replaceWith(this.#make(item));
  }

  #fill(group) {
    if (group.drawn) return;
    const { el } = group;
    const before = el.offsetHeight;
    const isAbove = el.isConnected && el.getBoundingClientRect().bottom <= this.view.getBoundingClientRect().top;
    group.drawn = true;
    el.style.blockSize = '';
    el.replaceChildren(...group.items.map((item) => this.#make(item)));
    // What is seen stays where it is, although the height was a guess.
    if (isAbove) this.view.scrollTop += el.offsetHeight - before;
    this.filled?.(group.items);
  }

  #clear(group) {
    if (!group.drawn || group === this.#groups.at(-1)) return;
    if (group.el.contains(document.activeElement) || document.getSelection()?.containsNode(group.el, true)) return;
    group.el.style.blockSize = `${group.el.offsetHeight}px`;
    group.el.replaceChildren();
    this.#forget(group);
  }

  #forget(group) {
    group.drawn = false;
    for (const item of group.items) item.el = null;
  }

  /** The element of an item, drawn if it was not. */
  show(item) {
    this.#fill(item.group);
    return item.el;
  }

  /** The items that have elements. */
  get drawn() { return this.#groups.filter((group) => group.drawn).flatMap((group) => group.items); }

  /** The first item that is seen, and how far below the upper edge it begins. */
  get anchor() {
    const { top } = this.view.getBoundingClientRect();
    for (const group of this.#groups) {
      if (!group.drawn || group.el.getBoundingClientRect().bottom <= top) continue;
      const item = group.items.find((one) => one.el.getBoundingClientRect().bottom > top);
      if (item) return { item, offset: item.el.getBoundingClientRect().top - top };
    }
    return null;
  }

  /** Bring an item to a place below the upper edge. */
  place(item, offset) {
    const el = this.show(item);
    this.view.scrollTop += el.getBoundingClientRect().top - this.view.getBoundingClientRect().top - offset;
  }
}
