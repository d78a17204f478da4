// The words that lie over the picture: one at a time, or none.

export class Messages {
  #shown = null;

  constructor(page) {
    this.messages = [...page.querySelectorAll("[data-message]")];
  }

  show(name) {
    if (name === this.#shown) return;
    this.#shown = name;
    for (const message of this.messages) message.hidden = message.dataset.message !== name;
    // They lie over the picture, not over a picture that fills the screen.
    if (name && document.fullscreenElement) document.exitFullscreen().catch(() => {});
  }
}
