// The studio: pick camera, microphone, screen or slides; look; go live; stop.
//
// Its state follows from a few facts and is drawn anew whenever one of them changes: check, ready,
// on air, break; "other": somebody else sends; "silent": on air, but nobody sends; rehearsal.

import { ask } from "./answers.js";
import { Devices } from "./devices.js";
import { canRecord, Recorder } from "./recorder.js";
import { isOfThisTab, Sender } from "./sender.js";
import { draw as drawFacts, drawLevel, part, show, write } from "./studio_draw.js";
import { listenToKeys } from "./studio_keys.js";
import { Rehearsal } from "./studio_rehearsal.js";
import { Slides } from "./studio_slides.js";
import { openStore } from "./studio_store.js";

const STATE_MILLISECONDS = 3_000;
const RESTART_MILLISECONDS = 10_000;

const studio = document.querySelector("[data-studio]");
const { base, earliestWords, owner } = studio.dataset;
const serverAhead = Date.parse(studio.dataset.now) - Date.now();
const serverNow = () => Date.now() + serverAhead;
const title = document.title;

const devices = canRecord()
  ? new Devices({ camera: part("camera"), microphone: part("microphone"), onChange: onSourcesChanged })
  : null;
const recorder = new Recorder(devices, { onBroken: () => isSending && film() });
const slides = new Slides({ base, onTurn: () => devices.turnSlide() });

let sender = null;
let onAirSince = studio.dataset.onAirSince ? Date.parse(studio.dataset.onAirSince) : null;
let isSending = false;
let isEnding = false;
let isBusy = false;
let hasRival = false; // another studio sends, and nobody has said yet that we take over
let restartedAt = -RESTART_MILLISECONDS;
let packaged = { seconds: 0, at: 0 };
let server = { sender: null, take: null, break: studio.dataset.break === "on", handed_to_me: false, handed_to: null };
let news = ""; // what happened, and is no trouble
const problems = { studio: "", server: "", store: "" };
const rehearsal = new Rehearsal({
  base,
  devices,
  onChange: () => draw(),
  onProblem: (words) => (problems.studio = words),
  isOnAir: () => onAirSince !== null,
});

function state() {
  if (isEnding) return "ending";
  if (onAirSince !== null) {
    if (isSending && !hasRival) return server.break ? "break" : "on-air";
    return server.sender ? "other" : "silent";
  }
  if (rehearsal.isOn) return "rehearsal";
  return devices?.sound && serverNow() >= Date.parse(studio.dataset.earliest) ? "ready" : "check";
}

function facts() {
  return {
    state: state(),
    sender: rehearsal.isMine ? rehearsal.sender : sender,
    earliest: Date.parse(studio.dataset.earliest),
    endsAt: Date.parse(studio.dataset.ends),
    isOnAir: onAirSince !== null,
    devices, server, packaged, isBusy, onAirSince, serverNow, earliestWords, rehearsal,
  };
}

function draw() {
  if (sender === null) return;
  const now = facts();
  studio.dataset.state = now.state;
  drawFacts(now);
  document.title = now.state === "on-air" ? `● On air: ${title}` : title;
  const message = [devices?.troubles.camera, devices?.troubles.microphone, ...Object.values(problems)];
  write("problem", message.filter(Boolean).join(" "));
  show("problem", part("problem").textContent !== "");
  if (now.state !== "other") news = "";
  write("news", news);
  show("news", news !== "");
  drawAsked(now.state);
  show("rehearse", onAirSince === null && Boolean(devices?.sound) && !rehearsal.isOn);
  const lost = Math.round(sender.lostMilliseconds / 1000);
  show("stranded", lost > 0);
  write("stranded-words", `${lost} s that this page filmed could not be sent: another studio had taken over, or the session was over.`);
}

// Asked by a colleague to go on, or waiting for one who was asked.
function drawAsked(now) {
  const isAsked = server.handed_to_me && now !== "on-air" && now !== "ending";
  show("asked", isAsked);
  const waits = server.handed_to && !server.handed_to_me && onAirSince !== null;
  show("waits", Boolean(waits));
  if (waits) write("waits-words", `${server.handed_to} was asked to go on sending. Go on until they do.`);
}

