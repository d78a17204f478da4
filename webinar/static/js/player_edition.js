// A cut or a better file while somebody watches: the page was made for what was shown before, so it
// is loaded again, and goes on at the same moment of source time.

export class Edition {
  #at = null; // { seconds, playing } of the last picture that was seen
  #isOver = false;

  // `onStale`: it was loaded again and is still another one: this does not help.
  constructor(video, { page, timeline, onStale }) {
    Object.assign(this, { video, page, timeline, onStale });
    this.name = page.dataset.edition;
    this.key = `edition:${page.dataset.person}:${page.dataset.recording}`;
    this.before = this.#take();
    // Not while nothing is loaded: then the clock stands at nought, wherever one was.
    const see = () => video.readyState >= HTMLMediaElement.HAVE_CURRENT_DATA && this.#see();
    for (const kind of ["timeupdate", "seeked", "play", "pause"]) video.addEventListener(kind, see);
  }

  // Where to go on after a reload, in milliseconds of source time; null if there was none.
  get startAt() {
    return this.before?.seconds === undefined ? null : this.before.seconds * 1000;
  }

  get wasPlaying() {
    return this.before?.playing === true;
  }

  heard(name) {
    if (name !== undefined && name !== this.name) this.changed();
  }

  changed() {
    if (this.#isOver) return;
    this.#isOver = true;
    if (this.before?.name === this.name) {
      this.onStale();
      return;
    }
    try {
      const { seconds, playing } = this.#at ?? this.before ?? {};
      sessionStorage.setItem(this.key, JSON.stringify({ name: this.name, seconds, playing }));
    } catch {
      // No storage in this browser: it goes on where the server says one was.
    }
    location.reload();
  }

  #see() {
    this.#at = {
      seconds: this.timeline.sourceOf(this.video.currentTime * 1000) / 1000,
      playing: !this.video.paused,
    };
  }

  #take() {
    try {
      const kept = JSON.parse(sessionStorage.getItem(this.key));
      sessionStorage.removeItem(this.key);
      return kept;
    } catch {
      return null;
    }
  }
}
