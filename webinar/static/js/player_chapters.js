// Chapters: a list beside the picture and marks on the bar of what counts.

const SVG = "http://www.w3.org/2000/svg";
// Back within this many seconds of a chapter's beginning means the one before.
const JUST_BEGUN = 3;

export class Chapters {
  // Buttons with data-at: seconds of shown time, as `seek` takes them.
  constructor(video, { page, seek }) {
    Object.assign(this, { video, seek });
    this.places = [...page.querySelectorAll("[data-chapter]")].map((button) => {
      const at = Number(button.dataset.at);
      button.addEventListener("click", () => seek(at));
      return { button, at };
    });
    video.addEventListener("timeupdate", () => this.#draw());
    this.#mark(page.querySelector("[data-coverage] svg"));
  }

  get #current() {
    return this.places.findLastIndex(({ at }) => at <= this.video.currentTime + 0.25);
  }

  next() {
    const next = this.places[this.#current + 1];
    if (next) this.seek(next.at);
  }

  before() {
    const current = this.#current;
    if (current < 0) return;
    const hasJustBegun = this.video.currentTime - this.places[current].at < JUST_BEGUN;
    this.seek(this.places[Math.max(0, current - (hasJustBegun ? 1 : 0))].at);
  }

  #draw() {
    const current = this.places[this.#current]?.button ?? null;
    if (current === this.drawn) return;
    this.drawn?.removeAttribute("aria-current");
    current?.setAttribute("aria-current", "true");
    this.drawn = current;
  }

  #mark(svg) {
    if (!svg) return;
    for (const { at } of this.places) {
      if (at === 0) continue;
      const line = document.createElementNS(SVG, "line");
      const where = { class: "coverage-chapter", x1: at, x2: at, y1: 0, y2: 9, "vector-effect": "non-scaling-stroke" };
      for (const [name, value] of Object.entries(where)) line.setAttribute(name, value);
      svg.append(line);
    }
  }
}
