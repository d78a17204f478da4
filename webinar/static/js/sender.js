// Sends a recorder's pieces in order, each until the server says that it is on disk; until then
// it lies in the store, too.
//
// Takes and pieces wait in one line: a new take is opened only when every piece of the one before
// has been stored, because opening it closes that one.

import { ask, Refused } from "./answers.js";

const FIRST_WAIT = 500;
const LONGEST_WAIT = 8_000;
const LONGEST_ANSWER = 20_000;
// Refused for good: the take was closed by another studio, or the session has ended. Everything
// else may pass: no network, a damaged piece, a full disk, a sign-in that ran out.
const FOR_GOOD = new Set([403, 404, 409, 410, 422]);
// So much is overlap of two studios at a hand-over; more is worth saving.
const WORTH_SAVING = 3_000;
const RATE_MILLISECONDS = 8_000;
// A busy recorder hands over the first byte of its header alone; nobody knows a video by that.
const SMALLEST_START = 64;

// Of this tab, also after a reload: going on after one is not taking over from somebody.
const DESK = deskOfThisTab();
// True for a take of this tab, also of before its reload.
export const isOfThisTab = (key) => Boolean(key?.startsWith(`${DESK}-`));
let takes = Date.now() % 1_000_000_000;

export class Sender {
  // `base`: where takes are opened; `onChange` hears whenever health changes; `onRefused(error)`
  // that what is filmed now is not taken any more; `onRival(error)` that another studio sends:
  // answer with `takeOver()` or `giveUp()`.
  constructor(base, store, { onChange, onRefused, onRival }) {
    Object.assign(this, { base, store, onChange, onRefused, onRival });
    this.line = [];
    this.tries = 0;
    this.isSignedOut = false;
    this.isDiskFull = false;
    this.running = false;
    this.current = null;
    this.meansIt = false;
    this.stranded = []; // takes of which something could not be sent
    this.sent = []; // [when, bytes] of late
    this.storeFailed = !store.isDurable;
    this.wake = () => {};
    // Not a second longer than needed.
    addEventListener("online", () => this.wake());
  }

  get waitingMilliseconds() {
    return this.line.reduce((sum, item) => sum + (item.milliseconds ?? 0), 0);
  }

  get waitingBytes() {
    return this.line.reduce((sum, item) => sum + (item.size ?? 0), 0);
  }

  get lostMilliseconds() {
    return this.stranded.reduce((sum, { milliseconds }) => sum + milliseconds, 0);
  }

  // Kilobits a second that arrived, lately.
  get rate() {
    const since = performance.now() - RATE_MILLISECONDS;
    this.sent = this.sent.filter(([when]) => when > since);
    const bytes = this.sent.reduce((sum, [, size]) => sum + size, 0);
    return Math.round((bytes * 8) / RATE_MILLISECONDS);
  }

  // What a page before this one could not send goes first, to the takes it belongs to.
  async resume() {
    const left = await this.store.left();
    for (const { take, pieces } of left) {
      if (pieces.every(({ seq }) => seq === 0) && take.number !== null) {
        await this.store.forgetTake(take);
        continue;
      }
      const old = { ...take, isLeft: true, isOver: true };
      this.push({ take: old });
      for (const piece of pieces) this.push({ take: old, ...piece });
    }
    return left.length;
  }

  // Call when a recorder starts; returns what takes its pieces, and what to call at its end.
  startTake() {
    takes += 1;
    const take = { key: `${DESK}-${takes.toString(36)}`, startedAt: Date.now(), number: null, isOver: false };
    let nextSeq = 0;
    let last = performance.now();
    this.current = take;
    let turn = Promise.resolve(this.store.keepTake(take)).catch(() => this.storeFails());
    this.push({ take });
    const add = (blob) => {
      const milliseconds = performance.now() - last;
      last = performance.now();
      turn = turn.then(() => this.keep(take, blob, milliseconds, () => nextSeq++));
      return turn;
    };
    const end = async () => {
      await turn;
      take.isOver = true;
      if (!this.line.some((item) => item.take === take)) this.store.forgetTake(take).catch(() => {});
    };
    return { add, end };
  }

  async keep(take, blob, milliseconds, number) {
    if (blob.size === 0 || take.isRefused) return;
    if (!take.hasBegun) {
      take.start = new Blob([take.start ?? "", blob]);
      if (take.start.size < SMALLEST_START) return;
      take.hasBegun = true;
      blob = take.start;
      delete take.start;
    }
    const bytes = await blob.arrayBuffer();
    const item = { take, seq: number(), size: bytes.byteLength, milliseconds };
    try {
      await this.store.keep(take, item.seq, bytes, milliseconds);
    } catch {
      // No room in the browser: in memory it is as safe as this page.
      this.storeFails();
      item.bytes = bytes;
    }
    this.push(item);
  }

