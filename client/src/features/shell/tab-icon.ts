type IconMark = "none" | "unread" | "mention";

const PLAIN = "/icon.svg";
const SIZE = 64;
let latest: IconMark = "none";

/** Puts a dot on the tab's icon. */
export function drawIcon(mark: IconMark): void {
  latest = mark;
  const link = document.querySelector<HTMLLinkElement>('link[rel="icon"]');
  if (!link) return;
  if (mark === "none") {
    link.href = PLAIN;
    return;
  }
  const image = new Image(SIZE, SIZE);
  image.onload = () => {
    if (latest !== mark) return;
    const canvas = document.createElement("canvas");
    canvas.width = canvas.height = SIZE;
    const context = canvas.getContext("2d");
    if (!context) return;
    const colours = getComputedStyle(document.documentElement);
    context.drawImage(image, 0, 0, SIZE, SIZE);
    context.beginPath();
    context.arc(SIZE - 16, 16, 14, 0, 2 * Math.PI);
    context.fillStyle = colours.getPropertyValue(mark === "mention" ? "--ember" : "--echo").trim();
    context.fill();
    link.href = canvas.toDataURL("image/png");
  };
  image.src = PLAIN;
}
