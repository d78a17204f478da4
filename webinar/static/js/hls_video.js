// Plays one of our playlists in a <video>. The server's no is final: 401, 403 and 410 end it, and so
// does 409: what is shown of the recording is another now.

const TERMINAL = new Set([401, 403, 409, 410]);
const TRY_AGAIN = 2_000;
// A decoder that stumbles is started anew, but not for ever.
const MOST_RECOVERIES = 3;
const RECOVERED = 30_000;
const BEFORE_PLAYLIST = new Set(["manifestLoadError", "manifestLoadTimeOut", "manifestParsingError"]);

const COMMON = {
  backBufferLength: 60,
  // Before anything was measured: enough for the whole picture. What is slower is noticed at once.
  abrEwmaDefaultEstimate: 2_500_000,
};
const LIVE = {
  ...COMMON,
  // Two segments behind the newest one; a third one as soon as the picture stood still once.
  liveSyncDurationCount: 2,
  liveSyncOnStallIncrease: 1,
  // Who is a little behind catches up unheard; who is far behind, through no will of theirs, jumps.
  maxLiveSyncPlaybackRate: 1.1,
  liveMaxLatencyDurationCount: 8,
  maxBufferLength: 12,
};
const RECORDED = { ...COMMON, maxBufferLength: 30 };

// `startAt`: seconds; -1 is the beginning, or the newest when live.
// `onRefused(status)`: the server refused, or the stream cannot be played (status 0).
// `onTrouble`: it stands still for now, and is tried again.
// Returns { hls, stop }; `hls` is null where the browser plays HLS by itself.
export function play(video, url, { live = false, startAt = -1, onRefused = () => {}, onTrouble = () => {} } = {}) {
  const Hls = window.Hls;
  if (!Hls?.isSupported()) return playByItself(video, url, { startAt, onRefused });
  const hls = new Hls({ ...(live ? LIVE : RECORDED), startPosition: startAt });
  let recoveries = 0;
  let recoveredAt = 0;
  const stop = () => {
    hls.destroy();
    stopVideo(video);
  };
  const giveUp = (status) => {
    stop();
    onRefused(status);
  };
  const recover = () => {
    if (performance.now() - recoveredAt > RECOVERED) recoveries = 0;
    recoveries += 1;
    recoveredAt = performance.now();
    if (recoveries > MOST_RECOVERIES) {
      giveUp(0);
      return;
    }
    const wasPlaying = !video.paused;
    hls.recoverMediaError();
    if (wasPlaying) video.play().catch(() => {});
  };
  hls.on(Hls.Events.ERROR, (_event, data) => {
    const status = data.response?.code ?? 0;
    // hls.js would go on asking: for us these answers are the end.
    if (TERMINAL.has(status)) giveUp(status);
    else if (!data.fatal) return;
    else if (data.type === Hls.ErrorTypes.MEDIA_ERROR) recover();
    else if (data.type === Hls.ErrorTypes.NETWORK_ERROR) {
      // Without a playlist there is nothing to go on with: ask for it again.
      const again = () => (BEFORE_PLAYLIST.has(data.details) ? hls.loadSource(url) : hls.startLoad());
      setTimeout(() => hls.media && again(), TRY_AGAIN);
      onTrouble();
    } else giveUp(0);
  });
  hls.loadSource(url);
  hls.attachMedia(video);
  return { hls, stop };
}

// Browsers without Media Source Extensions (iPhones) play HLS themselves.
function playByItself(video, url, { startAt, onRefused }) {
  const leaving = new AbortController();
  const { signal } = leaving;
  video.src = url;
  if (startAt > 0) {
    const seek = () => (video.currentTime = startAt);
    video.addEventListener("loadedmetadata", seek, { once: true, signal });
  }
  video.addEventListener("error", async () => {
    // They do not say why: ask ourselves.
    const answer = await fetch(url).catch(() => null);
    onRefused(answer && !answer.ok ? answer.status : 0);
  }, { once: true, signal });
  const stop = () => {
    leaving.abort();
    stopVideo(video);
  };
  return { hls: null, stop };
}

function stopVideo(video) {
  video.pause();
  video.removeAttribute("src");
  video.load();
}

// Milliseconds of programme time (when it was filmed, by the server's clock) of what is shown.
export function programmeTime(hls, video) {
  if (hls) return hls.playingDate ? hls.playingDate.getTime() : null;
  const start = video.getStartDate?.().getTime();
  return start ? start + video.currentTime * 1000 : null;
}