  storeFails() {
    this.storeFailed = true;
    this.onChange();
  }

  // Resolves when everything handed over so far is on the server's disk, or refused for good.
  async drained() {
    while (this.line.length > 0) await new Promise((resolve) => setTimeout(resolve, 100));
  }

  takeOver() {
    this.meansIt = true;
    this.wake();
  }

  giveUp() {
    this.drop(this.line[0]?.take, { isWorthSaving: false });
    this.meansIt = false;
    this.wake();
  }

  push(item) {
    this.line.push(item);
    if (!this.running) this.run();
  }

  async run() {
    this.running = true;
    while (this.line.length > 0) {
      const item = this.line[0];
      try {
        await this.send(item);
        if (this.line[0] === item) this.line.shift();
        await this.done(item);
        this.tries = 0;
        this.isSignedOut = this.isDiskFull = false;
      } catch (error) {
        await this.failed(item, error);
      }
      this.onChange();
      if (this.tries > 0) await this.pause();
    }
    this.running = false;
  }

  async done({ take, seq, size }) {
    if (seq === undefined) return;
    this.sent.push([performance.now(), size]);
    await this.store.forget(take, seq).catch(() => {});
    if (take.isOver && !this.line.some((item) => item.take === take)) {
      await this.store.forgetTake(take).catch(() => {});
    }
  }

  async failed({ take }, error) {
    const status = error instanceof Refused ? error.status : 0;
    this.isSignedOut = status === 401;
    this.isDiskFull = status === 507;
    if (status === 409 && error.body.sending && !take.isLeft) {
      // Nothing is sent until somebody has decided; what is filmed meanwhile waits.
      this.onRival(error);
      await new Promise((resolve) => (this.wake = resolve));
      return;
    }
    if (!FOR_GOOD.has(status)) {
      this.tries += 1;
      return;
    }
    this.tries = 0;
    this.drop(take, { isWorthSaving: true });
    if (take === this.current) this.onRefused(error);
  }

  // Nothing more of this take can be sent.
  drop(take, { isWorthSaving }) {
    if (!take) return;
    take.isRefused = true;
    const items = this.line.filter((item) => item.take === take && item.seq !== undefined);
    this.line = this.line.filter((item) => item.take !== take);
    const milliseconds = items.reduce((sum, item) => sum + item.milliseconds, 0);
    if (isWorthSaving && milliseconds > WORTH_SAVING) {
      this.stranded.push({ take, items, milliseconds });
    } else {
      this.store.forgetTake(take).catch(() => {});
    }
  }

  // All that could not be sent of one take, as a file that plays: its first piece and the rest.
  async saved({ take, items }) {
    const seqs = [...new Set([0, ...items.map(({ seq }) => seq)])];
    const pieces = await Promise.all(seqs.map((seq) => this.store.read(take, seq)));
    return new Blob(pieces.filter(Boolean), { type: "video/webm" });
  }

  async forgetStranded() {
    for (const { take } of this.stranded) await this.store.forgetTake(take).catch(() => {});
    this.stranded = [];
  }

  pause() {
    const wait = Math.min(FIRST_WAIT * 2 ** (this.tries - 1), LONGEST_WAIT);
    return new Promise((resolve) => {
      this.wake = resolve;
      setTimeout(resolve, wait);
    });
  }

  async send({ take, seq, bytes }) {
    // A network that swallows everything must not hold the line for minutes.
    const signal = AbortSignal.timeout(LONGEST_ANSWER);
    if (seq === undefined) {
      const json = {
        seconds_ago: Math.max(0, (Date.now() - take.startedAt) / 1000),
        client_key: take.key,
        take_over: this.meansIt,
      };
      const answer = await ask(`${this.base}/takes`, { method: "POST", json, signal });
      this.meansIt = false;
      take.number = answer.take;
      await Promise.resolve(this.store.keepTake(take)).catch(() => {});
      return;
    }
    const body = bytes ?? (await this.store.read(take, seq));
    // Cleared by the person meanwhile: the browser's data, not ours to have back.
    if (body === undefined) return;
    const headers = await digested(body);
    await ask(`${this.base}/takes/${take.number}/chunks/${seq}`, { method: "PUT", bytes: body, headers, signal });
  }
}

// So that a piece damaged on the way is not stored (RFC 9530).
async function digested(bytes) {
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
  return { "Content-Digest": `sha-256=:${btoa(String.fromCharCode(...digest))}:` };
}

function deskOfThisTab() {
  const kept = sessionStorage.getItem("studio-desk");
  const random = crypto.getRandomValues(new Uint8Array(8));
  const desk = kept ?? Array.from(random, (byte) => byte.toString(16).padStart(2, "0")).join("");
  sessionStorage.setItem("studio-desk", desk);
  return desk;
}
