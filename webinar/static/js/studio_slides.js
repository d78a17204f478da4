// Slides as pictures: pages of what the faculty sent in, or pictures from this computer.

import { ask } from "./answers.js";
import { part, write } from "./studio_draw.js";

export class Slides {
  pages = []; // each a function that gives an ImageBitmap
  shown = 0;
  decided = () => {};

  // `onTurn` hears that another slide is shown.
  constructor({ base, onTurn }) {
    Object.assign(this, { base, onTurn });
    part("slides-next").addEventListener("click", () => this.turn(1));
    part("slides-previous").addEventListener("click", () => this.turn(-1));
    part("slides-other").addEventListener("click", () => this.choose());
    part("slides-files").addEventListener("change", (event) => this.takeFiles([...event.target.files]));
    part("slides-dialog").addEventListener("close", () => this.decided(null));
    part("slides-no").addEventListener("click", () => part("slides-dialog").close());
    for (const button of document.querySelectorAll("[data-slides]")) {
      button.addEventListener("click", () => this.takeDeck(button));
    }
  }

  // Ask which; resolves with a function that gives the shown slide, or null.
  choose() {
    write("slides-problem", "");
    part("slides-dialog").showModal();
    return new Promise((resolve) => (this.decided = resolve));
  }

  async takeDeck(button) {
    const words = button.textContent;
    button.disabled = true;
    write("slides-problem", "Making pictures of the slides. This takes a few seconds.");
    try {
      const { pages } = await ask(`${this.base}/slides/${button.dataset.slides}`, { method: "POST", json: {} });
      this.take(pages.map((url) => () => pictureAt(url)));
    } catch (error) {
      write("slides-problem", error.message);
    }
    button.disabled = false;
    button.textContent = words;
  }

  async takeFiles(files) {
    const pictures = files.filter(({ type }) => type.startsWith("image/"));
    pictures.sort((one, other) => one.name.localeCompare(other.name, undefined, { numeric: true }));
    try {
      if (pictures.length === 0) throw new Error("none");
      (await createImageBitmap(pictures[0])).close();
      this.take(pictures.map((file) => () => createImageBitmap(file)));
    } catch {
      write("slides-problem", "These are no pictures this browser can show. Choose PNG or JPEG files; export slides as pictures first.");
    }
  }

  take(pages) {
    this.pages = pages;
    this.shown = 0;
    this.decided(() => this.current());
    this.decided = () => {};
    part("slides-dialog").close();
    this.say();
    this.onTurn();
  }

  turn(by) {
    const to = Math.min(Math.max(this.shown + by, 0), this.pages.length - 1);
    if (to === this.shown) return;
    this.shown = to;
    this.say();
    this.onTurn();
  }

  say() {
    write("slides-place", `Slide ${this.shown + 1} of ${this.pages.length}`);
    part("slides-previous").disabled = this.shown === 0;
    part("slides-next").disabled = this.shown === this.pages.length - 1;
  }

  // The next page is fetched beforehand, so that turning does not wait.
  async current() {
    const picture = await this.pages[this.shown]();
    this.pages[this.shown + 1]?.().then((next) => next.close()).catch(() => {});
    return picture;
  }
}

async function pictureAt(url) {
  const answer = await fetch(url);
  if (!answer.ok) throw new Error("This slide could not be fetched.");
  return createImageBitmap(await answer.blob());
}
