// Draws a picture with a smaller one in its corner, away from the page: a hidden tab stops drawing
// and slows its timers, a worker does neither.

import { draw, WIDTH, HEIGHT } from "./studio_layout.js";

let latest = { base: null, inset: null };
let timer = null;

async function follow(name, readable) {
  const reader = readable.getReader();
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    latest[name]?.close();
    latest[name] = value;
  }
}

function mix({ base, inset, writable, milliseconds }) {
  const canvas = new OffscreenCanvas(WIDTH, HEIGHT);
  const pen = canvas.getContext("2d", { alpha: false });
  const writer = writable.getWriter();
  if (base) follow("base", base);
  if (inset) follow("inset", inset);
  timer = setInterval(() => {
    // Nobody takes frames while the recorder changes: they are not piled up.
    if (writer.desiredSize <= 0) return;
    draw(pen, sized(latest.base), sized(latest.inset));
    writer.write(new VideoFrame(canvas, { timestamp: Math.round(performance.now() * 1000) })).catch(stop);
  }, milliseconds);
}

function sized(image) {
  if (image === null) return null;
  return { image, width: image.displayWidth ?? image.width, height: image.displayHeight ?? image.height };
}

function stop() {
  clearInterval(timer);
  close();
}

addEventListener("message", ({ data }) => {
  if (data.image) {
    latest.base?.close();
    latest.base = data.image;
  } else if (data.ticks) {
    // For browsers whose pages must draw themselves: a timer that is not slowed.
    setInterval(() => postMessage("tick"), data.ticks);
  } else if (data.writable) {
    mix(data);
  } else {
    stop();
  }
});
