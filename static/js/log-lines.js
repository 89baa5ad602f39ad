// Turns log line objects into elements. Text only ever becomes text nodes.
const ESCAPES = /\x1b\[([\d;]*)m|\x1b\[[\d;?]*[A-Za-z]|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)/g;
const COLOURS = ['', 'red', 'green', 'yellow', 'blue', 'magenta', 'cyan'];
const FOLD_LINES = 40;
const FOLD_CHARS = 6000;
const OPEN_CHARS = 8000; // of a text that is being written, so much of its end is shown

function styled(codes, now) {
  for (const code of (codes || '0').split(';').map(Number)) {
    if (code === 1) now.add('a-bold');
    else if (code === 2 || code === 90) now.add('a-dim');
    else if (code === 0 || code === 39) now.clear();
    else {
      const name = COLOURS[(code >= 90 ? code - 90 : code - 30)];
      if (name) { for (const other of COLOURS) now.delete(`a-${other}`); now.add(`a-${name}`); }
    }
  }
}

/** Append text to an element; colour codes become classes, other terminal codes are dropped. */
export function write(element, text) {
  if (!text.includes('\x1b')) {
    const last = element.lastChild;
    if (last?.nodeType === Node.TEXT_NODE) last.appendData(text); else element.append(text);
    return;
  }
  const now = new Set();
  const put = (part) => {
    if (!part) return;
    if (!now.size) { element.append(part); return; }
    const span = document.createElement('span');
    span.className = [...now].join(' ');
    span.textContent = part;
    element.append(span);
  };
  let from = 0;
  for (const match of text.matchAll(ESCAPES)) {
    put(text.slice(from, match.index));
    from = match.index + match[0].length;
    if (match[1] !== undefined) styled(match[1], now);
  }
  put(text.slice(from));
}

function folded(summary, text) {
  const details = document.createElement('details');
  const head = document.createElement('summary');
  const body = document.createElement('div');
  head.textContent = summary;
  write(body, text);
  details.append(head, body);
  return details;
}

function rest(text) {
  const lines = text.split('\n', FOLD_LINES + 1);
  if (lines.length <= FOLD_LINES && text.length <= FOLD_CHARS) return [text, ''];
  const head = lines.slice(0, 8).join('\n').slice(0, 1200);
  return [head, text.slice(head.length)];
}

const count = (number) => number.toLocaleString('en');

// The whole is another address, so that it opens without scripts' help in a tab of its own, too.
function whole(line, log) {
  const link = document.createElement('a');
  link.className = 'ln-all';
  link.href = `${log}${line.cutAt}/`;
  link.dataset.all = line.cutAt;
  link.textContent = `Show all ${count(line.cut)} characters`;
  return link;
}

/** Show the text of a line as it is now. What is very long is folded; of a text that is being written the end is shown. */
export function fill(element, line, log) {
  const body = element.querySelector('.tx');
  const from = line.open && line.text.length > OPEN_CHARS ? line.text.length - OPEN_CHARS / 2 : 0;
  const [head, tail] = line.open ? [line.text.slice(from), ''] : rest(line.text);
  element.querySelectorAll('details').forEach((details) => details.remove());
  element.classList.toggle('open', line.open);
  element.dataset.from = from;
  element.dataset.shown = line.text.length;
  body.replaceChildren();
  write(body, from ? `[${count(from)} characters before]\n${head}` : head);
  if (tail) element.append(folded(`${count(tail.split('\n').length)} more lines, ${count(tail.length)} characters`, tail));
  if (!line.more) return;
  const details = folded('Details', line.more);
  if (line.cut) details.lastElementChild.append(whole(line, log));
  element.append(details);
}

/** Add what a text has got since it was last shown. */
export function grow(element, line, log) {
  const { from, shown } = element.dataset;
  // Colours go on over pieces, and a code may be cut in two: such a text is written anew.
  if (!line.open || line.text.length - from > OPEN_CHARS || line.text.includes('\x1b')) { fill(element, line, log); return; }
  write(element.querySelector('.tx'), line.text.slice(shown));
  element.classList.add('open');
  element.dataset.shown = line.text.length;
}

/** The element of one line. `shown` says how: the time in words, the address of the log. */
export function build(line, shown) {
  const element = document.createElement('div');
  const who = document.createElement('b');
  const body = document.createElement('span');
  element.className = `ln kind-${line.kind}`;
  element.id = `L${line.n}`;
  element.dataset.n = line.n;
  element.dataset.level = line.level;
  element.dataset.kind = line.kind;
  element.dataset.when = shown.when(line.at);
  who.textContent = line.source;
  who.title = line.source;
  body.className = 'tx';
  element.append(who, body);
  fill(element, line, shown.log);
  return element;
}

function toggle(step, isClosed) {
  const button = document.createElement('button');
  button.type = 'button';
  button.className = 'fold';
  button.dataset.fold = step.key;
  button.ariaExpanded = String(!isClosed);
  button.ariaLabel = `Lines of ${step.label}`;
  return button;
}

function figures(step) {
  const note = document.createElement('span');
  note.className = 'ln-note';
  note.textContent = step.note;
  return note;
}

/** A line that opens a step: its lines can be folded away, and what it took stands beside it. */
export function foldHead(element, step, isClosed) {
  element.classList.add('head');
  element.prepend(toggle(step, isClosed));
  element.querySelector('.tx').after(figures(step));
}

/** The element of a fold that no line of the log opens. */
export function buildHead(step, item, isClosed) {
  const element = document.createElement('div');
  const body = document.createElement('span');
  element.className = `ln head made kind-${step.kind}`;
  element.dataset.depth = Math.min(4, item.depth);
  body.className = 'tx';
  body.textContent = step.label;
  element.append(toggle(step, isClosed), body, figures(step));
  return element;
}
