// What is played, told to the server in beats, so that it counts. Nothing that was played is lost
// when the network is away: it waits in this browser until the server says that it is durable.

import { ask } from "./answers.js";

const SAMPLE = 500;
const BEAT = 15_000;
const FIRST_BEAT = 3_000;
const COUNTED = 30_000;
const TRY_AGAIN = 5_000;
// How far the picture may be from the clock before it is a jump: timers are late, buffers uneven.
const TOLERANCE = 750;
const MOST_SEGMENTS = 64;
const LATER = new Set(["too_fast", "future", "busy"]);

// The stretches played without pause, seek, stall or change of speed, numbered from 0.
class Segments {
  waiting = new Map(); // number -> { from, to, told }; told: [seq, to] of beats not yet durable
  next = 0;
  open = null; // { number, time, clock, rate }

  // Follow the picture to `time` (milliseconds of media, or of programme time).
  follow(time, rate) {
    const clock = performance.now();
    if (this.open) {
      const expected = (clock - this.open.clock) * this.open.rate;
      const played = time - this.open.time;
      const isJump = Math.abs(played - expected) > TOLERANCE + expected * 0.1;
      if (isJump || played < 0 || rate !== this.open.rate) this.open = null;
    }
    if (this.open === null) {
      const number = this.next++;
      this.waiting.set(number, { from: time, to: time, told: [] });
      this.open = { number, time, clock, rate };
      return;
    }
    Object.assign(this.open, { time, clock });
    const segment = this.waiting.get(this.open.number);
    if (segment) segment.to = time;
    // It was durable as far as it went; from here on it waits again.
    else this.waiting.set(this.open.number, { from: time, to: time, told: [] });
  }

  // The picture ran over a cut: the stretch ends where it begins, and another begins after it.
  cross({ end, start }, time, rate) {
    this.follow(end, rate);
    this.close();
    this.follow(start, rate);
    this.waiting.get(this.open.number).to = time;
    this.open.time = time;
  }

  close() {
    this.open = null;
  }

  // The oldest first: what was sent before is sent again until it is durable. Every beat since the
  // one that first told of it as it is now says the same, so one of them that is durable is enough.
  toSend(seq) {
    const played = [...this.waiting].filter(([, segment]) => segment.to > segment.from);
    return played.slice(0, MOST_SEGMENTS).map(([number, segment]) => {
      if (segment.told.at(-1)?.[1] !== segment.to) segment.told.push([seq, segment.to]);
      return [number, segment.from, segment.to];
    });
  }

  isDurable(upTo) {
    for (const [number, segment] of this.waiting) {
      const safe = segment.told.filter(([seq]) => seq <= upTo);
      if (safe.length === 0) continue;
      segment.told.splice(0, safe.length);
      segment.from = safe.at(-1)[1];
      if (segment.from === segment.to) this.waiting.delete(number);
    }
  }

  // What was sent under another pass and is not durable: it is sent under the next one.
  sendAgain() {
    for (const segment of this.waiting.values()) segment.told = [];
  }
}

class Presence {
  pass = null;
  seq = 0;
  isClosed = false;
  segments = new Segments();

  // `cutBetween(earlier, later)`: { end, start } of the cut in the evidence's time between two
  // moments that were shown one after the other, or null.
  constructor(video, { passUrl, mode, programmeTime, cutBetween, onClosed = () => {}, onCounted = () => {} }) {
    Object.assign(this, { video, passUrl, mode, programmeTime, cutBetween, onClosed, onCounted });
    this.shelf = `beats:${document.documentElement.dataset.person ?? passUrl}:`;
    this.key = this.shelf + crypto.randomUUID();
  }

  start() {
    this.getPass();
    sendWhatWaits(this.shelf, this.key).catch(() => {}); // no storage in this browser
    this.timers = [
      setInterval(() => this.sample(), SAMPLE),
      setInterval(() => this.beat(), BEAT),
      setInterval(() => this.video.paused || this.showCounted(), COUNTED),
    ];
    this.video.addEventListener("playing", () => this.onPlaying());
    // Here the picture still stands where it stopped ...
    for (const kind of ["pause", "waiting", "ended"]) {
      this.video.addEventListener(kind, () => this.onStopped());
    }
    // ... and here it is already elsewhere, or runs at another speed.
    for (const kind of ["seeking", "ratechange", "emptied"]) {
      this.video.addEventListener(kind, () => this.segments.close());
    }
    addEventListener("pagehide", () => this.onLeaving());
    document.addEventListener("freeze", () => this.onLeaving());
    document.addEventListener("visibilitychange", () => document.hidden && this.onLeaving());
  }

