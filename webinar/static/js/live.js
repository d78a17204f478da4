// The live page: wait at the door, play, count, ask.

import { ask } from "./answers.js";
import { play, programmeTime } from "./hls_video.js";
import { startPresence } from "./presence.js";

const LOOK_AGAIN = 3_000;

const page = document.querySelector("[data-live]");
const part = (name) => page.querySelector(`[data-part="${name}"]`);
const video = part("video");

let playing = null;
let presence = null;

function show(name) {
  for (const message of page.querySelectorAll("[data-message]")) {
    message.hidden = message.dataset.message !== name;
  }
}

function watch(playlist) {
  show("");
  part("pill").hidden = false;
  playing = play(video, playlist, {
    live: true,
    onRefused: (status) => {
      playing = null;
      show(status === 410 ? "ended" : "refused");
    },
  });
  video.play().catch(() => show("press"));
  presence ??= startPresence(video, {
    passUrl: page.dataset.passUrl,
    mode: "live",
    programmeTime: () => programmeTime(playing?.hls, video),
    onCounted: ({ words }) => (part("counted").textContent = words),
    onClosed: () => playing?.stop(),
  });
}

function showDelay() {
  const filmed = programmeTime(playing?.hls, video);
  if (filmed === null || filmed === undefined || video.paused) return;
  const seconds = Math.max(1, Math.round((Date.now() + serverAhead - filmed) / 1000));
  if (seconds < 120) part("delay").textContent = `delay about ${seconds} s`;
}

let serverAhead = Date.parse(page.dataset.now) - Date.now();

async function look() {
  const state = await ask(page.dataset.stateUrl);
  serverAhead = Date.parse(state.now) - Date.now();
  if (state.status === "live" && playing === null) {
    if (state.playlist) watch(state.playlist);
    else show("starting");
  }
  if (state.status === "ended") {
    const over = video.ended || video.paused || playing === null;
    if (over) show("ended");
    if (state.recording === "published") part("to-recording").hidden = false;
  }
  if (state.status === "cancelled") location.reload();
}

async function onAsk(event) {
  event.preventDefault();
  const form = event.target;
  const text = form.elements.text.value;
  try {
    await ask(form.action, { method: "POST", json: { text, key: form.elements.key.value } });
    const item = document.createElement("li");
    item.className = "question";
    item.textContent = text.trim();
    part("asked").append(item);
    part("asked-box").hidden = false;
    form.reset();
    form.elements.key.value = crypto.randomUUID();
    part("answer").textContent = "Sent to the moderator, without your name.";
  } catch (error) {
    part("answer").textContent = `${error.message} Your text is still here.`;
  }
}

part("question-form")?.addEventListener("submit", onAsk);
part("press")?.addEventListener("click", () => {
  show("");
  video.play();
});
video.addEventListener("ended", () => show("ended"));
video.addEventListener("error", () => playing === null || show("refused"));
if (page.dataset.playlist) watch(page.dataset.playlist);
setInterval(() => look().catch(() => {}), LOOK_AGAIN);
setInterval(showDelay, 2_000);
