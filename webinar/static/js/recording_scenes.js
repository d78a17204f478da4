// Where the picture becomes another: asked for part by part, with a bar that says how far it is.

import { ask } from "./answers.js";

const CLOSE = 3_000;

// Milliseconds of shown time. `onPart(done, of)` hears of the progress.
export async function findChanges(url, onPart) {
  const found = [];
  let next = 0;
  while (next !== null) {
    const part = await ask(`${url}?from=${next}`);
    for (const at of part.changes) {
      if (found.every((one) => Math.abs(one - at) >= CLOSE)) found.push(at);
    }
    onPart(part.done, part.of);
    next = part.next;
  }
  return found.sort((a, b) => a - b);
}

// A press looks through the recording and hands what it found to `use`, which says what it did.
export function offerScenes(button, use) {
  const form = button.closest("form");
  const said = form.querySelector("[data-scenes-said]");
  const bar = form.querySelector("[data-scenes-progress]");
  button.hidden = false;
  button.addEventListener("click", async () => {
    button.disabled = true;
    bar.hidden = false;
    said.textContent = "Looking through the recording …";
    try {
      const changes = await findChanges(button.dataset.url, (done, of) => {
        bar.max = of || 1;
        bar.value = done;
      });
      said.textContent = use(changes);
    } catch (refused) {
      said.textContent = refused.message;
    }
    bar.hidden = true;
    button.disabled = false;
  });
}
