// The studio: pick camera, microphone or screen; look; go live; stop.

import { ask } from "./answers.js";
import { Sender } from "./sender.js";

// H.264 first: it can be passed on with the least work; the rest is for browsers without it.
const KINDS = [
  "video/webm;codecs=h264,opus",
  "video/webm;codecs=vp8,opus",
  "video/webm;codecs=vp9,opus",
  "video/mp4",
];
const CHUNK_MILLISECONDS = 1_000;
const VIDEO_BITS = 1_800_000;
const AUDIO_BITS = 96_000;
const HEALTH_MILLISECONDS = 1_000;
const STATE_MILLISECONDS = 5_000;

const studio = document.querySelector("[data-studio]");
const part = (name) => studio.querySelector(`[data-part="${name}"]`);
const base = studio.dataset.base;

const preview = part("preview");
const goLive = part("go-live");
const stopButton = part("stop");
const problem = part("problem");

let picture = null; // MediaStream of camera or screen
let sound = null; // MediaStream of the microphone
let recorder = null;
let onAirSince = studio.dataset.onAirSince ? Date.parse(studio.dataset.onAirSince) : null;
const serverAhead = Date.parse(studio.dataset.now) - Date.now();
const sender = new Sender(base, showHealth);

function say(message) {
  problem.textContent = message;
  problem.hidden = message === "";
}

function setState(state) {
  studio.dataset.state = state;
  part("word").textContent = { check: "Check", ready: "Ready", "on-air": "On air" }[state];
  goLive.hidden = state === "on-air";
  goLive.disabled = state !== "ready";
  stopButton.hidden = state !== "on-air";
}

async function listDevices() {
  const devices = await navigator.mediaDevices.enumerateDevices();
  fill(part("camera"), devices.filter((d) => d.kind === "videoinput"), "Camera");
  fill(part("microphone"), devices.filter((d) => d.kind === "audioinput"), "Microphone");
}

function fill(select, devices, word) {
  const chosen = select.value;
  select.replaceChildren(
    ...devices.map((device, index) => new Option(device.label || `${word} ${index + 1}`, device.deviceId)),
  );
  if (devices.some((device) => device.deviceId === chosen)) select.value = chosen;
}

function release(stream) {
  for (const track of stream?.getTracks() ?? []) track.stop();
}

async function useCamera() {
  const wanted = part("camera").value;
  const stream = await navigator.mediaDevices.getUserMedia({
    video: { deviceId: wanted ? { exact: wanted } : undefined, width: { ideal: 1280 }, height: { ideal: 720 }, frameRate: { ideal: 25 } },
  });
  usePicture(stream, "camera");
}

async function useScreen() {
  const stream = await navigator.mediaDevices.getDisplayMedia({
    video: { width: { max: 1920 }, height: { max: 1080 }, frameRate: { max: 15 } },
    audio: false,
  });
  // The person ended the sharing with the browser's own button.
  stream.getVideoTracks()[0].addEventListener("ended", () => {
    if (picture === stream) useCamera().catch(explain);
  });
  usePicture(stream, "screen");
}

function usePicture(stream, source) {
  release(picture);
  picture = stream;
  for (const button of studio.querySelectorAll("[data-source]")) {
    button.setAttribute("aria-pressed", String(button.dataset.source === source));
  }
  sourcesChanged();
}

async function useMicrophone() {
  const wanted = part("microphone").value;
  const stream = await navigator.mediaDevices.getUserMedia({
    audio: { deviceId: wanted ? { exact: wanted } : undefined, echoCancellation: true, noiseSuppression: true },
  });
  release(sound);
  sound = stream;
  showLevel(stream);
  sourcesChanged();
}

function sourcesChanged() {
  preview.srcObject = picture;
  part("waiting").hidden = picture !== null;
  if (onAirSince !== null && recorder !== null) restartRecorder();
  else if (picture && sound && onAirSince === null) setState("ready");
}

// A level that moves says more than "microphone on".
let meter = null;
function showLevel(stream) {
  meter?.context.close();
  const context = new AudioContext();
  const analyser = context.createAnalyser();
  context.createMediaStreamSource(stream).connect(analyser);
  meter = { context, analyser, samples: new Float32Array(analyser.fftSize), heard: false };
}

function readLevel() {
  if (meter === null) return;
  meter.analyser.getFloatTimeDomainData(meter.samples);
  const loudest = meter.samples.reduce((most, sample) => Math.max(most, Math.abs(sample)), 0);
  part("level").value = loudest;
  if (loudest > 0.02) meter.heard = true;
  setWord("sound", meter.heard ? "fine" : "slow", meter.heard ? "heard" : "nothing heard yet");
}

function setWord(name, kind, text) {
  const element = part(name);
  element.className = kind;
  if (element.textContent !== text) element.textContent = text;
}