function onSourcesChanged() {
  part("preview").srcObject = devices.picture;
  show("waiting", devices.picture === null && devices.sound === null && devices.source !== "none");
  show("sound-only", devices.picture === null && devices.sound !== null);
  show("held", devices.isHeld);
  for (const button of studio.querySelectorAll("[data-source]")) {
    const isOn = button.dataset.source === devices.source && (devices.picture !== null || devices.source === "none");
    button.setAttribute("aria-pressed", String(isOn));
  }
  part("inset").checked = devices.hasInset;
  part("inset").disabled = devices.source === "camera" || devices.source === "none";
  show("slides-bar", devices.source === "slides");
  if (filmed !== devices.picture || heard !== devices.sound) {
    [filmed, heard] = [devices.picture, devices.sound];
    if (isSending && !isEnding && devices.sound) film();
    if (rehearsal.isMine && devices.sound) rehearsal.film();
  }
  draw();
}
let filmed = null;
let heard = null;

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
  if (onAirSince !== null && server.sender !== null && !server.handed_to_me) {
    askRival(`${server.sender} is sending right now.`);
    return;
  }
  await goLive();
}

async function goLive({ takesOver = false } = {}) {
  isBusy = true;
  problems.studio = "";
  draw();
  try {
    await rehearsal.stop();
    await ask(`${base}/live`, { method: "POST", json: {} });
    onAirSince ??= serverNow();
    if (takesOver) sender.meansIt = true;
    devices.setHeld(server.break);
    await film();
    keepAwake();
  } catch (error) {
    problems.studio = onAirSince === null ? `${error.message} You are not on air.` : error.message;
  }
  isBusy = false;
  draw();
  // Not on Stop: the space bar mutes.
  if (isSending) studio.focus({ preventScroll: true });
}

// Another studio sends: nothing happens before somebody has said that it is meant.
function askRival(words) {
  write("rival-words", `${words} If you take over, their picture and sound end, and yours go on.`);
  if (!part("rival-dialog").open) part("rival-dialog").showModal();
}

function onRival(error) {
  hasRival = true;
  askRival(error.message);
  draw();
}