  onPlaying() {
    this.sample();
    if (this.begun) return;
    this.begun = true;
    // A short view counts too.
    setTimeout(() => this.beat(), FIRST_BEAT);
    setTimeout(() => this.showCounted(), 2 * FIRST_BEAT);
  }

  onStopped() {
    if (this.segments.open) this.follow();
    this.segments.close();
    this.beat();
  }

  onLeaving() {
    this.sample();
    this.beat({ leaving: true });
  }

  sample() {
    const { paused, seeking, readyState } = this.video;
    if (paused || seeking || readyState < HTMLMediaElement.HAVE_FUTURE_DATA) this.segments.close();
    else this.follow();
  }

  follow() {
    const time = this.programmeTime();
    const { open } = this.segments;
    const cut = open ? this.cutBetween?.(open.time, time) : null;
    if (time === null || time === undefined) this.segments.close();
    else if (cut) this.segments.cross(cut, Math.round(time), this.video.playbackRate);
    else this.segments.follow(Math.round(time), this.video.playbackRate);
  }

  async getPass() {
    try {
      const answer = await ask(this.passUrl, { method: "POST", json: { mode: this.mode } });
      this.pass = answer.pass;
      this.seq = 0;
    } catch (refused) {
      if (refused.status === 410) this.close();
      // Signed out, or no place any more: what was stored counts, and nothing more comes.
      else if (refused.status >= 400 && refused.status < 500 && refused.status !== 429) this.stop();
      else setTimeout(() => this.getPass(), TRY_AGAIN);
    }
  }

  async beat({ leaving = false } = {}) {
    if (this.pass === null || this.isClosed) return;
    const seq = this.seq;
    const segments = this.segments.toSend(seq);
    if (segments.length === 0) return;
    this.seq += 1;
    const beat = { pass: this.pass, seq, wait: leaving ? 1 : 0, segments };
    keep(this.key, beat);
    const answer = await send(beat, { keepalive: leaving });
    if (answer.status === 200) {
      // Beats are counted for each pass anew: an answer about an older one says nothing here.
      if (beat.pass === this.pass) this.segments.isDurable(answer.content.durable);
      if (this.segments.waiting.size === 0) keep(this.key, null);
    } else if (answer.status === 410 || answer.status === 401) {
      await this.renew(beat.pass);
    } else if (answer.status >= 400 && answer.status < 500 && !LATER.has(answer.content.code)) {
      // It will not be true later either.
      this.forget();
    }
  }

  // The pass is over: another one, under which what is not yet durable is told once more, or the
  // answer that the window is closed.
  async renew(old) {
    if (this.pass !== old) return;
    this.pass = null;
    this.segments.sendAgain();
    await this.getPass();
  }

  forget() {
    keep(this.key, null);
    this.segments = new Segments();
  }

  close() {
    if (this.isClosed) return;
    this.stop();
    this.onClosed();
  }

  stop() {
    this.isClosed = true;
    this.timers.forEach(clearInterval);
  }

  async showCounted() {
    if (this.isClosed) return;
    const url = `${this.passUrl.replace(/\/pass$/, "/presence")}?mode=${this.mode}`;
    await ask(url).then(this.onCounted, () => {});
  }
}

// Status 0: no answer came.
async function send(beat, { keepalive = false } = {}) {
  try {
    const answer = await fetch("/beats", {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      credentials: "omit",
      body: JSON.stringify(beat),
      keepalive,
    });
    return { status: answer.status, content: await answer.json() };
  } catch {
    return { status: 0, content: {} };
  }
}

function keep(key, beat) {
  try {
    if (beat === null) localStorage.removeItem(key);
    else localStorage.setItem(key, JSON.stringify(beat));
  } catch {
    // No storage in this browser: the beats still go out while the page is open.
  }
}

// What an earlier page could not send. The same beat again, number and all: twice is once.
async function sendWhatWaits(shelf, own) {
  const keys = Object.keys(localStorage).filter((key) => key.startsWith(shelf) && key !== own);
  for (const key of keys) {
    const beat = JSON.parse(localStorage.getItem(key));
    const answer = await send({ ...beat, wait: 1 });
    const isStored = answer.status === 200 && answer.content.durable >= beat.seq;
    const isRefused = answer.status >= 400 && answer.status < 500 && !LATER.has(answer.content.code);
    if (isStored || isRefused) localStorage.removeItem(key);
  }
}

export function startPresence(video, options) {
  const presence = new Presence(video, options);
  presence.start();
  return presence;
}