function startRecorder() {
  const stream = new MediaStream([...picture.getVideoTracks(), ...sound.getAudioTracks()]);
  const mimeType = KINDS.find((kind) => MediaRecorder.isTypeSupported(kind));
  recorder = new MediaRecorder(stream, {
    mimeType,
    videoBitsPerSecond: VIDEO_BITS,
    audioBitsPerSecond: AUDIO_BITS,
  });
  const send = sender.startTake();
  recorder.addEventListener("dataavailable", (event) => send(event.data));
  recorder.addEventListener("error", (event) => say(`The recorder stopped: ${event.error?.message}`));
  recorder.start(CHUNK_MILLISECONDS);
}

function stopRecorder() {
  if (recorder === null || recorder.state === "inactive") return Promise.resolve();
  const stopped = new Promise((resolve) => recorder.addEventListener("stop", resolve, { once: true }));
  recorder.stop();
  return stopped;
}

async function restartRecorder() {
  await stopRecorder();
  startRecorder();
}

async function onGoLive() {
  goLive.disabled = true;
  say("");
  try {
    await ask(`${base}/live`, { method: "POST", json: {} });
    onAirSince ??= Date.now() + serverAhead;
    startRecorder();
    setState("on-air");
  } catch (error) {
    say(error.message);
    goLive.disabled = false;
  }
}

async function onStop() {
  part("stop-dialog").close();
  stopButton.disabled = true;
  try {
    await stopRecorder();
    part("ending").hidden = false;
    await sender.drained();
    await ask(`${base}/stop`, { method: "POST", json: {} });
    onAirSince = null;
    release(picture);
    release(sound);
    removeEventListener("beforeunload", warn);
    location.reload();
  } catch (error) {
    stopButton.disabled = false;
    say(`${error.message} Press Stop again; what was sent is safe.`);
  }
}

function showHealth() {
  if (sender.refusal) {
    setWord("sending", "broken", "refused");
    say(`${sender.refusal.message} What was sent before is safe.`);
    return;
  }
  const waiting = Math.round(sender.waitingBytes / 1000);
  if (onAirSince === null) setWord("sending", "", "not yet");
  else if (sender.tries > 0) setWord("sending", "slow", "no connection, nothing lost, trying again");
  else if (waiting > 1500) setWord("sending", "slow", `network slow, nothing lost (${waiting} kB waiting)`);
  else setWord("sending", "fine", "fine");
}

function showClock() {
  if (onAirSince === null) return;
  const seconds = Math.max(0, Math.floor((Date.now() + serverAhead - onAirSince) / 1000));
  const minutes = String(Math.floor(seconds / 60)).padStart(2, "0");
  part("clock").textContent = `${minutes}:${String(seconds % 60).padStart(2, "0")}`;
}

async function showServerState() {
  if (onAirSince === null) return;
  const state = await ask(`${base}/state`);
  setWord("packaged", state.packaged_seconds > 0 ? "fine" : "slow", state.packaged_seconds > 0 ? "people see you" : "starting");
  if (state.problem) say(state.problem);
}

function warn(event) {
  if (onAirSince !== null && recorder !== null) event.preventDefault();
}

function explain(error) {
  const reasons = {
    NotAllowedError: "The browser was not allowed to use camera or microphone. Allow it beside the address, then reload.",
    NotFoundError: "No camera or microphone was found. Plug one in, then reload.",
    NotReadableError: "Another program uses the camera or microphone. Close it, then reload.",
  };
  say(reasons[error.name] ?? error.message);
}

async function begin() {
  setState("check");
  if (onAirSince !== null) {
    // After a reload: the session is on air, but nothing is being sent from here yet.
    part("word").textContent = "On air, not sending";
    goLive.textContent = "Go on sending";
  }
  if (!navigator.mediaDevices?.getUserMedia || !window.MediaRecorder) {
    say("This browser cannot broadcast. Use a current Chrome, Edge or Firefox, at an https address.");
    return;
  }
  studio.querySelector('[data-source="camera"]').addEventListener("click", () => useCamera().catch(explain));
  studio.querySelector('[data-source="screen"]').addEventListener("click", () => {
    // Closing the window of choice is not a problem.
    useScreen().catch((error) => error.name === "NotAllowedError" || explain(error));
  });
  part("camera").addEventListener("change", () => useCamera().catch(explain));
  part("microphone").addEventListener("change", () => useMicrophone().catch(explain));
  goLive.addEventListener("click", onGoLive);
  stopButton.addEventListener("click", () => part("stop-dialog").showModal());
  part("stop-yes").addEventListener("click", onStop);
  part("stop-no").addEventListener("click", () => part("stop-dialog").close());
  addEventListener("beforeunload", warn);
  setInterval(readLevel, 100);
  setInterval(showClock, 500);
  setInterval(showHealth, HEALTH_MILLISECONDS);
  setInterval(() => showServerState().catch(() => {}), STATE_MILLISECONDS);
  try {
    await useCamera();
    await useMicrophone();
    await listDevices();
    if (onAirSince !== null) goLive.disabled = false;
  } catch (error) {
    explain(error);
  }
}

begin();
