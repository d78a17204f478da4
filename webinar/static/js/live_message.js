// Which words lie over the picture of a live page, from what is known; "" is none.

// After the end, a picture that stands still this long will not move again.
const STANDSTILL = 12_000;
// A picture that stands still this long has a reason, and people hear it.
const STALLED = 5_000;

// `standsStill`, `sinceNews` (from the speaker) and `sinceAnswer` (of the server): milliseconds.
export function messageFor(facts) {
  const { status, refusedWith } = facts;
  if (status === "ended") return isOver(facts) ? "ended" : "";
  const isOpen = status === "live" || (status === "published" && facts.isDoorOpen);
  if (facts.hasRoom && isOpen) return "room";
  if (status === "published") return facts.isDoorOpen ? "waiting" : "early";
  if (status !== "live") return "";
  if (refusedWith !== null) return REFUSALS[refusedWith] ?? "broken";
  if (facts.isBreak) return "break";
  if (!facts.isOn) return "starting";
  if (facts.needsPress) return "press";
  if (facts.isPaused) return "";
  if (facts.standsStill > STALLED) {
    if (facts.sinceAnswer > STALLED) return "offline";
    if (facts.sinceNews > STALLED) return facts.hasPlayed ? "lost" : "starting";
  }
  return "";
}

const REFUSALS = { 401: "signed-out", 403: "no-place", 410: "ended" };

function isOver({ isOn, isPaused, hasEnded, standsStill }) {
  return !isOn || hasEnded || isPaused || standsStill > STANDSTILL;
}
