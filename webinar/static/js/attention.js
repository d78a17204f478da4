// “Are you still there?” It never takes the focus, says itself once, and can wait for 90 seconds.

import { ask } from "./answers.js";

const TICK = 1_000;
const LAST_CALL = 30;
const THANKED = 6_000;

export class Attention {
  #check = null; // { id, url, seconds }, while its answer is awaited
  #until = 0;
  #timer = null;
  #title = "";
  #isCalled = false;

  // `part`: finds a part of the page by its name.
  constructor(video, part) {
    Object.assign(this, { video, part });
    this.box = part("attention");
    part("attention-answer").addEventListener("click", () => this.#answer());
    part("attention-close").addEventListener("click", () => this.#hide());
  }

  // What the server wants to know now; null: nothing, or it has been answered on another page.
  heard(check) {
    if (!check) {
      if (this.#check) this.#hide();
      return;
    }
    if (this.#check?.id === check.id) return;
    this.#check = check;
    this.#until = performance.now() + check.seconds * 1000;
    this.#isCalled = check.seconds <= LAST_CALL;
    this.#show(`Are you still there? Press “I am here” within ${check.seconds} seconds.`, { asks: true });
    this.#title = document.title;
    document.title = `Are you still there? ${this.#title}`;
    leaveFullScreen(this.video);
    this.#timer = setInterval(() => this.#tick(), TICK);
    this.#tick();
  }

  // The key: answers, if something is asked.
  answer() {
    if (this.#check) this.#answer();
  }

  #tick() {
    const left = Math.max(0, (this.#until - performance.now()) / 1000);
    this.part("attention-time").value = left;
    if (left === 0) {
      this.#stop();
      this.#show("No answer came in time, and that is noted. What you watched stays counted.");
    } else if (left <= LAST_CALL && !this.#isCalled) {
      this.#isCalled = true;
      this.part("attention-words").textContent = `Are you still there? ${LAST_CALL} seconds left.`;
    }
  }

  async #answer() {
    const check = this.#check;
    if (!check) return;
    try {
      const { words } = await ask(check.url, { method: "POST", json: {} });
      this.#stop();
      this.#show(words);
      setTimeout(() => this.#check || this.#hide(), THANKED);
    } catch (error) {
      if (error.status === 410) this.#stop();
      this.#show(error.message, { asks: this.#check !== null });
    }
  }

  #show(words, { asks = false } = {}) {
    const hadFocus = this.box.contains(document.activeElement);
    this.part("attention-words").textContent = words;
    this.part("attention-answer").hidden = !asks;
    this.part("attention-time").hidden = !asks;
    this.part("attention-close").hidden = asks;
    this.box.hidden = false;
    if (hadFocus && !asks) this.part("attention-close").focus();
  }

  #hide() {
    const hadFocus = this.box.contains(document.activeElement);
    this.#stop();
    this.box.hidden = true;
    if (hadFocus) this.video.focus();
  }

  #stop() {
    clearInterval(this.#timer);
    if (this.#check) document.title = this.#title;
    this.#check = null;
  }
}

// A picture that fills the screen hides the page; a small window of it does not.
function leaveFullScreen(video) {
  if (document.fullscreenElement) document.exitFullscreen().catch(() => {});
  else if (video.webkitDisplayingFullscreen) video.webkitExitFullscreen();
}
