// Where a person was: kept in this browser at once, on the server for other devices; the newest wins.

import { csrfToken } from "./answers.js";
import { remember, remembered } from "./remember.js";

const KEEP = 5_000;
const TELL = 30_000;
// Nearer to the beginning or to the end there is nothing to go back to.
const FROM_START = 5;
const TO_END = 10;

export class Place {
  #toldAt = 0;
  #told = null;

  // `timeline`: places are kept in source time, so that a later cut moves none.
  // `onWindow`: the server's answer says until when one may watch. `onClosed`: it is over.
  constructor(video, { page, timeline, onWindow, onClosed }) {
    const { place, placeUrl, person, recording } = page.dataset;
    Object.assign(this, { video, timeline, onWindow, onClosed, url: placeUrl });
    this.key = `place:${person}:${recording}`;
    this.before = newest(place ? JSON.parse(place) : null, this.#here());
    setInterval(() => video.paused || this.#keep(), KEEP);
    setInterval(() => video.paused || this.#tell(), TELL);
    video.addEventListener("pause", () => this.#keepAndTell());
    video.addEventListener("seeked", () => this.#keep());
    addEventListener("pagehide", () => this.#keepAndTell({ leaving: true }));
    document.addEventListener("visibilitychange", () => document.hidden && this.#keepAndTell({ leaving: true }));
  }

  // Seconds of shown time to go on at; null for the beginning.
  get startAt() {
    if (this.before === null) return null;
    const shown = this.timeline.shownOf(this.before.seconds * 1000) / 1000;
    const { duration } = this.video;
    return shown > FROM_START && !(shown >= duration - TO_END) ? shown : null;
  }

  #here() {
    try {
      const [seconds, at] = JSON.parse(remembered(this.key));
      return { seconds, age_seconds: Math.max(0, (Date.now() - at) / 1000) };
    } catch {
      return null;
    }
  }

  get #seconds() {
    return Math.round(this.timeline.sourceOf(this.video.currentTime * 1000)) / 1000;
  }

  #keep() {
    if (this.video.currentTime > 0) remember(this.key, JSON.stringify([this.#seconds, Date.now()]));
  }

  #keepAndTell(options) {
    this.#keep();
    this.#tell(options);
  }

  // Not by the way all else is asked: it must also leave with the page.
  async #tell({ leaving = false } = {}) {
    const seconds = this.#seconds;
    if (this.video.currentTime === 0 || seconds === this.#told) return;
    if (leaving && performance.now() - this.#toldAt < 1_000) return;
    this.#toldAt = performance.now();
    this.#told = seconds;
    const answer = await fetch(this.url, {
      method: "POST",
      headers: { "Content-Type": "application/json", "X-CSRFToken": csrfToken() },
      body: JSON.stringify({ seconds, age_seconds: 0 }),
      keepalive: leaving,
    }).catch(() => null);
    if (answer?.ok) this.onWindow(await answer.json());
    else if (answer?.status === 410) this.onClosed();
  }
}

function newest(there, here) {
  if (there === null || here === null) return there ?? here;
  return here.age_seconds <= there.age_seconds ? here : there;
}
