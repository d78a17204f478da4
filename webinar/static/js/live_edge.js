// How far the picture is behind what is filmed, whether it moves, and the way back to the newest.

import { programmeTime } from "./hls_video.js";

// Behind by more than a healthy picture ever is.
const BEHIND = 4;
// Browsers that play by themselves do not say where the newest is that can be played safely.
const NATIVE_DISTANCE = 3;
const NATIVE_BEHIND = 10;
// Segments one may be behind before the picture jumps: not at all soon for one who wanted it.
const JUMPS = 8;
const STAYS = 120;

export class Edge {
  #hls = null;
  #newest = 0;
  #newsAt = performance.now();
  #answerAt = performance.now();
  #moved = { time: 0, at: performance.now() };

  constructor(video) {
    this.video = video;
    // Who pauses or goes back wants to hear what was said then, until they go to live.
    video.addEventListener("pause", () => this.#allow(STAYS));
    video.addEventListener("seeking", () => video.currentTime < this.#moved.time - 1 && this.#allow(STAYS));
  }

  // A picture begins, perhaps another one.
  follow(hls) {
    this.#hls = hls;
    this.#newsAt = this.#answerAt = performance.now();
    this.#moved = { time: -1, at: performance.now() };
    hls?.on(window.Hls.Events.LEVEL_LOADED, (_event, { details }) => {
      this.#answerAt = performance.now();
      if (details.endSN === this.#newest) return;
      this.#newest = details.endSN;
      this.#newsAt = performance.now();
    });
  }

  // The server answered something else: for a browser that plays by itself this is all we know.
  heard() {
    if (this.#hls === null) this.#answerAt = performance.now();
  }

  look() {
    const { currentTime } = this.video;
    if (currentTime === this.#moved.time) return;
    this.#moved = { time: currentTime, at: performance.now() };
    if (this.#hls === null) this.#newsAt = performance.now();
  }

  get standsStill() {
    return performance.now() - this.#moved.at;
  }

  get sinceNews() {
    return performance.now() - this.#newsAt;
  }

  get sinceAnswer() {
    return performance.now() - this.#answerAt;
  }

  // Seconds between filming and showing, by the server's clock; null if nobody knows.
  delay(serverNow) {
    const filmed = programmeTime(this.#hls, this.video);
    return filmed === null || filmed === undefined ? null : (serverNow - filmed) / 1000;
  }

  get isBehind() {
    if (this.#hls) return this.#hls.latency - (this.#hls.targetLatency ?? 0) > BEHIND;
    return this.#end - this.video.currentTime > NATIVE_BEHIND;
  }

  goLive() {
    this.#allow(JUMPS);
    const newest = this.#hls?.liveSyncPosition ?? this.#end - NATIVE_DISTANCE;
    if (newest > this.video.currentTime) this.video.currentTime = newest;
    return this.video.play();
  }

  #allow(segments) {
    if (this.#hls) this.#hls.config.liveMaxLatencyDurationCount = segments;
  }

  get #end() {
    const { seekable } = this.video;
    return seekable.length > 0 ? seekable.end(seekable.length - 1) : 0;
  }
}
