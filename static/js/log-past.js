// The part of a log that was written before what the page began with. It is fetched in the background, backwards, without gaps.
const PART = 2500;
const ENOUGH = 50_000; // events that are fetched without being asked for
const MORE = 10_000;   // events that one press of the button brings
const TRIES = 6;
const PAUSE = 500;

export class LogPast {
  #reached;
  #target;
  #working = null;
  #stopped = false;

  /** Events after `first` are in the page. `take` gets operations and steps that come before, oldest first. */
  constructor(address, first, take, button) {
    this.address = address;
    this.take = take;
    this.button = button;
    this.#reached = first;
    this.#target = first;
    this.#show();
    button?.addEventListener('click', () => this.fetch(this.#reached - MORE));
  }

  stop() { this.#stopped = true; }

  /** Whether event `n`, if there is one, is in the page. */
  reaches(n) { return n > this.#reached; }

  /** Fetch back to event `n`; without it, as much as is good for a page. */
  fetch(n = this.#reached - ENOUGH) {
    this.#target = Math.max(0, Math.min(this.#target, n - 1));
    if (!this.address || this.#reached <= this.#target) return Promise.resolve();
    this.#working ??= this.#work().finally(() => { this.#working = null; this.#show(); });
    return this.#working;
  }

  /** Fetch everything. Fails when the server does not answer. */
  async all() {
    while (this.#reached && this.address) await this.fetch(0);
  }

  async #work() {
    let reached = this.#reached;
    const parts = [];
    this.#show();
    while (reached > this.#target && !this.#stopped) {
      const after = Math.max(0, reached - PART);
      parts.unshift(await this.#part(after, reached));
      reached = after;
    }
    if (this.#stopped) return;
    this.#reached = reached;
    this.take({ ops: parts.flatMap((part) => part.lines), steps: parts.flatMap((part) => part.steps) });
  }

  async #part(after, upto) {
    for (let tries = 1; ; tries += 1) {
      try {
        const answer = await fetch(`${this.address}?after=${after}&upto=${upto}`);
        if (!answer.ok) throw new Error(`The server answered ${answer.status}.`);
        return await answer.json();
      } catch (error) {
        if (tries >= TRIES || this.#stopped) throw error;
        await new Promise((resolve) => { setTimeout(resolve, PAUSE * 2 ** tries); });
      }
    }
  }

  #show() {
    if (!this.button) return;
    this.button.hidden = !this.#reached;
    this.button.disabled = Boolean(this.#working);
    this.button.textContent = this.#working ? 'Loading earlier lines…' : `Load earlier lines, ${this.#reached.toLocaleString('en')} events`;
  }
}
