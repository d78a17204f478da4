// Sends a recorder's chunks in order, each until the server says that it is on disk.
//
// Takes and chunks wait in one line: a new take is opened only when every chunk of the one before
// has been stored, because opening it closes that one.

import { ask, Refused } from "./answers.js";

const FIRST_WAIT = 500;
const LONGEST_WAIT = 8_000;
// Refused for good: the take was closed by another studio, or the session has ended. Everything
// else may pass: no network, a server that starts again, a sign-in that ran out.
const FOR_GOOD = new Set([403, 404, 409, 410, 422]);

export class Sender {
  // `base` is the studio's address; `onChange` hears whenever health changes.
  constructor(base, onChange) {
    this.base = base;
    this.onChange = onChange;
    this.line = [];
    this.tries = 0;
    this.isSignedOut = false;
    this.refusal = null;
    this.running = false;
    this.wake = () => {};
    // Not a second longer than needed.
    addEventListener("online", () => this.wake());
  }

  get waitingChunks() {
    return this.line.filter((item) => item.blob).length;
  }

  // Call when a recorder starts; returns a function that takes its chunks.
  startTake() {
    const take = { startedAt: performance.now(), nextSeq: 0, number: null };
    this.push({ take });
    return (blob) => {
      if (blob.size > 0) this.push({ take, blob, seq: take.nextSeq++ });
    };
  }

  // Resolves when everything handed over so far is on the server's disk.
  async drained() {
    while (this.line.length > 0 && !this.refusal) {
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    if (this.refusal) throw this.refusal;
  }

  push(item) {
    this.line.push(item);
    if (!this.running) this.run();
  }

  async run() {
    this.running = true;
    while (this.line.length > 0 && !this.refusal) {
      try {
        await this.send(this.line[0]);
        this.line.shift();
        this.tries = 0;
        this.isSignedOut = false;
      } catch (error) {
        const status = error instanceof Refused ? error.status : 0;
        if (FOR_GOOD.has(status)) this.refusal = error;
        this.isSignedOut = status === 401;
        this.tries += 1;
      }
      this.onChange();
      if (this.tries > 0 && !this.refusal) await this.pause();
    }
    this.running = false;
  }

  pause() {
    const wait = Math.min(FIRST_WAIT * 2 ** (this.tries - 1), LONGEST_WAIT);
    return new Promise((resolve) => {
      this.wake = resolve;
      setTimeout(resolve, wait);
    });
  }

  async send({ take, blob, seq }) {
    if (blob === undefined) {
      const secondsAgo = (performance.now() - take.startedAt) / 1000;
      const answer = await ask(`${this.base}/takes`, {
        method: "POST",
        json: { seconds_ago: secondsAgo },
      });
      take.number = answer.take;
      return;
    }
    await ask(`${this.base}/takes/${take.number}/chunks/${seq}`, { method: "PUT", bytes: blob });
  }
}
