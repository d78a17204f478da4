// What the studio says: words for its state, its health and its clock. Text that stays the same is
// not written again: it would be read aloud again.

const PACKAGED_LATE = 20_000;
const QUIET_LONG = 20_000;
const SLOW_MILLISECONDS = 4_000;

const WORDS = {
  check: "Check",
  ready: "Ready",
  "on-air": "On air",
  break: "Break",
  other: "On air from elsewhere",
  silent: "On air, not sending",
  ending: "Ending",
  rehearsal: "Rehearsal",
};

export const part = (name) => document.querySelector(`[data-part="${name}"]`);

export function write(name, text) {
  const element = part(name);
  if (element && element.textContent.trim() !== text) element.textContent = text;
}

export function show(name, isShown) {
  const element = part(name);
  if (element) element.hidden = !isShown;
}

export function setWord(name, kind, text) {
  part(name).className = kind;
  write(name, text);
}

// `facts`: see studio.js.
export function line(facts) {
  const { state, devices, sender, server } = facts;
  const seen = devices?.picture ? "see and hear you" : "hear you";
  const waiting = { check: checkLine, ready: readyLine, rehearsal: rehearsalLine }[state];
  if (waiting) return waiting(facts);
  if (state === "ending") return "Sending the last seconds. Keep this page open.";
  if (state === "other") {
    const words = server.is_obs ? "People see what OBS sends, not this page." : "Nobody sees or hears you.";
    return `${server.sender} is sending. ${server.break ? "People see the card “technical break”." : words}`;
  }
  if (state === "silent") return "The session is on air, but nothing is sent from this page, and nobody else sends.";
  if (sender.isSignedOut) return "You are signed out. Nothing is lost: sign in again in another tab.";
  if (sender.isDiskFull) return "The server's disk is full. Nothing is lost: go on, keep this page open, and tell the organiser.";
  if (sender.tries > 0) return "No connection. Nothing is lost: go on, and keep this page open.";
  if (sender.waitingMilliseconds > SLOW_MILLISECONDS) return "The network is slow. Nothing is lost: keep this page open.";
  if (state === "break") return "People see a card: technical break. Nothing of your picture and sound leaves this room.";
  if (devices?.mustStayVisible) return `People ${seen}. Keep this tab in front: in this browser the picture stands still behind another tab.`;
  if (devices?.isOff) return devices.picture ? "People see you and hear nothing: you are muted." : "You are muted: people hear nothing.";
  return `People ${seen}, about six seconds later.`;
}

function checkLine({ serverNow, earliest, earliestWords }) {
  if (serverNow() >= earliest) return "Nobody sees or hears you.";
  return `Nobody sees or hears you. You can go live from ${earliestWords}; until then, check picture and sound here.`;
}

const readyLine = () => "Nobody sees or hears you yet. Press Go live when you want to begin.";

const rehearsalLine = ({ rehearsal }) =>
  rehearsal.isMine
    ? "Only the faculty of this session can see and hear you. Nothing is kept."
    : "A rehearsal is on. Only the faculty of this session can see it. Nothing is kept.";

export function draw(facts) {
  const { state, sender, devices, server } = facts;
  write("word", state === "other" && server.is_obs ? "OBS sends" : WORDS[state]);
  write("line", line(facts));
  const isSlow = sender.tries > 0 || sender.waitingMilliseconds > SLOW_MILLISECONDS;
  part("line").classList.toggle("slow", ["on-air", "break"].includes(state) && isSlow);
  drawButtons(facts);
  drawHealth(facts, isSlow);
  drawClock(facts);
  write("mute", devices?.isOff ? "Unmute" : "Mute");
  part("mute").setAttribute("aria-pressed", String(Boolean(devices?.isOff)));
  write("break", server.break ? "End the break" : "Technical break");
  part("break").setAttribute("aria-pressed", String(Boolean(server.break)));
}

