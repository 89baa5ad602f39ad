// What the page knows of a run's log: the line operation of every event, in order, folded to lines. Knows nothing of elements.
import { clockUtc } from './log-times.js';

const INDENT = '\n    ';

/** One operation as it stands in the downloaded text: time, level, source, what happened. */
function textOf(op, text = op.text) {
  const body = (op.more ? `${text}\n${op.more}` : text).replaceAll('\n', INDENT);
  return `${clockUtc(op.at)}  ${op.level.padEnd(5)}  ${op.source}: ${body}\n`;
}

export class LogStore {
  #ops = [];
  #byKey = new Map();
  #lineOf = new Map();
  #paths = new Map();
  lines = [];
  steps = new Map();
  problems = { warn: 0, error: 0 };

  /** How many events are here. */
  get events() { return this.#ops.length; }

  /** Take the next operation; the line it made or changed. */
  take(op) {
    this.#ops.push(op);
    return this.#fold(op);
  }

  /** Take what came before everything that is here. All lines are made anew. */
  takeEarlier(ops) {
    this.#ops = ops.concat(this.#ops);
    this.#byKey.clear();
    this.#lineOf.clear();
    this.lines = [];
    this.problems = { warn: 0, error: 0 };
    for (const op of this.#ops) this.#fold(op);
  }

  #fold(op) {
    let line = this.#byKey.get(op.key);
    if (line) {
      if (op.op === 'append') { line.text += op.text ?? ''; line.open = true; }
      else if (op.op === 'final') Object.assign(line, { text: op.text ?? '', more: op.more, cut: op.cut, cutAt: op.n, open: false });
    } else {
      line = { ...op, text: op.text ?? '', source: op.source ?? '', open: op.op === 'append', cutAt: op.n, place: this.lines.length };
      this.#byKey.set(op.key, line);
      this.lines.push(line);
      if (line.level in this.problems) this.problems[line.level] += 1;
    }
    this.#lineOf.set(op.n, line);
    return line;
  }

  /** The line that shows event `n`, which may be a piece of its text; the next one when there is none. */
  lineOf(n) {
    return this.#lineOf.get(n) ?? this.lines.find((line) => line.n >= n);
  }

  setSteps(steps) {
    for (const step of steps ?? []) this.steps.set(step.key, step);
    if (steps?.length) this.#paths.clear();
  }

  /** Whether the step is the other one or inside it; the other may be named by what it is alike to. */
  isWithin(key, other) {
    return this.path(key).some((step) => step.key === other || step.alike === other);
  }

  /** What a step, or those that are alike, is called. */
  nameOf(key) {
    const step = this.steps.get(key) ?? [...this.steps.values()].find((one) => one.alike === key);
    return step?.label ?? '';
  }

  /** The step and everything around it, outermost first. */
  path(key) {
    let path = this.#paths.get(key);
    if (path) return path;
    const step = this.steps.get(key);
    path = step ? [...this.path(step.parent), step] : [];
    this.#paths.set(key, path);
    return path;
  }

  /** What is not here whole, by the numbers of its events. */
  get cut() { return this.#ops.filter((op) => op.cut).map((op) => op.n); }

  /** The whole of what event `n` has behind its line. */
  setWhole(n, more) {
    const op = this.#ops.find((one) => one.n === n);
    const line = this.#lineOf.get(n);
    if (op) Object.assign(op, { more, cut: 0 });
    if (line?.cutAt === n) Object.assign(line, { more, cut: 0 });
    return line;
  }

  /** All of the log as the server's download has it, without the seal at its end. */
  text() {
    const open = new Map();
    let text = '';
    for (const op of this.#ops) {
      if (op.op === 'append') open.set(op.key, { op: open.get(op.key)?.op ?? op, text: (open.get(op.key)?.text ?? '') + op.text });
      else { open.delete(op.key); text += textOf(op); }
    }
    for (const one of open.values()) text += textOf(one.op, one.text);
    return text;
  }

  /** Some lines in the same form. */
  textOf(lines) { return lines.map((line) => textOf(line)).join(''); }
}