async function onRivalAnswer(takesOver) {
  part("rival-dialog").close();
  hasRival = false;
  if (!isSending) {
    if (takesOver) await goLive({ takesOver });
    return;
  }
  if (takesOver) {
    sender.takeOver();
    return;
  }
  isSending = false;
  sender.giveUp();
  await recorder.stop();
  draw();
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

// The take was refused. Nobody else sends: then only the take is broken, and a new one begins.
async function onRefused(error) {
  if (!isSending || isEnding) return;
  isSending = false;
  await recorder.stop();
  const look = await ask(`${base}/state`).catch(() => server);
  if (look.status === "live" && look.sender === null && performance.now() - restartedAt > RESTART_MILLISECONDS) {
    restartedAt = performance.now();
    await film();
    return;
  }
  if (look.sender) news = `${look.sender} has taken over. What you sent before is safe, and you may stay as a listener.`;
  else problems.studio = `${error.message} What was sent before is safe.`;
  server = { ...server, ...look };
  draw();
}

async function lookAtServer() {
  const answer = await ask(`${base}/state`);
  if (isEnding) return;
  if (answer.status === "ended" || answer.status === "cancelled") leave();
  server = answer;
  // What this tab sent before its reload is nobody else's.
  if (!isSending && isOfThisTab(answer.take)) server.sender = null;
  // Another studio of this session went live.
  if (answer.status === "live") onAirSince ??= serverNow();
  if (answer.packaged_seconds > packaged.seconds) {
    packaged = { seconds: answer.packaged_seconds, at: performance.now() };
  }
  problems.server = answer.problem ?? "";
  if (isSending) devices.setHeld(answer.break);
  rehearsal.hear(answer.rehearsal);
  const open = answer.open_questions;
  write("questions-count", open === 0 ? "" : `${open} open question${open === 1 ? "" : "s"}`);
  draw();
}

async function onBreak() {
  const on = !server.break;
  // Quiet at once, whatever the network does; heard again only when the server says so.
  if (on && isSending) devices.setHeld(true);
  await tell(async () => {
    await ask(`${base}/break`, { method: "POST", json: { on } });
    server.break = on;
    if (isSending) devices.setHeld(on);
  });
}

const handOver = (to) => tell(() => ask(`${base}/hand-over`, { method: "POST", json: { to } }).then(lookAtServer));

async function tell(step) {
  problems.studio = "";
  try {
    await step();
  } catch (error) {
    problems.studio = error.message;
  }
  draw();
}

async function saveStranded() {
  for (const [index, stranded] of sender.stranded.entries()) {
    const url = URL.createObjectURL(await sender.saved(stranded));
    Object.assign(document.createElement("a"), { href: url, download: `not-sent-${index + 1}.webm` }).click();
    setTimeout(() => URL.revokeObjectURL(url), 60_000);
  }
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

const on = (name, step) => part(name)?.addEventListener("click", step);

function wire() {
  on("go-live", onGoLive);
  on("stop", () => part("stop-dialog").showModal());
  on("stop-yes", onStop);
  on("stop-no", () => part("stop-dialog").close());
  on("rival-yes", () => onRivalAnswer(true));
  on("rival-no", () => onRivalAnswer(false));
  on("break", onBreak);
  on("hand-over", () => part("hand-dialog").showModal());
  on("hand-no", () => part("hand-dialog").close());
  on("asked-yes", () => goLive());
  on("asked-no", () => handOver(null));
  on("waits-no", () => handOver(null));
  on("stranded-save", saveStranded);
  on("stranded-forget", () => sender.forgetStranded().then(draw));
  for (const button of studio.querySelectorAll("[data-hand-to]")) {
    button.addEventListener("click", () => {
      part("hand-dialog").close();
      handOver(Number(button.dataset.handTo));
    });
  }
  addEventListener("beforeunload", warn);
  document.addEventListener("visibilitychange", keepAwake);
}

function wireDevices() {
  const steps = {
    camera: () => devices.useCamera({ alone: true }),
    screen: () => devices.useScreen(),
    slides: () => slides.choose().then((slide) => slide && devices.useSlides(slide)),
    none: () => devices.useNoPicture(),
  };
  for (const button of studio.querySelectorAll("[data-source]")) {
    button.addEventListener("click", steps[button.dataset.source]);
    if (button.dataset.source === "screen") button.hidden = !devices.canShareScreen;
  }
  part("inset").addEventListener("change", (event) => devices.setInset(event.target.checked));
  on("mute", () => devices.setMuted(!devices.isOff));
  on("rehearse", () => tell(() => rehearsal.start()));
  on("rehearse-stop", () => tell(() => rehearsal.stop()));
  listenToKeys(studio, {
    mute: () => devices.setMuted(!devices.isOff),
    break: () => onAirSince !== null && !isEnding && onBreak(),
    next: () => devices.source === "slides" && slides.turn(1),
    previous: () => devices.source === "slides" && slides.turn(-1),
  });
}

async function begin() {
  const store = await openStore(owner);
  sender = new Sender(base, store, { onChange: draw, onRefused, onRival });
  wire();
  setInterval(draw, 500);
  setInterval(() => lookAtServer().catch(() => {}), STATE_MILLISECONDS);
  lookAtServer().catch(() => {});
  if (!store.isDurable) problems.store = "This browser keeps nothing on its disk, as in a private window: keep this page open until all is sent.";
  await sender.resume();
  if (devices === null) {
    problems.studio = "This browser cannot broadcast. Use a current Chrome, Edge, Firefox or Safari, at an https address.";
    draw();
    return;
  }
  wireDevices();
  setInterval(() => drawLevel(devices), 100);
  draw();
  await devices.begin();
  draw();
}

begin();
