// Captions beside the picture: the cue that is shown is marked, a key plays from the one in hand.

import { seek, startPlayer, video } from "./recording_player.js";

const cues = [...document.querySelectorAll("[data-cues] .cue[data-from]")];
const form = document.querySelector("[data-cues]");

function follow() {
  const now = video.currentTime * 1000;
  for (const cue of cues) {
    const isShown = now >= Number(cue.dataset.from) && now < Number(cue.dataset.to);
    if (!isShown) {
      cue.removeAttribute("aria-current");
    } else if (!cue.hasAttribute("aria-current")) {
      cue.setAttribute("aria-current", "true");
      // Whoever writes somewhere else is left there.
      if (!form.contains(document.activeElement)) cue.scrollIntoView({ block: "nearest" });
    }
  }
}

function playFromCue(event) {
  if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey)) return;
  const cue = event.target.closest(".cue[data-from]");
  if (!cue) return;
  event.preventDefault();
  seek(Number(cue.dataset.from) / 1000);
  video.play().catch(() => {});
}

let isDirty = false;
form.addEventListener("input", () => (isDirty = true));
form.addEventListener("submit", () => (isDirty = false));
form.addEventListener("keydown", playFromCue);
addEventListener("beforeunload", (event) => isDirty && event.preventDefault());
video.addEventListener("timeupdate", follow);
startPlayer();
