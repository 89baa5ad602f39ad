// Turns log line objects into elements. Text only ever becomes text nodes.
const ESCAPES = /\x1b\[([\d;]*)m|\x1b\[[\d;?]*[A-Za-z]|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)/g;
const COLOURS = ['', 'red', 'green', 'yellow', 'blue', 'magenta', 'cyan'];
const FOLD_LINES = 40;
const FOLD_CHARS = 6000;

const pad = (value, width = 2) => String(value).padStart(width, '0');

export function clock(at) {
  const time = new Date(at);
  return `${pad(time.getHours())}:${pad(time.getMinutes())}:${pad(time.getSeconds())}.${pad(time.getMilliseconds(), 3)}`;
}

export function since(ms) {
  const seconds = Math.max(0, ms) / 1000;
  const hours = Math.floor(seconds / 3600);
  const minutes = Math.floor(seconds / 60) % 60;
  return `+${hours ? `${hours}:${pad(minutes)}` : minutes}:${(seconds % 60).toFixed(1).padStart(4, '0')}`;
}

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
  const lines = text.split('\n');
  if (lines.length <= FOLD_LINES && text.length <= FOLD_CHARS) return [text, ''];
  const head = lines.slice(0, 8).join('\n').slice(0, 1200);
  return [head, text.slice(head.length)];
}

/** Replace the text of a line; a very long text is folded behind its first lines. */
export function fill(element, text, more) {
  const body = element.querySelector('.tx');
  const [head, tail] = rest(text);
  body.replaceChildren();
  element.querySelectorAll('details').forEach((details) => details.remove());
  write(body, head);
  if (tail) element.append(folded(`${tail.split('\n').length} more lines`, tail));
  if (more) element.append(folded('Details', more));
}

/** Build the element of one line. `start` is the time of the first line, for relative times. */
export function build(line, start) {
  const element = document.createElement('div');
  const who = document.createElement('b');
  const body = document.createElement('span');
  element.className = `ln kind-${line.kind}`;
  element.id = `L${line.n}`;
  element.dataset.n = line.n;
  element.dataset.level = line.level;
  element.dataset.kind = line.kind;
  element.dataset.clock = clock(line.at);
  element.dataset.since = since(line.at - start);
  who.textContent = line.source ?? '';
  who.title = line.source ?? '';
  body.className = 'tx';
  element.append(who, body);
  fill(element, line.text ?? '', line.more);
  return element;
}

/** A line as plain text, for the clipboard. */
export function plain(element) {
  const parts = [element.querySelector('.tx'), ...element.querySelectorAll('details > div')];
  const text = parts.map((part) => part.textContent).join('\n').trimEnd();
  return `${element.dataset.clock}  ${element.querySelector('b').textContent}  ${text}`;
}
