// The live page: wait at the door, play, count, ask.

import { ask } from "./answers.js";
import { play, programmeTime } from "./hls_video.js";
import { startPresence } from "./presence.js";

const LOOK_AGAIN = 3_000;
const WATCH = 2_000;
// After the end, a picture that stands still this long will not move again.
const STANDSTILL = 12_000;

const page = document.querySelector("[data-live]");
const part = (name) => page.querySelector(`[data-part="${name}"]`);
const video = part("video");
const door = Date.parse(page.dataset.door);

let serverAhead = Date.parse(page.dataset.now) - Date.now();
let status = page.dataset.status;
let playing = null;
let presence = null;
let isRefused = false;
let wasPlaying = false;
let moved = { time: 0, at: performance.now() };

function show(name) {
  for (const message of page.querySelectorAll("[data-message]")) {
    message.hidden = message.dataset.message !== name;
  }
  // A message lies over the picture, not over a picture that fills the screen.
  if (name && document.fullscreenElement) document.exitFullscreen().catch(() => {});
}

function watch(playlist) {
  show("");
  part("pill").hidden = false;
  playing = play(video, playlist, {
    live: true,
    onRefused: (code) => {
      playing = null;
      isRefused = code !== 410;
      show(code === 410 ? "ended" : "refused");
    },
  });
  start();
  presence ??= startPresence(video, {
    passUrl: page.dataset.passUrl,
    mode: "live",
    programmeTime: () => programmeTime(playing?.hls, video),
    onCounted: ({ words }) => (part("counted").textContent = words),
    onClosed: () => playing?.stop(),
  });
}

// Browsers that want a press first say so; every other interruption passes by itself.
function start() {
  video.play().catch((error) => {
    if (error.name !== "NotAllowedError") return;
    show("press");
    if (document.activeElement === document.body) part("press").focus();
  });
}

function showDelay() {
  if (playing === null || video.paused || video.ended) return;
  if (video.currentTime !== moved.time) moved = { time: video.currentTime, at: performance.now() };
  const standsStill = performance.now() - moved.at;
  if (standsStill > 2 * WATCH && status === "live") {
    part("delay").textContent = "waiting for the network";
    return;
  }
  const filmed = programmeTime(playing.hls, video);
  if (filmed === null || filmed === undefined) return;
  const seconds = Math.max(1, Math.round((Date.now() + serverAhead - filmed) / 1000));
  if (seconds < 120) part("delay").textContent = `delay about ${seconds} s`;
}

function isOver() {
  const standsStill = performance.now() - moved.at > STANDSTILL;
  return playing === null || video.ended || video.paused || standsStill;
}

async function look() {
  const state = await ask(page.dataset.stateUrl);
  serverAhead = Date.parse(state.now) - Date.now();
  if (state.status === "cancelled") location.reload();
  if (state.status !== status) openQuestions(state.status);
  status = state.status;
  page.dataset.status = status;
  if (status === "published" && Date.now() + serverAhead >= door) show("waiting");
  if (status === "live" && playing === null && !isRefused) {
    if (state.playlist) watch(state.playlist);
    else show("starting");
  }
  if (status === "ended") {
    if (isOver()) end();
    part("to-recording").hidden = state.recording !== "published";
  }
}

function end() {
  show("ended");
  part("pill").hidden = true;
  part("delay").textContent = "";
}

function openQuestions(now) {
  part("question-fields").disabled = now !== "live";
  part("answer").textContent = now === "ended" ? "Questions are closed." : "";
}

async function onAsk(event) {
  event.preventDefault();
  const form = event.target;
  const text = form.elements.text.value.trim();
  if (text === "") return;
  try {
    await ask(form.action, { method: "POST", json: { text, key: form.elements.key.value } });
    const item = document.createElement("li");
    item.className = "question";
    item.textContent = text;
    part("asked").append(item);
    part("asked-box").hidden = false;
    form.elements.text.value = "";
    form.elements.key.value = crypto.randomUUID();
    part("answer").textContent = "Sent to the moderator, without your name.";
  } catch (error) {
    part("answer").textContent = `${error.message} Your text is still here.`;
  }
}

// A telephone stops the picture while another page is in front, and does not start it again.
function onVisible() {
  if (document.hidden) {
    wasPlaying = !video.paused;
    return;
  }
  look().catch(() => {});
  if (wasPlaying && video.paused && playing !== null && !video.ended) start();
}

part("question-form").addEventListener("submit", onAsk);
part("press").addEventListener("click", () => {
  show("");
  start();
});
video.addEventListener("playing", () => show(""));
video.addEventListener("ended", end);
document.addEventListener("visibilitychange", onVisible);
if (page.dataset.playlist) watch(page.dataset.playlist);
setInterval(() => look().catch(() => {}), LOOK_AGAIN);
setInterval(showDelay, WATCH);
