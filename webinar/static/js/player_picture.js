// Which picture is played: whole, small, or sound alone. The choice is this device's, and is kept.

import { play } from "./hls_video.js";
import { remember, remembered } from "./remember.js";

const CHOICE = "picture";
const AUTOMATIC = "automatic";

export class Picture {
  #playing = null;
  #found = [];

  // `base` is the address of the recording, `list` the name of its playlists (live or recording).
  // `query` is what all of them are asked with.
  // `frame` gets data-picture, so that the card for sound alone can lie there.
  constructor(video, { frame, select, base, list, query = "", live = false, onRefused, onTrouble, onStarted = () => {} }) {
    Object.assign(this, { video, frame, select, base, list, query, live, onRefused, onTrouble, onStarted });
    select?.addEventListener("change", () => this.#choose(select.value));
  }

  get hls() {
    return this.#playing?.hls ?? null;
  }

  get isOn() {
    return this.#playing !== null;
  }

  // What there is to choose from; with the whole picture alone there is nothing to ask.
  offer(renditions) {
    this.#found = renditions;
    if (!this.select) return;
    for (const option of this.select.options) {
      option.hidden = option.disabled = option.value !== AUTOMATIC && !renditions.includes(option.value);
    }
    this.select.closest("[data-choice]").hidden = renditions.length < 2;
    this.select.value = this.choice;
  }

  get choice() {
    const choice = remembered(CHOICE);
    return this.#found.includes(choice) && this.#found.length > 1 ? choice : AUTOMATIC;
  }

  start({ at = -1 } = {}) {
    const choice = this.choice;
    this.frame.dataset.picture = choice;
    const path = choice === AUTOMATIC ? this.list : `${choice}/${this.list}`;
    this.#playing = play(this.video, `${this.base}/${path}.m3u8${this.query}`, {
      live: this.live,
      startAt: at,
      onTrouble: this.onTrouble,
      onRefused: (status) => {
        this.#playing = null;
        this.onRefused(status);
      },
    });
    this.onStarted(this.hls);
  }

  stop() {
    this.#playing?.stop();
    this.#playing = null;
  }

  // Goes on where it was, or with the newest when live, at the same speed.
  #choose(choice) {
    remember(CHOICE, choice);
    if (!this.isOn) return;
    const { paused, currentTime, playbackRate } = this.video;
    this.stop();
    this.start({ at: this.live ? -1 : currentTime });
    this.video.defaultPlaybackRate = playbackRate;
    this.video.playbackRate = playbackRate;
    if (!paused) this.video.play().catch(() => {});
  }
}
