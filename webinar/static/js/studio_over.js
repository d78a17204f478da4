// After the end: how far the recording has come, until it is published.

import { ask } from "./answers.js";
import { part, time, write } from "./studio_draw.js";

const LOOK_MILLISECONDS = 2_000;
const OVER = new Set(["published", "withheld", "closed", "destroyed"]);
const { base } = document.querySelector("[data-over]").dataset;

function words({ recording, packaged_seconds: done, filmed_seconds: all, problem }) {
  if (problem) return `The recording is not complete: ${problem} What was sent is safe; tell the organiser.`;
  if (recording === "processing") {
    return all > 0 ? `Processing: ${time(done * 1000)} of about ${time(Math.max(all, done) * 1000)} are ready.` : "Processing.";
  }
  if (recording === "ready") return "The recording is ready. The organiser looks at it and publishes it.";
  if (recording === "published") return "The recording is published.";
  return "";
}

async function look() {
  const answer = await ask(`${base}/state`).catch(() => null);
  if (answer !== null) {
    write("over-words", words(answer));
    const bar = part("over-progress");
    bar.hidden = answer.recording !== "processing" || answer.filmed_seconds === 0;
    bar.max = Math.max(answer.filmed_seconds, answer.packaged_seconds, 1);
    bar.value = answer.packaged_seconds;
  }
  if (answer === null || !OVER.has(answer.recording)) setTimeout(look, LOOK_MILLISECONDS);
}

look();
