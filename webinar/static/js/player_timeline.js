// Two times of a recording, in milliseconds. Source time counts from its first picture, before
// anything was cut: chapters, slides, places and evidence stand in it. Shown time is the player's.

export class Timeline {
  // `kept`: what is left after cuts as JSON, [[from, to], ...] in source time; "" is everything.
  constructor(kept) {
    this.spans = kept ? JSON.parse(kept) : [[0, Number.MAX_SAFE_INTEGER]];
  }

  sourceOf(shown) {
    let left = Math.max(0, shown);
    for (const [from, to] of this.spans) {
      if (left < to - from) return from + left;
      left -= to - from;
    }
    return this.spans.at(-1)[1];
  }

  // What was cut begins where the next kept stretch begins.
  shownOf(source) {
    let before = 0;
    for (const [from, to] of this.spans) {
      if (source < from) return before;
      if (source < to) return before + source - from;
      before += to - from;
    }
    return before;
  }

  isShown(source) {
    return this.spans.some(([from, to]) => from <= source && source < to);
  }

  // The cut that was played over between two near moments: { end, start } of it; else null.
  cutBetween(earlier, later) {
    const at = (source) => this.spans.findIndex(([from, to]) => from <= source && source < to);
    const before = at(earlier);
    if (before < 0 || at(later) !== before + 1) return null;
    return { end: this.spans[before][1], start: this.spans[before + 1][0] };
  }
}
