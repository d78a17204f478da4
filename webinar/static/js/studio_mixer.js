// One picture out of two: screen or slides, and the speaker's camera in the corner.

import { draw, WIDTH, HEIGHT } from "./studio_layout.js";

const MOVING_MILLISECONDS = 50;
const STILL_MILLISECONDS = 200;

// A worker that gets and gives frames draws on in a hidden tab; else the page has to draw.
export const drawsWhenHidden = () => Boolean(window.MediaStreamTrackProcessor && window.MediaStreamTrackGenerator);

const newWorker = () => new Worker(new URL("./studio_mixer_worker.js", import.meta.url), { type: "module" });

export class Mixer {
  // `base`, `inset`: video tracks or null; without a base, what `show` gets is the base.
  constructor({ base, inset }) {
    this.worker = newWorker();
    const milliseconds = base || inset ? MOVING_MILLISECONDS : STILL_MILLISECONDS;
    this.copies = [base, inset].map((track) => track?.clone() ?? null);
    this.videos = [null, null];
    if (drawsWhenHidden()) this.mixInWorker(milliseconds);
    else this.mixOnPage(milliseconds);
  }

  mixInWorker(milliseconds) {
    const [base, inset] = this.copies.map((track) => track && new MediaStreamTrackProcessor({ track }).readable);
    const track = new MediaStreamTrackGenerator({ kind: "video" });
    this.stream = new MediaStream([track]);
    const { writable } = track;
    this.worker.postMessage({ base, inset, writable, milliseconds }, [base, inset, writable].filter(Boolean));
  }

  mixOnPage(milliseconds) {
    const canvas = Object.assign(document.createElement("canvas"), { width: WIDTH, height: HEIGHT });
    const pen = canvas.getContext("2d", { alpha: false });
    this.videos = this.copies.map((track) => track && playing(track));
    this.worker.addEventListener("message", () => {
      const [base, inset] = this.videos.map(sized);
      draw(pen, base ?? this.still ?? null, inset);
    });
    this.worker.postMessage({ ticks: milliseconds });
    this.stream = canvas.captureStream(1000 / milliseconds);
  }

  // The picture behind the camera, when there is no screen: an ImageBitmap, ours from now on.
  show(image) {
    if (drawsWhenHidden()) {
      this.worker.postMessage({ image }, [image]);
      return;
    }
    this.still?.image.close();
    this.still = { image, width: image.width, height: image.height };
  }

  stop() {
    for (const track of [...this.copies, ...this.stream.getTracks()]) track?.stop();
    if (drawsWhenHidden()) this.worker.postMessage({});
    else this.worker.terminate();
  }
}

function playing(track) {
  const video = Object.assign(document.createElement("video"), { muted: true, playsInline: true });
  video.srcObject = new MediaStream([track]);
  video.play().catch(() => {});
  return video;
}

function sized(video) {
  if (!video || video.readyState < 2) return null;
  return { image: video, width: video.videoWidth, height: video.videoHeight };
}
