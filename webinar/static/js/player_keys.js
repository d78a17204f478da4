// Keys of a player, the dialog that lists them, and the switch that turns the single keys off
// (WCAG 2.2, 2.1.4: whoever speaks to the computer types letters without wanting to).

import { remember, remembered } from "./remember.js";

const OFF = "player-keys-off";
const WRITING = "input, textarea, select";
// These mean something to the control that has the focus, ours or the browser's own.
const OF_CONTROLS = new Set([" ", "Enter", "ArrowLeft", "ArrowRight", "ArrowUp", "ArrowDown"]);

// `actions`: key to function. A letter works in both cases.
export function listenToKeys(page, actions) {
  const dialog = page.querySelector("[data-part=keys]");
  const button = page.querySelector("[data-part=keys-button]");
  const isOn = dialog.querySelector("[data-part=keys-on]");
  isOn.checked = remembered(OFF) === null || remembered(OFF) === "";
  isOn.addEventListener("change", () => remember(OFF, isOn.checked ? "" : "off"));
  const help = () => (dialog.open ? dialog.close() : dialog.showModal());
  button.addEventListener("click", help);
  dialog.querySelector("[data-part=keys-close]").addEventListener("click", () => dialog.close());

  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
    if (!isOn.checked || event.target.closest(WRITING)) return;
    const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
    if (key !== "?" && document.querySelector("dialog[open]")) return;
    if (OF_CONTROLS.has(key) && event.target.closest("button, a, summary, video")) return;
    const act = key === "?" ? help : actions[key];
    if (!act) return;
    event.preventDefault();
    act();
  });
}

// What every player does on a key. `step`: seconds an arrow moves.
export function keysOf(video, { step, jump }) {
  const toggle = () => (video.paused ? video.play().catch(() => {}) : video.pause());
  const louder = (by) => {
    video.muted = false;
    video.volume = Math.min(1, Math.max(0, video.volume + by));
  };
  return {
    k: toggle,
    " ": toggle,
    m: () => (video.muted = !video.muted),
    f: () => {
      if (document.fullscreenElement) document.exitFullscreen().catch(() => {});
      else video.requestFullscreen?.().catch(() => {});
    },
    ArrowLeft: () => jump(-step),
    ArrowRight: () => jump(step),
    ArrowUp: () => louder(0.1),
    ArrowDown: () => louder(-0.1),
  };
}
