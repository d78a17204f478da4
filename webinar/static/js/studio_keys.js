// Keys for people who speak: one press, no pointer. They can be turned off (WCAG 2.1.4).

const KEPT = "studio-keys";
const OWN_SPACE = "button, input, select, textarea, summary, a, [contenteditable]";
const TYPING = "input:not([type=checkbox]), select, textarea, [contenteditable]";

export function listenToKeys(studio, steps) {
  const box = studio.querySelector('[data-part="keys"]');
  box.checked = localStorage.getItem(KEPT) !== "off";
  box.addEventListener("change", () => localStorage.setItem(KEPT, box.checked ? "on" : "off"));
  // A button that was pressed with a pointer gives the space bar back.
  studio.addEventListener("click", (event) => {
    if (event.detail > 0 && event.target.closest("button") && !document.querySelector("dialog[open]")) studio.focus({ preventScroll: true });
  });
  document.addEventListener("keydown", (event) => {
    if (!box.checked || event.defaultPrevented || event.repeat) return;
    if (event.ctrlKey || event.metaKey || event.altKey || document.querySelector("dialog[open]")) return;
    const step = stepOf(event);
    if (!step) return;
    event.preventDefault();
    steps[step]();
  });
}

function stepOf({ key, target }) {
  if (key === " ") return target.closest(OWN_SPACE) ? null : "mute";
  if (target.closest(TYPING)) return null;
  if (key === "m" || key === "M") return "mute";
  if (key === "b" || key === "B") return "break";
  if (key === "ArrowRight" || key === "PageDown") return "next";
  if (key === "ArrowLeft" || key === "PageUp") return "previous";
  return null;
}
