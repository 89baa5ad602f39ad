// A websocket that comes back by itself and always continues after the last line the page has.
const FIRST_WAIT = 250;
const LONGEST_WAIT = 5000;

export class LogSocket {
  #socket = null;
  #timer = 0;
  #tries = 0;
  #stopped = false;

  constructor(source, { after, frame, state }) {
    this.source = source;
    this.after = after;
    this.frame = frame;
    this.state = state;
  }

  open() {
    if (this.#stopped) return;
    const address = new URL(this.source, location.href);
    address.protocol = location.protocol === 'https:' ? 'wss:' : 'ws:';
    address.searchParams.set('after', this.after());
    const socket = new WebSocket(address);
    this.#socket = socket;
    socket.addEventListener('open', () => { if (socket === this.#socket) this.state('live'); });
    socket.addEventListener('message', (event) => {
      if (socket !== this.#socket) return;
      this.#tries = 0;
      this.frame(JSON.parse(event.data));
    });
    socket.addEventListener('close', () => { if (socket === this.#socket) this.#retry(); });
  }

  /** Begin anew after the last line the page has: what came in does not follow it. */
  again() {
    const socket = this.#socket;
    this.#retry();
    socket?.close(1000);
  }

  #retry() {
    this.#socket = null;
    if (this.#stopped) return;
    this.state('retrying');
    const wait = Math.min(LONGEST_WAIT, FIRST_WAIT * 2 ** this.#tries);
    this.#tries += 1;
    // Jitter: a restarted server must not meet every open page in the same instant.
    this.#timer = setTimeout(() => this.open(), wait * (0.7 + Math.random() * 0.6));
  }

  stop() {
    this.#stopped = true;
    clearTimeout(this.#timer);
    this.#socket?.close(1000);
    this.#socket = null;
  }
}
