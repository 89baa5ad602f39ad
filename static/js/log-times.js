// The times of a log, as the reader wants them: local, UTC, or since the start. The choice is remembered.
const KEY = 'log-times';
export const MODES = ['local', 'utc', 'since'];

const pad = (value, width = 2) => String(value).padStart(width, '0');

function clock(at) {
  const time = new Date(at);
  return `${pad(time.getHours())}:${pad(time.getMinutes())}:${pad(time.getSeconds())}.${pad(time.getMilliseconds(), 3)}`;
}

export function clockUtc(at) { return new Date(at).toISOString().slice(11, 23); }

function since(ms) {
  const seconds = Math.max(0, ms) / 1000;
  const hours = Math.floor(seconds / 3600);
  const minutes = Math.floor(seconds / 60) % 60;
  return `+${hours ? `${hours}:${pad(minutes)}` : minutes}:${(seconds % 60).toFixed(1).padStart(4, '0')}`;
}

/** A time in words. `start` is when the run began. */
export function when(at, start, mode) {
  if (mode === 'utc') return `${clockUtc(at)}Z`;
  return mode === 'since' ? since(at - start) : clock(at);
}

export function remembered() {
  try {
    const mode = localStorage.getItem(KEY);
    return MODES.includes(mode) ? mode : 'local';
  } catch { return 'local'; } // storage is switched off
}

export function remember(mode) {
  try { localStorage.setItem(KEY, mode); } catch { /* it holds for this page then */ }
}
