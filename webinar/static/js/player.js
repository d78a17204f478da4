// The recording: play, seek, resume where one left, and end on the second.

import { play } from "./hls_video.js";
import { startPresence } from "./presence.js";

const LONGEST_TIMER = 2 ** 31 - 1;

const page = document.querySelector("[data-player]");
const part = (name) => page.querySelector(`[data-part="${name}"]`);
const video = part("video");
const placeKey = `place:${page.dataset.person}:${page.dataset.recording}`;

function cover(name) {
  part(name).hidden = false;
  for (const control of part("controls").querySelectorAll("button, select")) control.disabled = true;
  // The words lie over the picture, not over a picture that fills the screen.
  if (document.fullscreenElement) document.exitFullscreen().catch(() => {});
}

function close() {
  playing.stop();
  cover("closed");
}

const playing = play(video, page.dataset.playlist, {
  onRefused: (status) => cover(status === 410 ? "closed" : "refused"),
});

// The window ends by the server's clock, whatever the clock of this machine says.
const untilClosing = Date.parse(page.dataset.closesAt) - Date.parse(page.dataset.now);
if (untilClosing < LONGEST_TIMER) setTimeout(close, Math.max(0, untilClosing - performance.now()));

startPresence(video, {
  passUrl: page.dataset.passUrl,
  mode: "recorded",
  programmeTime: () => Math.round(video.currentTime * 1000),
  onCounted: drawCoverage,
  onClosed: close,
});

function drawCoverage({ countedSeconds, parts }) {
  const figure = page.querySelector("[data-coverage]");
  if (!figure || !parts) return;
  const total = Number(figure.dataset.total);
  const group = figure.querySelector("[data-coverage-parts]");
  group.replaceChildren(
    ...parts.map(([start, end]) => {
      const rect = document.createElementNS("http://www.w3.org/2000/svg", "rect");
      rect.setAttribute("class", "coverage-part");
      rect.setAttribute("x", start);
      rect.setAttribute("y", 0);
      rect.setAttribute("width", Math.max(0, end - start));
      rect.setAttribute("height", 9);
      return rect;
    }),
  );
  figure.querySelector("[data-coverage-amount]").setAttribute("width", Math.min(countedSeconds, total));
  figure.querySelector("[data-coverage-counted]").textContent = clock(countedSeconds);
  if (figure.dataset.threshold && countedSeconds >= Number(figure.dataset.threshold)) {
    figure.classList.add("coverage-reached");
  }
}

function clock(seconds) {
  const whole = Math.floor(seconds);
  return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, "0")}`;
}

function jump(seconds) {
  video.currentTime = Math.min(Math.max(0, video.currentTime + seconds), video.duration || 0);
}

// Where this person was, kept in this browser.
function keepPlace() {
  try {
    localStorage.setItem(placeKey, String(Math.floor(video.currentTime)));
  } catch {
    // No storage in this browser: it begins at the beginning.
  }
}

function keptPlace() {
  try {
    return Number(localStorage.getItem(placeKey) ?? 0);
  } catch {
    return 0;
  }
}

video.addEventListener("loadedmetadata", () => {
  const place = keptPlace();
  if (place <= 5 || place >= video.duration - 10) return;
  video.currentTime = place;
  part("resumed").textContent = `You were at ${clock(place)}.`;
  part("restart").hidden = false;
}, { once: true });
part("restart").addEventListener("click", () => {
  video.currentTime = 0;
  part("resumed").textContent = "";
  part("restart").hidden = true;
  video.focus();
});
setInterval(() => video.paused || keepPlace(), 5_000);
video.addEventListener("pause", keepPlace);
addEventListener("pagehide", () => video.currentTime > 0 && keepPlace());

part("back").addEventListener("click", () => jump(-15));
part("forward").addEventListener("click", () => jump(15));
part("speed").addEventListener("change", (event) => {
  video.playbackRate = Number(event.target.value);
});
document.addEventListener("keydown", (event) => {
  if (event.target.closest("input, textarea, select, button, video, a") || event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.key === "ArrowLeft") jump(-15);
  else if (event.key === "ArrowRight") jump(15);
  else if (event.key === "k") video.paused ? video.play() : video.pause();
  else return;
  event.preventDefault();
});
