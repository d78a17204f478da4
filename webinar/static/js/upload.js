// Sends a video in pieces (tus), shows how far it is, and then how far the server is with it.

import { ask, csrfToken } from "./answers.js";

const PIECE = 16 * 1024 * 1024;
const TRIES = [0, 1_000, 2_000, 4_000, 8_000, 15_000, 30_000, 60_000];
const LOOK_AGAIN = 2_000;
const SPEED_OVER = 10_000; // milliseconds over which the speed is averaged
const HEADERS = { Accept: "application/json" };

const page = document.getElementById("upload");
const part = (name) => page.querySelectorAll(`[data-part="${name}"]`);
const say = (name, words) => {
  for (const place of page.querySelectorAll(`[data-say="${name}"]`)) {
    if (place.textContent !== words) place.textContent = words;
  }
};
const show = (...names) => {
  for (const section of page.querySelectorAll("[data-part]")) {
    section.hidden = !names.includes(section.dataset.part);
  }
};
const bar = (name, share) => {
  page.querySelector(`[data-bar="${name}"]`).value = Math.round(share * 1000);
};

function size(bytes) {
  const megabytes = bytes / 1024 / 1024;
  return megabytes < 1024 ? `${megabytes.toFixed(megabytes < 10 ? 1 : 0)} MB` : `${(megabytes / 1024).toFixed(2)} GB`;
}

function time(seconds) {
  if (seconds < 10) return "a few seconds left";
  if (seconds < 90) return `about ${Math.round(seconds / 10) * 10} s left`;
  if (seconds < 5400) return `about ${Math.round(seconds / 60)} min left`;
  return `about ${(seconds / 3600).toFixed(1)} h left`;
}

class UploadPage {
  constructor(facts) {
    this.facts = facts;
    this.upload = null;
    this.samples = [];
    this.isSending = false;
    const input = page.querySelector("input[type=file]");
    input.addEventListener("change", () => input.files[0] && this.begin(input.files[0]));
    const area = page.querySelector("[data-drop]");
    for (const name of ["dragenter", "dragover"]) {
      area.addEventListener(name, (event) => {
        event.preventDefault();
        area.classList.add("drop-over");
      });
    }
    area.addEventListener("dragleave", () => area.classList.remove("drop-over"));
    area.addEventListener("drop", (event) => {
      event.preventDefault();
      area.classList.remove("drop-over");
      const file = event.dataTransfer.files[0];
      if (file && !input.disabled) this.begin(file);
    });
    page.addEventListener("click", (event) => {
      const what = event.target.closest("[data-do]")?.dataset.do;
      if (what) this[what]();
    });
    addEventListener("beforeunload", (event) => {
      if (this.isSending) event.preventDefault();
    });
    page.hidden = false;
    this.draw();
  }

  // What the server last said, on the page.
  draw() {
    const facts = this.facts;
    switch (facts.state) {
      case "waiting":
      case "working":
        this.drawPackaging();
        setTimeout(() => this.look(), LOOK_AGAIN);
        break;
      case "done":
        show("done");
        say("done", `${facts.file_name} is packaged: ${facts.found}.`);
        break;
      case "uploading":
        this.drawHalf();
        break;
      case "failed":
        show("choose", "problem");
        say("problem", `${facts.file_name} was not taken. ${facts.problem}`);
        break;
      default:
        show("choose");
    }
  }

  drawHalf() {
    const { file_name: name, received, length } = this.facts;
    show("choose", "half-way");
    say("choose-title", "Go on with the same file");
    const half = page.querySelector('[data-say="half"]');
    half.hidden = false;
    half.textContent = `${name} is on its way: ${size(received)} of ${size(length)} are here. Choose it again to go on.`;
  }

  drawPackaging() {
    const { state, progress, seconds_left: left, problem, found } = this.facts;
    show("packaging", ...(problem ? ["problem"] : []));
    if (problem) say("problem", problem);
    bar("packaging", progress);
    say("found", found);
    if (state === "waiting") {
      say("packaging-title", "It has arrived");
      say("packaging", "It waits for its turn; that takes a few seconds unless another video is being packaged.");
    } else if (!found) {
      say("packaging-title", "Looking at it");
      say("packaging", "The server reads it once from beginning to end.");
    } else {
      say("packaging-title", "Packaging");
      const words = [`${Math.floor(progress * 100)} %`];
      if (left !== null) words.push(time(left));
      say("packaging", words.join(" · "));
    }
  }

  async look() {
    try {
      this.facts = await ask(page.dataset.stateUrl);
    } catch (error) {
      if (error.status && error.status < 500) {
        show("packaging", "problem");
        say("problem", error.message);
        return;
      }
    }
    this.draw();
  }

