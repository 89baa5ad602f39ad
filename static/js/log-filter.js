// Which lines of a log are shown: levels, kinds, one source, one step, and what is folded away.
const KINDS = { model: ['model', 'content', 'reasoning'], tool: ['tool', 'knowledge', 'artifact'] };
const HEADED = new Set(['run', 'model']); // steps without a line that opens them: a line is made for the fold

export class LogFilter {
  #heads = new Map();
  #closed = new Set();
  levels = new Set();
  kinds = new Set();
  source = '';
  step = '';

  constructor(store) { this.store = store; }

  /** What is not to be shown; names as the toolbar has them. */
  hide(levels, kinds) {
    this.levels = new Set(levels);
    this.kinds = new Set(kinds.flatMap((kind) => KINDS[kind] ?? [kind]));
  }

  passes(line) {
    return !this.levels.has(line.level) && !this.kinds.has(line.kind)
      && (!this.source || line.source === this.source)
      && (!this.step || this.store.isWithin(line.step, this.step));
  }

  isClosed(key) { return this.#closed.has(key); }

  close(key, on) { if (on) this.#closed.add(key); else this.#closed.delete(key); }

  closeAll(on) {
    this.#closed.clear();
    if (on) for (const step of this.store.steps.values()) if (step.kind !== 'run') this.#closed.add(step.key);
  }

  get hasClosed() { return this.#closed.size > 0; }

  /** Open everything that hides a line. */
  openTo(line) {
    const shut = this.store.path(line.step).filter((step) => this.#closed.delete(step.key));
    return shut.length > 0;
  }

  /** The step that a line opens, if it does. */
  opens(line) {
    const step = this.store.steps.get(line.step);
    return step && step.first === line.n && !HEADED.has(step.kind) ? step : undefined;
  }

  /** The head of a step's fold, where it has been shown. */
  head(key) { return this.#heads.get(key); }

  /** Everything that is to be shown, from the start. */
  all() {
    this.#heads.clear();
    return this.store.lines.flatMap((line) => this.items(line));
  }

  /** What a line adds to the list: the heads of steps that begin with it, then itself, unless it is folded away. */
  items(line) {
    if (!this.passes(line)) return [];
    const items = [];
    for (const [depth, step] of this.store.path(line.step).entries()) {
      const isOwn = step.first === line.n && !HEADED.has(step.kind);
      // A request that said nothing is one line, and that line says it all.
      if (HEADED.has(step.kind) && line.kind !== 'model' && !this.#heads.has(step.key)) {
        const head = { head: step.key, line, n: line.n, depth: Math.max(0, depth - 1) };
        this.#heads.set(step.key, head);
        items.push(head);
      }
      if (this.#closed.has(step.key) && !isOwn) return items;
    }
    line.item = { line, n: line.n };
    return [...items, line.item];
  }

  depth(line) {
    const path = this.store.path(line.step);
    return Math.max(0, path.length - 1 - (this.opens(line) ? 1 : 0) - (line.kind === 'model' && !this.#heads.has(line.step) ? 1 : 0));
  }
}
