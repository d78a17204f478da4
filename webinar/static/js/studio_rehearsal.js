// A rehearsal: the whole way, there and back, for the faculty alone. Nothing of it is kept.

import { ask } from "./answers.js";
import { play } from "./hls_video.js";
import { Recorder } from "./recorder.js";
import { Sender } from "./sender.js";
import { MemoryStore } from "./studio_store.js";
import { part, show, write } from "./studio_draw.js";

export class Rehearsal {
  isMine = false;
  heard = null; // what the server says: { by, playlist }
  player = null;

  constructor({ base, devices, onChange, onProblem, isOnAir }) {
    Object.assign(this, { base: `${base}/rehearsal`, devices, onChange, onProblem, isOnAir });
    this.recorder = new Recorder(devices);
    part("rehearsal-sound")?.addEventListener("change", (event) => {
      part("rehearsal-picture").muted = !event.target.checked;
    });
  }

  get isOn() {
    return this.isMine || this.heard !== null;
  }

  async start() {
    await ask(this.base, { method: "POST", json: {} });
    this.isMine = true;
    this.sender = new Sender(this.base, new MemoryStore(), {
      onChange: () => this.onChange(),
      onRefused: (error) => {
        this.onProblem(`The rehearsal has ended: ${error.message}`);
        this.stop();
      },
      onRival: () => this.sender.giveUp(),
    });
    await this.film();
    this.hear({ by: null, playlist: null });
  }

  film() {
    return this.recorder.start(this.sender);
  }

  async stop() {
    if (!this.isOn) return;
    const wasMine = this.isMine;
    this.isMine = false;
    await this.recorder.stop();
    if (wasMine) this.sender.giveUp();
    await ask(`${this.base}/stop`, { method: "POST", json: {} }).catch(() => {});
    this.hear(null);
  }

  // What the state says: null when no rehearsal is on.
  async hear(answer) {
    this.heard = answer ?? null;
    if (this.heard === null && this.isMine) {
      this.isMine = false;
      await this.recorder.stop();
    }
    show("rehearsal", this.isOn && !this.isOnAir());
    show("rehearse-stop", this.isOn && !this.isOnAir());
    if (!this.isOn) this.endPicture();
    else if (this.heard?.playlist && this.player === null) this.startPicture(this.heard.playlist);
    if (!this.isOn) return;
    const who = this.isMine ? "You rehearse" : `${this.heard.by} rehearses`;
    const picture = this.player ? "This is what came back from the server, a few seconds later." : "The picture comes back here in a few seconds.";
    write("rehearsal-words", `${who}. ${picture}`);
    this.onChange();
  }

  startPicture(playlist) {
    const video = part("rehearsal-picture");
    video.muted = true;
    this.player = play(video, playlist, { live: true, onRefused: () => this.endPicture() });
    video.play().catch(() => {});
  }

  endPicture() {
    this.player?.stop();
    this.player = null;
  }
}
