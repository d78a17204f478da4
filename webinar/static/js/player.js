// The recording: play, seek, resume where one left, and end on the second.

import { Attention } from "./attention.js";
import { offerCaptions } from "./player_captions.js";
import { Chapters } from "./player_chapters.js";
import { clock, drawCoverage } from "./player_coverage.js";
import { Edition } from "./player_edition.js";
import { keysOf, listenToKeys } from "./player_keys.js";
import { Messages } from "./player_messages.js";
import { Picture } from "./player_picture.js";
import { offerPictureInPicture } from "./player_pip.js";
import { Place } from "./player_place.js";
import { Slides } from "./player_slides.js";
import { Timeline } from "./player_timeline.js";
import { Window } from "./player_window.js";
import { startPresence } from "./presence.js";

const STEP = 15;
const REFUSALS = { 401: "signed-out", 403: "no-place", 410: "closed" };
const EDITED = 409;

const page = document.querySelector("[data-player]");
const part = (name) => page.querySelector(`[data-part="${name}"]`);
const video = part("video");
const timeline = new Timeline(page.dataset.kept);
const messages = new Messages(page);
const attention = new Attention(video, part);

function end(name) {
  picture.stop();
  messages.show(name);
  for (const control of part("controls").querySelectorAll("button, select")) {
    control.disabled = control.dataset.part !== "keys-button";
  }
}

const edition = new Edition(video, { page, timeline, onStale: () => end("broken") });
const [playlist, query] = page.dataset.playlist.split("?");
const picture = new Picture(video, {
  frame: part("frame"),
  select: part("picture"),
  base: playlist.replace(/\/recording\.m3u8$/, ""),
  list: "recording",
  query: `?${query}`,
  onRefused: (status) => (status === EDITED ? edition.changed() : end(REFUSALS[status] ?? "broken")),
  onTrouble: () => opening.ask(),
});

const opening = new Window({
  page,
  onMoved: (words) => {
    for (const until of page.querySelectorAll("[data-until]")) until.textContent = words;
    part("closing")?.remove();
    part("moved").hidden = false;
  },
  onClosed: () => end("closed"),
  onEdition: (name) => edition.heard(name),
});

const place = new Place(video, {
  page,
  timeline,
  onWindow: (heard) => opening.heard(heard),
  onClosed: () => end("closed"),
});

startPresence(video, {
  passUrl: page.dataset.passUrl,
  mode: "recorded",
  programmeTime: () => timeline.sourceOf(video.currentTime * 1000),
  cutBetween: (earlier, later) => timeline.cutBetween(earlier, later),
  onCounted: (counted) => {
    drawCoverage(page, counted);
    attention.heard(counted.check);
  },
  onClosed: () => end("closed"),
});

function jump(seconds) {
  video.currentTime = Math.min(Math.max(0, video.currentTime + seconds), video.duration || 0);
}

function seek(seconds) {
  video.currentTime = seconds;
}

// The first picture that comes says how long it is.
video.addEventListener("loadedmetadata", () => {
  if (edition.startAt !== null) {
    seek(timeline.shownOf(edition.startAt) / 1000);
    part("resumed").textContent = "The recording was edited while you watched; it goes on where you were.";
    if (edition.wasPlaying) video.play().catch(() => {});
    return;
  }
  const at = place.startAt;
  if (at === null || video.currentTime > 0) return;
  seek(at);
  part("resumed").textContent = `You were at ${clock(at)}.`;
  part("restart").hidden = false;
}, { once: true });
part("restart").addEventListener("click", () => {
  seek(0);
  part("resumed").textContent = "";
  part("restart").hidden = true;
  video.focus();
});

part("back").addEventListener("click", () => jump(-STEP));
part("forward").addEventListener("click", () => jump(STEP));
const speed = part("speed");
const setSpeed = () => (video.playbackRate = Number(speed.value));
speed.addEventListener("change", setSpeed);
video.addEventListener("ratechange", () => {
  const known = [...speed.options].find(({ value }) => Number(value) === video.playbackRate);
  if (known) speed.value = known.value;
});

function faster(by) {
  const index = Math.min(Math.max(0, speed.selectedIndex + by), speed.options.length - 1);
  speed.selectedIndex = index;
  setSpeed();
}

picture.offer(JSON.parse(page.dataset.renditions));
picture.start();
const chapters = new Chapters(video, { page, seek });
new Slides(video, { page, seek });
listenToKeys(page, {
  ...keysOf(video, { step: STEP, jump }),
  c: offerCaptions(video, part("captions")),
  p: offerPictureInPicture(video, part("pip")),
  n: () => chapters.next(),
  b: () => chapters.before(),
  h: () => attention.answer(),
  "<": () => faster(-1),
  ">": () => faster(1),
});
