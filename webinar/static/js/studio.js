// The studio: pick camera, microphone or screen; look; go live; stop.
//
// Its state follows from a few facts and is drawn anew whenever one of them changes: check, ready,
// on air; and "silent": the session is on air, but nothing is sent from this page.

import { ask } from "./answers.js";
import { Devices } from "./devices.js";
import { canRecord, Recorder } from "./recorder.js";
import { Sender } from "./sender.js";

const STATE_MILLISECONDS = 5_000;
const PACKAGED_LATE = 20_000;
const QUIET_LONG = 20_000;
const SLOW_CHUNKS = 4;

const WORDS = { check: "Check", ready: "Ready", "on-air": "On air", silent: "On air, not sending", ending: "Ending" };

const studio = document.querySelector("[data-studio]");
const part = (name) => document.querySelector(`[data-part="${name}"]`);
const { base, earliestWords } = studio.dataset;
const earliest = Date.parse(studio.dataset.earliest);
const serverAhead = Date.parse(studio.dataset.now) - Date.now();
const title = document.title;

const devices = canRecord()
  ? new Devices({ camera: part("camera"), microphone: part("microphone"), onChange: onSourcesChanged })
  : null;
const recorder = new Recorder(devices);
let sender = new Sender(base, () => onSenderChange());

let onAirSince = studio.dataset.onAirSince ? Date.parse(studio.dataset.onAirSince) : null;
let isSending = false;
let isEnding = false;
let isBusy = false;
let packaged = { seconds: 0, at: 0 };
const problems = { studio: "", server: "" };

const serverNow = () => Date.now() + serverAhead;

function state() {
  if (isEnding) return "ending";
  if (onAirSince !== null) return isSending ? "on-air" : "silent";
  return devices?.sound && serverNow() >= earliest ? "ready" : "check";
}

function line(now) {
  const seen = devices?.picture ? "see and hear you" : "hear you";
  if (now === "ending") return "Sending the last seconds. Keep this page open.";
  if (now === "silent") {
    return "The session is on air, but nothing is sent from this page. If another studio is sending, yours takes over.";
  }
  if (now === "on-air") {
    if (sender.isSignedOut) return "You are signed out. Nothing is lost: sign in again in another tab.";
    if (sender.tries > 0) return "No connection. Nothing is lost: go on, and keep this page open.";
    if (sender.waitingChunks > SLOW_CHUNKS) return "The network is slow. Nothing is lost: keep this page open.";
    return `People ${seen}, about six seconds later.`;
  }
  if (now === "ready") return "Nobody sees or hears you yet. Press Go live when you want to begin.";
  if (serverNow() < earliest) return `Nobody sees or hears you. You can go live from ${earliestWords}; until then, check picture and sound here.`;
  return "Nobody sees or hears you.";
}

function draw() {
  const now = state();
  studio.dataset.state = now;
  write("word", WORDS[now]);
  write("line", line(now));
  part("line").classList.toggle("slow", now === "on-air" && (sender.tries > 0 || sender.waitingChunks > SLOW_CHUNKS));
  const goLive = part("go-live");
  goLive.hidden = now === "on-air" || now === "ending";
  goLive.disabled = isBusy || !devices?.sound || now === "check";
  write("go-live", now === "silent" ? "Go on sending" : "Go live");
  part("stop").hidden = now !== "on-air" && now !== "silent";
  document.title = now === "on-air" ? `● On air: ${title}` : title;
  const message = [devices?.troubles.camera, devices?.troubles.microphone, ...Object.values(problems)];
  write("problem", message.filter(Boolean).join(" "));
  part("problem").hidden = part("problem").textContent === "";
  drawHealth(now);
  drawClock();
}

function drawHealth(now) {
  const waiting = sender.waitingChunks;
  if (now === "silent") setWord("sending", "broken", "nothing from here");
  else if (now === "check" || now === "ready") setWord("sending", "", "not yet");
  else if (sender.tries > 0) setWord("sending", "slow", `no connection, nothing lost: ${waiting} s waiting`);
  else if (waiting > SLOW_CHUNKS) setWord("sending", "slow", `slow, nothing lost: ${waiting} s waiting`);
  else setWord("sending", "fine", "fine");
  if (onAirSince === null || packaged.seconds === 0) return;
  const isLate = performance.now() - packaged.at > PACKAGED_LATE;
  setWord("packaged", isLate ? "slow" : "fine", isLate ? "waits for the rest" : devices?.picture ? "sees you" : "hears you");
}

function drawClock() {
  if (onAirSince === null) return;
  const seconds = Math.max(0, Math.floor((serverNow() - onAirSince) / 1000));
  const minutes = String(Math.floor(seconds / 60)).padStart(2, "0");
  write("clock", `${minutes}:${String(seconds % 60).padStart(2, "0")}`);
}

