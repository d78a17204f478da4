// Where the pictures lie on the mixed one: the first as large as it fits, the second in the corner.

export const WIDTH = 1280;
export const HEIGHT = 720;
const PAPER = "#0c1416";
const INSET_WIDTH = 288;
const MARGIN = 20;

// `base` and `inset`: { image, width, height } or null.
export function draw(pen, base, inset) {
  pen.fillStyle = PAPER;
  pen.fillRect(0, 0, WIDTH, HEIGHT);
  if (base) {
    const scale = Math.min(WIDTH / base.width, HEIGHT / base.height);
    const width = Math.round(base.width * scale);
    const height = Math.round(base.height * scale);
    pen.drawImage(base.image, (WIDTH - width) >> 1, (HEIGHT - height) >> 1, width, height);
  }
  if (!inset) return;
  const height = Math.round((INSET_WIDTH * inset.height) / inset.width);
  const left = WIDTH - INSET_WIDTH - MARGIN;
  const top = HEIGHT - height - MARGIN;
  pen.fillRect(left - 3, top - 3, INSET_WIDTH + 6, height + 6);
  pen.drawImage(inset.image, left, top, INSET_WIDTH, height);
}
