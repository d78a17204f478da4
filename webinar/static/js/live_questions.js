// Questions in writing, for the moderator alone.

import { ask } from "./answers.js";

export class Questions {
  constructor(part) {
    this.part = part;
    part("question-form").addEventListener("submit", (event) => this.#send(event));
  }

  open(status) {
    this.part("question-fields").disabled = status !== "live";
    this.part("answer").textContent = status === "ended" ? "Questions are closed." : "";
  }

  async #send(event) {
    event.preventDefault();
    const form = event.target;
    const text = form.elements.text.value.trim();
    if (text === "") return;
    try {
      await ask(form.action, { method: "POST", json: { text, key: form.elements.key.value } });
    } catch (error) {
      this.part("answer").textContent = `${error.message} Your text is still here.`;
      return;
    }
    const item = document.createElement("li");
    item.className = "question";
    item.textContent = text;
    this.part("asked").append(item);
    this.part("asked-box").hidden = false;
    form.elements.text.value = "";
    form.elements.key.value = crypto.randomUUID();
    this.part("answer").textContent = "Sent to the moderator, without your name.";
  }
}