  async begin(file) {
    const largest = Number(page.dataset.largest);
    if (file.size === 0) return this.refuse("The file is empty. Choose the video again.");
    if (file.size > largest * 1024 * 1024) {
      return this.refuse(`The file has ${size(file.size)}; up to ${size(largest * 1024 * 1024)} are taken. Export it with a lower bit rate.`);
    }
    this.file = file;
    const { state, id, file_name: name, length } = this.facts;
    const isHalf = state === "uploading";
    if (isHalf && (name !== file.name || length !== file.size)) {
      return this.refuse(`${name} (${size(length)}) is half here already. Choose that file to go on, or withdraw it first.`);
    }
    this.upload = new tus.Upload(file, {
      endpoint: page.dataset.endpoint,
      // The server knows it too, for a browser that does not.
      uploadUrl: isHalf ? `${page.dataset.endpoint}/${id}` : null,
      chunkSize: PIECE,
      retryDelays: TRIES,
      removeFingerprintOnSuccess: true,
      metadata: { filename: file.name },
      headers: HEADERS,
      onBeforeRequest: (request) => request.setHeader("X-CSRFToken", csrfToken()),
      onShouldRetry: (error) => this.mayPass(error),
      onUploadUrlAvailable: () => {
        const id = this.upload.url.split("/").pop();
        this.facts = { state: "uploading", id, file_name: file.name, length: file.size, received: 0 };
      },
      onProgress: (sent, total) => this.drawSending(sent, total),
      onChunkComplete: (_size, accepted) => (this.facts.received = accepted),
      onSuccess: () => this.arrived(),
      onError: (error) => this.broke(error),
    });
    if (!isHalf) await this.resumeKnown();
    this.start();
  }

  // An upload of this very file to this session that this browser began before.
  async resumeKnown() {
    const known = await this.upload.findPreviousUploads();
    const ours = known.filter(({ uploadUrl }) => uploadUrl?.includes(page.dataset.endpoint));
    // The server no longer has it open: a fresh one begins.
    for (const { urlStorageKey } of ours) {
      await this.upload.options.urlStorage.removeUpload(urlStorageKey);
    }
  }

  start() {
    show("sending");
    say("sending-title", this.file.name);
    this.samples = [];
    this.isSending = true;
    this.drawButtons();
    page.querySelector('[data-do="pause"]').focus();
    this.upload.start();
  }

  pause() {
    this.upload.abort();
    this.isSending = false;
    this.drawButtons();
    const { received, length } = this.facts;
    bar("sending", (received ?? 0) / (length ?? this.file.size));
    say("sending", `Paused: ${size(received ?? 0)} of ${size(length ?? this.file.size)} are safe on the server.`);
  }

  resume() {
    this.start();
  }

  async withdraw() {
    this.upload?.abort();
    this.isSending = false;
    const { id } = this.facts;
    try {
      await ask(`${page.dataset.endpoint}/${id}`, {
        method: "DELETE",
        headers: { ...HEADERS, "X-CSRFToken": csrfToken(), "Tus-Resumable": "1.0.0" },
      });
    } catch (error) {
      if (error.status !== 410) return this.refuse(error.message);
    }
    this.upload = null;
    for (const open of page.querySelectorAll("details[open]")) open.open = false;
    this.facts = { state: "none" };
    page.querySelector('[data-say="half"]').hidden = true;
    say("choose-title", "Choose the file");
    page.querySelector("input[type=file]").value = "";
    this.draw();
  }

  drawButtons() {
    const sending = [...part("sending")][0];
    sending.querySelector('[data-do="pause"]').hidden = !this.isSending;
    sending.querySelector('[data-do="resume"]').hidden = this.isSending;
  }

  drawSending(sent, total) {
    if (!this.isSending) return;
    const now = performance.now();
    this.samples = this.samples.filter(([then]) => now - then < SPEED_OVER);
    this.samples.push([now, sent]);
    const [[since, before]] = this.samples;
    bar("sending", sent / total);
    const words = [`${size(sent)} of ${size(total)}`];
    if (now - since > 500 && sent > before) {
      const speed = ((sent - before) / (now - since)) * 1000;
      words.push(`${(speed / 1024 / 1024).toFixed(1)} MB/s`, time((total - sent) / speed));
    }
    say("sending", words.join(" · "));
  }

  arrived() {
    this.isSending = false;
    this.look();
  }

  mayPass(error) {
    const status = error.originalResponse?.getStatus() ?? 0;
    const passes = status === 0 || status === 409 || status === 423 || status === 429 || (status >= 500 && status !== 507);
    if (passes && this.isSending) say("sending", "The connection is gone; it goes on by itself as soon as there is one again.");
    return passes;
  }

  broke(error) {
    this.isSending = false;
    const status = error.originalResponse?.getStatus() ?? 0;
    let words = "There is no connection to the server. What has come is kept: press Resume when there is one again.";
    if (status === 401) {
      words = "You are signed out. Sign in again in another tab, reload this page and choose the same file: it goes on where it stopped.";
    } else if (status > 0) {
      try {
        words = JSON.parse(error.originalResponse.getBody()).error;
      } catch {
        words = `The server answered ${status}. Try again in a moment.`;
      }
    }
    const isBegun = this.facts.state === "uploading" && status !== 410;
    if (isBegun) {
      show("sending", "problem");
      this.drawButtons();
      say("problem", words);
    } else {
      this.refuse(words);
    }
  }

  refuse(words) {
    page.querySelector("input[type=file]").value = "";
    if (this.facts.state === "uploading") this.drawHalf();
    else show("choose");
    for (const notice of part("problem")) notice.hidden = false;
    say("problem", words);
  }
}

if (page) new UploadPage(JSON.parse(page.dataset.facts));
