// The slide that belongs to the picture, beside it; the ones before and after; all of them.

export class Slides {
  // Items with data-slide, data-at (seconds of shown time), data-url and the words on the slide.
  constructor(video, { page, seek }) {
    const part = (name) => page.querySelector(`[data-part="${name}"]`);
    Object.assign(this, { video, part, seek, shown: -1 });
    this.slides = [...page.querySelectorAll("[data-slide]")].map((item) => ({
      item,
      at: Number(item.dataset.at),
      number: item.dataset.slide,
      url: item.dataset.url,
      words: item.dataset.words,
    }));
    if (this.slides.length === 0) return;
    this.slides.forEach(({ item, at }) => item.addEventListener("click", () => seek(at)));
    part("slide").addEventListener("click", () => this.#seekTo(this.shown));
    part("slide-before").addEventListener("click", () => this.#seekTo(this.shown - 1));
    part("slide-next").addEventListener("click", () => this.#seekTo(this.shown + 1));
    part("slide-larger").addEventListener("click", () => this.#enlarge(page));
    video.addEventListener("timeupdate", () => this.#draw());
    this.#draw();
  }

  #seekTo(index) {
    const slide = this.slides[index];
    if (slide) this.seek(slide.at);
  }

  #draw() {
    const { currentTime } = this.video;
    const index = Math.max(0, this.slides.findLastIndex(({ at }) => at <= currentTime + 0.25));
    if (index === this.shown) return;
    this.slides[this.shown]?.item.removeAttribute("aria-current");
    this.shown = index;
    const { item, number, url, words } = this.slides[index];
    item.setAttribute("aria-current", "true");
    const picture = this.part("slide-picture");
    picture.src = url;
    picture.alt = words ? `Slide ${number}: ${words}` : `Slide ${number}`;
    this.part("slide-number").textContent = `Slide ${number} of ${this.slides.length}`;
    this.part("slide-words").textContent = words;
    this.part("slide-text").hidden = words === "";
    this.part("slide-before").disabled = index === 0;
    this.part("slide-next").disabled = index === this.slides.length - 1;
  }

  #enlarge(page) {
    const isLarge = page.classList.toggle("slides-large");
    this.part("slide-larger").setAttribute("aria-pressed", String(isLarge));
  }
}
