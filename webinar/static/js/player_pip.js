// The picture in a small window that stays in front of other programs, where a browser can do that.

export function offerPictureInPicture(video, button) {
  if (!document.pictureInPictureEnabled || !video.requestPictureInPicture) return () => {};
  const toggle = () => {
    const isOut = document.pictureInPictureElement === video;
    const done = isOut ? document.exitPictureInPicture() : video.requestPictureInPicture();
    // Before there is a picture, and for sound alone, there is nothing to take out.
    done.catch(() => {});
  };
  const draw = () => {
    button.disabled = video.videoWidth === 0;
    button.setAttribute("aria-pressed", String(document.pictureInPictureElement === video));
  };
  button.hidden = false;
  button.addEventListener("click", toggle);
  for (const kind of ["loadedmetadata", "resize", "emptied", "enterpictureinpicture", "leavepictureinpicture"]) {
    video.addEventListener(kind, draw);
  }
  draw();
  return toggle;
}