function drawButtons({ state, isBusy, devices, isOnAir }) {
  const goLive = part("go-live");
  goLive.hidden = !["check", "ready", "silent", "other"].includes(state);
  goLive.disabled = isBusy || !devices?.sound || state === "check";
  goLive.classList.toggle("button-live", state !== "other");
  goLive.classList.toggle("button-quiet", state === "other");
  write("go-live", { silent: "Go on sending", other: "Take over" }[state] ?? "Go live");
  show("stop", isOnAir && state !== "ending");
  show("break", isOnAir && state !== "ending");
  show("hand-over", state === "on-air" || state === "break");
  part("mute").disabled = !devices?.sound;
}

function drawHealth({ state, sender, server, devices, packaged, isOnAir }, isSlow) {
  const seconds = Math.round(sender.waitingMilliseconds / 1000);
  const waiting = `nothing lost: ${seconds} s waiting`;
  const sends = ["on-air", "break", "ending"].includes(state);
  if (state === "silent") setWord("sending", "broken", "nothing from here");
  else if (state === "other") setWord("sending", "", `${server.sender} sends`);
  else if (state === "rehearsal") setWord("sending", sender.tries ? "slow" : "", sender.tries ? "no connection" : "to the faculty alone");
  else if (!sends) setWord("sending", "", "not yet");
  else if (sender.tries > 0) setWord("sending", "slow", `no connection, ${waiting}`);
  else if (isSlow) setWord("sending", "slow", `slow, ${waiting}`);
  else setWord("sending", "fine", "fine");
  drawUpload(sender, sends || state === "rehearsal");
  drawDisk(server);
  if (!isOnAir || packaged.seconds === 0) return;
  const isLate = performance.now() - packaged.at > PACKAGED_LATE;
  const sees = server.break ? "sees the break card" : devices?.picture ? "sees you" : "hears you";
  setWord("packaged", isLate ? "slow" : "fine", isLate ? "waits for the rest" : state === "other" ? `sees ${server.sender}` : sees);
}

function drawUpload(sender, isOn) {
  if (!isOn) {
    setWord("upload", "", "not yet");
    return;
  }
  const megabits = (sender.rate / 1000).toFixed(1);
  const megabytes = (sender.waitingBytes / 1e6).toFixed(1);
  const lost = Math.round(sender.lostMilliseconds / 1000);
  const waits = sender.waitingMilliseconds > SLOW_MILLISECONDS ? `, ${megabytes} MB waiting` : ", nothing waiting";
  const dropped = lost > 0 ? `, ${lost} s not taken` : "";
  setWord("upload", "", `${megabits} Mbit/s${waits}${dropped}`);
}

function drawDisk(server) {
  show("disk", Boolean(server.disk_low));
}

export function drawClock({ isOnAir, onAirSince, serverNow, endsAt }) {
  if (!isOnAir) return;
  const left = Math.ceil((endsAt - serverNow()) / 60_000);
  write("clock", time(serverNow() - onAirSince));
  write("left", left > 0 ? `ends in ${left} min` : left === 0 ? "ends now" : `${-left} min over`);
}

export function time(milliseconds) {
  const seconds = Math.max(0, Math.floor(milliseconds / 1000));
  const minutes = Math.floor(seconds / 60);
  return `${String(minutes).padStart(2, "0")}:${String(seconds % 60).padStart(2, "0")}`;
}

export function drawLevel(devices) {
  part("level").value = devices.isOff || devices.isHeld ? 0 : devices.level();
  const quiet = devices.heardAt === null ? Infinity : performance.now() - devices.heardAt;
  if (devices.sound === null) setWord("sound", devices.isAsking ? "" : "broken", devices.isAsking ? "not yet" : "no microphone");
  else if (devices.isHeld) setWord("sound", "slow", "off during the break");
  else if (devices.isOff) setWord("sound", "slow", "muted by you");
  else if (devices.isMuted) setWord("sound", "broken", "muted by this computer");
  else if (quiet === Infinity) setWord("sound", "slow", "nothing heard yet");
  else if (quiet > QUIET_LONG) setWord("sound", "slow", "quiet for a while");
  else setWord("sound", "fine", "heard");
}
