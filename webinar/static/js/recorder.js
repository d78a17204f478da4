// Films what the devices give and hands it to the sender, a take for every change of source.

// H.264 first: it can be passed on with the least work; the rest is for browsers without it.
const PICTURE_KINDS = [
  "video/webm;codecs=h264,opus",
  "video/webm;codecs=vp8,opus",
  "video/webm;codecs=vp9,opus",
  "video/mp4",
];
const SOUND_KINDS = ["audio/webm;codecs=opus", "audio/mp4"];
// What a piece holds, people see later by; more pieces a second would cost more than they gain.
const CHUNK_MILLISECONDS = 500;
const VIDEO_BITS = 1_800_000;
const AUDIO_BITS = 96_000;

export const canRecord = () => Boolean(navigator.mediaDevices?.getUserMedia && window.MediaRecorder);

export class Recorder {
  recorder = null;
  take = null;
  // One change after the other: two recorders at once would close each other's takes.
  turn = Promise.resolve();

  // `onBroken` hears when the browser gave up filming by itself: a codec, a track.
  constructor(devices, { onBroken = () => {} } = {}) {
    Object.assign(this, { devices, onBroken });
  }

  get isRunning() {
    return this.recorder !== null && this.recorder.state !== "inactive";
  }

  // Start, or start anew with what the devices give now. Rejects if the browser cannot film it.
  start(sender) {
    return this.next(async () => {
      await this.end();
      this.film(sender);
    });
  }

  // Resolves when the last piece has been handed over.
  stop() {
    return this.next(() => this.end());
  }

  next(step) {
    const done = this.turn.then(step);
    this.turn = done.catch(() => {});
    return done;
  }

  film(sender) {
    const { picture, sound } = this.devices;
    const stream = new MediaStream([
      ...(picture?.getVideoTracks() ?? []),
      ...sound.getAudioTracks(),
    ]);
    const kinds = picture ? PICTURE_KINDS : SOUND_KINDS;
    const recorder = new MediaRecorder(stream, {
      mimeType: kinds.find((kind) => MediaRecorder.isTypeSupported(kind)),
      videoBitsPerSecond: VIDEO_BITS,
      audioBitsPerSecond: AUDIO_BITS,
    });
    const take = sender.startTake();
    recorder.addEventListener("dataavailable", ({ data }) => take.add(data));
    recorder.addEventListener("stop", () => {
      if (this.recorder === recorder && !this.isEnding) this.onBroken();
    });
    recorder.start(CHUNK_MILLISECONDS);
    Object.assign(this, { recorder, take, isEnding: false });
  }

  async end() {
    this.isEnding = true;
    if (this.isRunning) {
      const stopped = new Promise((resolve) => this.recorder.addEventListener("stop", resolve, { once: true }));
      this.recorder.stop();
      await stopped;
    }
    await this.take?.end();
    this.take = null;
  }
}