function drawLevel() {
  part("level").value = devices.level();
  const quiet = devices.heardAt === null ? Infinity : performance.now() - devices.heardAt;
  if (devices.sound === null) setWord("sound", devices.isAsking ? "" : "broken", devices.isAsking ? "not yet" : "no microphone");
  else if (devices.isMuted) setWord("sound", "broken", "muted by this computer");
  else if (quiet === Infinity) setWord("sound", "slow", "nothing heard yet");
  else if (quiet > QUIET_LONG) setWord("sound", "slow", "quiet for a while");
  else setWord("sound", "fine", "heard");
}

function setWord(name, kind, text) {
  part(name).className = kind;
  write(name, text);
}

// Text that stays the same is not written: it would be read aloud again.
function write(name, text) {
  const element = part(name);
  if (element.textContent.trim() !== text) element.textContent = text;
}

function onSourcesChanged() {
  part("preview").srcObject = devices.picture;
  part("waiting").hidden = devices.picture !== null || devices.sound !== null;
  part("sound-only").hidden = devices.picture !== null || devices.sound === null;
  for (const button of studio.querySelectorAll("[data-source]")) {
    const isOn = devices.picture !== null && button.dataset.source === devices.source;
    button.setAttribute("aria-pressed", String(isOn));
  }
  if (isSending && !isEnding && devices.sound) film();
  draw();
}

async function film() {
  try {
    await recorder.start(sender);
    isSending = true;
  } catch (error) {
    isSending = false;
    problems.studio = `This browser cannot send this picture: ${error.message} Choose another camera, or use another browser.`;
  }
  draw();
}

async function onGoLive() {
  isBusy = true;
  problems.studio = "";
  draw();
  try {
    await ask(`${base}/live`, { method: "POST", json: {} });
    onAirSince ??= serverNow();
    if (sender.refusal) sender = new Sender(base, () => onSenderChange());
    await film();
    keepAwake();
  } catch (error) {
    problems.studio = onAirSince === null ? `${error.message} You are not on air.` : error.message;
  }
  isBusy = false;
  draw();
  if (isSending) part("stop").focus();
}

async function onStop() {
  part("stop-dialog").close();
  isEnding = true;
  problems.studio = "";
  draw();
  try {
    await recorder.stop();
    if (isSending) await sender.drained();
    await ask(`${base}/stop`, { method: "POST", json: {} });
    leave();
  } catch (error) {
    isEnding = false;
    isSending = false;
    problems.studio = `${error.message} Press Stop again; what was sent is safe.`;
    draw();
  }
}

function leave() {
  onAirSince = null;
  devices?.release();
  location.reload();
}

async function onSenderChange() {
  if (sender.refusal && isSending) {
    isSending = false;
    problems.studio = `${sender.refusal.message} What was sent before is safe.`;
    await recorder.stop();
  }
  draw();
}

async function lookAtServer() {
  const answer = await ask(`${base}/state`);
  if (isEnding) return;
  if (answer.status === "ended" || answer.status === "cancelled") leave();
  // Another studio of this session went live.
  if (answer.status === "live") onAirSince ??= serverNow();
  if (answer.packaged_seconds > packaged.seconds) {
    packaged = { seconds: answer.packaged_seconds, at: performance.now() };
  }
  problems.server = answer.problem ?? "";
  const count = document.querySelector('[data-part="questions-count"]');
  const open = answer.open_questions;
  if (count) write("questions-count", open === 0 ? "" : `${open} open question${open === 1 ? "" : "s"}`);
  draw();
}

// A telephone that goes dark stops filming.
async function keepAwake() {
  if (!isSending || document.hidden) return;
  await navigator.wakeLock?.request("screen").catch(() => {});
}

function warn(event) {
  if (!isSending || onAirSince === null) return;
  event.preventDefault();
  event.returnValue = true;
}

async function begin() {
  part("go-live").addEventListener("click", onGoLive);
  part("stop").addEventListener("click", () => part("stop-dialog").showModal());
  part("stop-yes").addEventListener("click", onStop);
  part("stop-no").addEventListener("click", () => part("stop-dialog").close());
  addEventListener("beforeunload", warn);
  document.addEventListener("visibilitychange", keepAwake);
  setInterval(draw, 500);
  setInterval(() => lookAtServer().catch(() => {}), STATE_MILLISECONDS);
  if (devices === null) {
    problems.studio = "This browser cannot broadcast. Use a current Chrome, Edge, Firefox or Safari, at an https address.";
    draw();
    return;
  }
  const [camera, screen] = studio.querySelectorAll("[data-source]");
  camera.addEventListener("click", () => devices.useCamera());
  screen.addEventListener("click", () => devices.useScreen());
  screen.hidden = !devices.canShareScreen;
  setInterval(drawLevel, 100);
  draw();
  await devices.begin();
  draw();
}

begin();
