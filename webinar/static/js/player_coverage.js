// Which parts of the recording were watched and how much of it counts, drawn anew while it plays.

const SVG = "http://www.w3.org/2000/svg";

// `parts`: [from, to] in seconds, as the server draws them.
export function drawCoverage(page, { countedSeconds, parts }) {
  const figure = page.querySelector("[data-coverage]");
  if (!figure || !parts) return;
  const total = Number(figure.dataset.total);
  const group = figure.querySelector("[data-coverage-parts]");
  group.replaceChildren(...parts.map(partOf));
  figure.querySelector("[data-coverage-amount]").setAttribute("width", Math.min(countedSeconds, total));
  figure.querySelector("[data-coverage-counted]").textContent = clock(countedSeconds);
  if (figure.dataset.threshold && countedSeconds >= Number(figure.dataset.threshold)) {
    figure.classList.add("coverage-reached");
  }
}

function partOf([start, end]) {
  const rect = document.createElementNS(SVG, "rect");
  const where = { class: "coverage-part", x: start, y: 0, width: Math.max(0, end - start), height: 9 };
  for (const [name, value] of Object.entries(where)) rect.setAttribute(name, value);
  return rect;
}

export function clock(seconds) {
  const whole = Math.floor(seconds);
  return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, "0")}`;
}
