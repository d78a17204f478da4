// The player of the recording desk: its position fills fields, its keys set marks.

import { play } from "./hls_video.js";

const page = document.querySelector("[data-desk]");
export const video = page?.querySelector('[data-part="video"]');

// `1:15.2`, `1:02:05`: tenths only where there are some, as the server writes it.
export function clock(seconds) {
  const tenths = Math.floor(seconds * 10 + 1e-6);
  const minutes = Math.floor(tenths / 600);
  const rest = String(Math.floor(tenths / 10) % 60).padStart(2, "0");
  const tail = tenths % 10 ? `.${tenths % 10}` : "";
  if (minutes < 60) return `${minutes}:${rest}${tail}`;
  return `${Math.floor(minutes / 60)}:${String(minutes % 60).padStart(2, "0")}:${rest}${tail}`;
}

export function seek(seconds) {
  const go = () => (video.currentTime = Math.min(Math.max(0, seconds), video.duration || 0));
  // Before the player knows the length, every second would be the first.
  if (video.readyState > 0) go();
  else video.addEventListener("loadedmetadata", go, { once: true });
}

export function mark(id) {
  const field = document.getElementById(id);
  if (!field) return;
  field.value = clock(video.currentTime);
  field.dispatchEvent(new Event("input", { bubbles: true }));
}

// `keys`: what a key does, by the key; none of them works while somebody types.
export function startPlayer(keys = {}) {
  if (!page) return;
  play(video, page.dataset.playlist, {
    onRefused: () => (page.querySelector('[data-part="refused"]').hidden = false),
  });
  const shown = page.querySelector('[data-part="clock"]');
  const tell = () => (shown.textContent = clock(video.currentTime));
  for (const kind of ["timeupdate", "seeking"]) video.addEventListener(kind, tell);
  for (const button of page.querySelectorAll("[data-step]")) {
    button.addEventListener("click", () => seek(video.currentTime + Number(button.dataset.step)));
  }
  for (const button of document.querySelectorAll("[data-mark], [data-seek]")) button.hidden = false;
  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-mark], [data-seek]");
    if (button?.dataset.mark) mark(button.dataset.mark);
    if (button?.dataset.seek) {
      seek(Number(button.dataset.seek) / 1000);
      video.play().catch(() => {});
    }
  });
  document.addEventListener("keydown", (event) => {
    if (event.target.closest("input, textarea, select") || event.ctrlKey || event.metaKey || event.altKey) return;
    const act = { k: () => (video.paused ? video.play().catch(() => {}) : video.pause()), ...keys }[event.key.toLowerCase()];
    if (!act) return;
    event.preventDefault();
    act();
  });
}
