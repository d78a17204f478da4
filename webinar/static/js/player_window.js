// The recording window while a page is open: it ends on the second by the server's clock, whatever
// the clock of this machine says, and it is asked for again before it ends: it may have been moved.

import { ask } from "./answers.js";

const LONGEST_TIMER = 2 ** 31 - 1;
const ASK_BEFORE = 20_000;

export class Window {
  #timers = [];
  #endsAt = 0; // by the clock of this page

  // `onMoved(words)`: it ends at another time than was said. `onClosed`: it is over.
  // `onEdition(name)`: which edition of the recording is shown now.
  constructor({ page, onMoved, onClosed, onEdition }) {
    Object.assign(this, { url: page.dataset.placeUrl, onMoved, onClosed, onEdition });
    this.#endsAt = Date.parse(page.dataset.closesAt) - Date.parse(page.dataset.now);
    this.closesAt = Date.parse(page.dataset.closesAt);
    this.#wait();
  }

  // What the server says of it now.
  heard({ closes_at, now, words, edition }) {
    this.onEdition(edition);
    const closesAt = Date.parse(closes_at);
    if (closesAt === this.closesAt) return;
    this.closesAt = closesAt;
    this.#endsAt = performance.now() + closesAt - Date.parse(now);
    this.#wait();
    this.onMoved(words);
  }

  #wait() {
    this.#timers.forEach(clearTimeout);
    const left = Math.max(0, this.#endsAt - performance.now());
    if (left > LONGEST_TIMER) return;
    this.#timers = [setTimeout(() => this.onClosed(), left)];
    if (left > ASK_BEFORE) this.#timers.push(setTimeout(() => this.ask(), left - ASK_BEFORE));
  }

  ask() {
    ask(this.url).then(
      (answer) => this.heard(answer),
      ({ status }) => status === 410 && this.onClosed(),
    );
  }
}
