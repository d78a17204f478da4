// Plays one of our playlists in a <video>. The server's no is final: 401, 403 and 410 end it.

const TERMINAL = new Set([401, 403, 410]);

// `onEnded(status)`: the server refused, or the stream cannot be played (status 0).
// Returns { hls, stop }; `hls` is null where the browser plays HLS by itself.
export function play(video, url, { live = false, onRefused = () => {} } = {}) {
  const Hls = window.Hls;
  if (!Hls?.isSupported()) {
    // Browsers without Media Source Extensions (iPhones) play HLS themselves.
    video.src = url;
    video.addEventListener("error", () => onRefused(0), { once: true });
    return { hls: null, stop: () => stopVideo(video) };
  }
  const hls = new Hls({
    // Two seconds a segment: three of them behind the edge are about six seconds.
    liveSyncDurationCount: 3,
    liveMaxLatencyDurationCount: 10,
    maxLiveSyncPlaybackRate: 1.1,
    maxBufferLength: live ? 12 : 30,
    backBufferLength: 60,
    startPosition: -1,
  });
  const stop = () => {
    hls.destroy();
    stopVideo(video);
  };
  hls.on(Hls.Events.ERROR, (_event, data) => {
    const status = data.response?.code ?? 0;
    if (TERMINAL.has(status)) {
      // hls.js would go on asking: for us these answers are the end.
      stop();
      onRefused(status);
    } else if (data.fatal && data.type === Hls.ErrorTypes.MEDIA_ERROR) {
      hls.recoverMediaError();
    } else if (data.fatal && data.type === Hls.ErrorTypes.NETWORK_ERROR) {
      setTimeout(() => hls.startLoad(), 2_000);
    } else if (data.fatal) {
      stop();
      onRefused(0);
    }
  });
  hls.loadSource(url);
  hls.attachMedia(video);
  return { hls, stop };
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
