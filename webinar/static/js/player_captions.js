// Captions: off or one language, by our menu or the browser's own; the choice is kept.

import { remember, remembered } from "./remember.js";

const LANGUAGE = "captions";
const OFF = "off";

// Returns what the key does: on in the last language, or off.
export function offerCaptions(video, select) {
  if (!select) return undefined;
  const tracks = [...video.textTracks].filter(({ kind }) => kind === "captions");
  const has = (language) => tracks.some((track) => track.language === language);
  const show = (language) => {
    for (const track of tracks) track.mode = track.language === language ? "showing" : "disabled";
  };
  const shown = () => tracks.find(({ mode }) => mode === "showing")?.language ?? OFF;
  const chosen = remembered(LANGUAGE) ?? OFF;
  const own = navigator.languages.map((language) => language.split("-")[0]);
  const [first] = [chosen, ...own, tracks[0]?.language].filter(has);
  let last = first ?? OFF;
  show(chosen);
  select.value = shown();
  select.addEventListener("change", () => show(select.value));
  // The browser's own menu changes them too.
  video.textTracks.addEventListener("change", () => {
    const language = shown();
    if (language === select.value && language === remembered(LANGUAGE)) return;
    select.value = language;
    if (language !== OFF) last = language;
    remember(LANGUAGE, language);
  });
  return () => show(shown() === OFF ? last : OFF);
}
