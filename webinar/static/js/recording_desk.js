// The recording desk: marks from the picture, chapters, times of slides. Its forms work without.

import { clock, mark, seek, startPlayer, video } from "./recording_player.js";
import { offerScenes } from "./recording_scenes.js";

const LOOK_AGAIN = 5_000;

function addChapter(seconds, title = "") {
  const rows = document.querySelector("[data-chapters] [data-rows]");
  const blank = rows.querySelector("[data-blank]");
  const row = blank.cloneNode(true);
  row.removeAttribute("data-blank");
  const [time, name] = row.querySelectorAll("input");
  time.value = clock(seconds);
  name.value = title;
  rows.insertBefore(row, blank);
  return name;
}

function chapterHere() {
  addChapter(video.currentTime).focus();
}

function toChapters(changes) {
  const taken = new Set([...document.querySelectorAll('[data-chapters] [name="time"]')].map((one) => one.value));
  const fresh = [0, ...changes].filter((at) => !taken.has(clock(at / 1000)));
  fresh.forEach((at, index) => addChapter(at / 1000, `Part ${index + 1}`));
  if (fresh.length === 0) return "Nothing new was found.";
  return `${fresh.length} found. Give them titles, empty those you do not want, and save.`;
}

function toSlides(changes) {
  const fields = document.querySelectorAll('[data-slides] input[name^="slide-"]');
  const times = [0, ...changes].slice(0, fields.length);
  times.forEach((at, index) => (fields[index].value = clock(at / 1000)));
  return `${changes.length} changes found for ${fields.length} slides. Look at them, then save.`;
}

// The time in the row, also one that was typed a moment ago.
function playRow(event) {
  const button = event.target.closest("[data-play-row]");
  if (!button) return;
  const parts = button.closest("li").querySelector('[name="time"]').value.split(":").map(Number);
  const seconds = parts.reduce((sum, part) => sum * 60 + part, 0);
  if (Number.isNaN(seconds)) return;
  seek(seconds);
  video.play().catch(() => {});
}

function startForms() {
  for (const button of document.querySelectorAll("[data-play-row]")) button.hidden = false;
  document.addEventListener("click", playRow);
  const here = document.querySelector("[data-chapter-here]");
  if (here) {
    here.hidden = false;
    here.addEventListener("click", chapterHere);
  }
  for (const button of document.querySelectorAll("[data-scenes]")) {
    offerScenes(button, button.dataset.scenes === "slides" ? toSlides : toChapters);
  }
  for (const form of document.querySelectorAll("[data-slow]")) {
    form.addEventListener("submit", () => (form.querySelector("button").textContent = form.dataset.slow));
  }
}

startPlayer({
  i: () => mark("f-from"),
  o: () => mark("f-to"),
  "[": () => mark("f-begin"),
  "]": () => mark("f-end"),
  c: chapterHere,
});
startForms();
if (document.querySelector("[data-waits]")) setTimeout(() => location.reload(), LOOK_AGAIN);
