// Counts down quietly beside "Undo", and takes the button away when the mails leave. Only the
// distance is computed, from the server's own clock at the time of rendering.

function words(seconds) {
  if (seconds >= 90) return `in ${Math.round(seconds / 60)} min`;
  return seconds > 60 ? "in a good minute" : `in ${Math.ceil(seconds / 10) * 10} s`;
}

function tick() {
  for (const bar of document.querySelectorAll("[data-undo]")) {
    const left = (Date.parse(bar.dataset.undo) - Date.parse(bar.dataset.now) - performance.now()) / 1000;
    if (left <= 0) {
      bar.remove();
      continue;
    }
    const place = bar.querySelector("[data-undo-left]");
    if (place.textContent !== words(left)) place.textContent = words(left);
  }
}

setInterval(tick, 1_000);
tick();
