// The live page: wait at the door, play, count, ask.

import { ask } from "./answers.js";
import { Attention } from "./attention.js";
import { programmeTime } from "./hls_video.js";
import { Edge } from "./live_edge.js";
import { messageFor } from "./live_message.js";
import { Questions } from "./live_questions.js";
import { keysOf, listenToKeys } from "./player_keys.js";
import { Messages } from "./player_messages.js";
import { Picture } from "./player_picture.js";
import { offerPictureInPicture } from "./player_pip.js";
import { startPresence } from "./presence.js";

const LOOK_AGAIN = 3_000;
const WATCH = 500;
const STEP = 5;

const page = document.querySelector("[data-live]");
const part = (name) => page.querySelector(`[data-part="${name}"]`);
const video = part("video");
const door = Date.parse(page.dataset.door);

const messages = new Messages(page);
const questions = new Questions(part);
const edge = new Edge(video);
const attention = new Attention(video, part);
let serverAhead = Date.parse(page.dataset.now) - Date.now();
let state = JSON.parse(page.dataset.state);
let picture = null;
let presence = null;
let refusedWith = null;
let needsPress = false;
let hasPlayed = false;
let wasPlaying = false;

function watch() {
  const base = state.playlist.replace(/\/live\.m3u8$/, "");
  picture = new Picture(video, {
    frame: part("frame"),
    select: part("picture"),
    base,
    list: "live",
    live: true,
    onStarted: (hls) => edge.follow(hls),
    onRefused: (status) => {
      refusedWith = status;
      picture = null;
      draw();
    },
  });
  picture.offer(state.renditions);
  picture.start();
  start();
  presence ??= startPresence(video, {
    passUrl: page.dataset.passUrl,
    mode: "live",
    programmeTime: () => programmeTime(picture?.hls ?? null, video),
    onCounted: ({ words, check }) => {
      part("counted").textContent = words;
      attention.heard(check);
    },
    onClosed: () => picture?.stop(),
  });
}

// Browsers that want a press first say so; every other interruption passes by itself.
function start(playing = video.play()) {
  playing.then(
    () => (needsPress = false),
    (error) => {
      if (error.name !== "NotAllowedError") return;
      needsPress = true;
      draw();
      if (document.activeElement === document.body) part("press").focus();
    },
  );
}

function draw() {
  edge.look();
  const isOn = picture !== null;
  const message = messageFor({
    status: state.status,
    isDoorOpen: Date.now() + serverAhead >= door,
    hasRoom: state.room,
    isBreak: state.break,
    refusedWith,
    isOn,
    needsPress,
    hasPlayed,
    isPaused: video.paused,
    hasEnded: video.ended,
    standsStill: edge.standsStill,
    sinceNews: edge.sinceNews,
    sinceAnswer: edge.sinceAnswer,
  });
  messages.show(message);
  part("pill").hidden = !isOn || state.status !== "live";
  part("controls").hidden = !isOn;
  drawDelay(isOn, message);
}

function drawDelay(isOn, message) {
  const isWatching = isOn && !video.ended && state.status === "live" && message === "";
  // After a pause too; a moment of it is nothing to speak of.
  const isBehind = isWatching && hasPlayed && edge.isBehind;
  part("go-live").hidden = !isBehind;
  const delay = isWatching ? edge.delay(Date.now() + serverAhead) : null;
  let words = "";
  if (isWatching && video.paused) words = "paused";
  else if (isWatching && edge.standsStill > 3_000) words = "waiting for the network";
  else if (delay !== null && delay < 600) words = `delay about ${Math.max(1, Math.round(delay))} s`;
  if (part("delay").textContent !== words) part("delay").textContent = words;
}

async function look() {
  const before = state.status;
  state = await ask(page.dataset.stateUrl);
  serverAhead = Date.parse(state.now) - Date.now();
  edge.heard();
  if (state.status === "cancelled") location.reload();
  if (state.status !== before) questions.open(state.status);
  page.dataset.status = state.status;
  if (state.status === "live" && state.playlist && !state.room) {
    if (picture === null && refusedWith === null) watch();
    else picture?.offer(state.renditions);
  }
  drawRecording();
  draw();
}

// What follows after the end, as far as it is known.
function drawRecording() {
  for (const words of page.querySelectorAll("[data-recording-is]")) {
    words.hidden = !words.dataset.recordingIs.split(" ").includes(state.recording ?? "none");
  }
}

// A telephone stops the picture while another page is in front, and does not start it again.
function onVisible() {
  if (document.hidden) {
    wasPlaying = !video.paused;
    return;
  }
  look().catch(() => {});
  if (wasPlaying && video.paused && picture !== null && !video.ended) start();
}

function jump(seconds) {
  const { seekable } = video;
  if (seekable.length === 0) return;
  const [first, last] = [seekable.start(0), seekable.end(seekable.length - 1)];
  video.currentTime = Math.min(Math.max(first, video.currentTime + seconds), last - 1);
}

const goLive = () => picture !== null && start(edge.goLive());
part("go-live").addEventListener("click", goLive);
part("press").addEventListener("click", () => {
  needsPress = false;
  start();
  draw();
});
video.addEventListener("playing", () => {
  hasPlayed = true;
  needsPress = false;
  draw();
});
video.addEventListener("ended", draw);
document.addEventListener("visibilitychange", onVisible);
const pip = offerPictureInPicture(video, part("pip"));
listenToKeys(page, { ...keysOf(video, { step: STEP, jump }), l: goLive, p: pip, h: () => attention.answer() });
if (state.status === "live" && state.playlist && !state.room) watch();
drawRecording();
draw();
setInterval(() => look().catch(() => {}), LOOK_AGAIN);
setInterval(draw, WATCH);
