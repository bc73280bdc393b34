// The blurhash of a picture: a few cosines of its colours in some thirty letters (https://blurha.sh, MSC2448), so that
// something of it stands there before it has come. Pixels are rows of red, green, blue and alpha, a byte each.

const DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz#$%*+,-.:;=?@[]^_{|}~";

type Colour = readonly [red: number, green: number, blue: number];

export interface Pixels {
  readonly width: number;
  readonly height: number;
  readonly data: Uint8ClampedArray;
}

/** The hash of a picture, with so many cosines across and down, 1 to 9 each. Costs pixels times cosines: give it a small one. */
export function encodeBlurhash(pixels: Pixels, across: number, down: number): string {
  const factors: Colour[] = [];
  for (let y = 0; y < down; y++) for (let x = 0; x < across; x++) factors.push(factorOf(pixels, x, y));
  const [average = [0, 0, 0], ...others] = factors;
  const loudest = Math.max(0, ...others.flatMap((factor) => factor.map(Math.abs)));
  const quantised = Math.min(82, Math.max(0, Math.floor(loudest * 166 - 0.5)));
  const maximum = (quantised + 1) / 166;
  const [red, green, blue] = average.map(toStandard);
  const colour = ((red ?? 0) << 16) | ((green ?? 0) << 8) | (blue ?? 0);
  return [
    inDigits(across - 1 + (down - 1) * 9, 1),
    inDigits(others.length > 0 ? quantised : 0, 1),
    inDigits(colour, 4),
    ...others.map((factor) => {
      const [a = 0, b = 0, c = 0] = factor.map((value) => {
        const root = Math.sign(value) * Math.sqrt(Math.abs(value) / maximum);
        return Math.max(0, Math.min(18, Math.floor(root * 9 + 9.5)));
      });
      return inDigits((a * 19 + b) * 19 + c, 2);
    }),
  ].join("");
}

/** The picture that a hash stands for, in this size; `undefined` for what is no hash. Anybody may have written it. */
export function decodeBlurhash(hash: string, width: number, height: number): Pixels | undefined {
  const size = fromDigits(hash.slice(0, 1));
  const quantised = fromDigits(hash.slice(1, 2));
  const average = fromDigits(hash.slice(2, 6));
  if (size === undefined || quantised === undefined || average === undefined || size > 80) return undefined;
  const [across, down] = [(size % 9) + 1, Math.floor(size / 9) + 1];
  if (hash.length !== 4 + 2 * across * down || average > 0xffffff) return undefined;
  const factors: Colour[] = [
    [toLinear(average >> 16), toLinear((average >> 8) & 255), toLinear(average & 255)],
  ];
  for (let at = 6; at < hash.length; at += 2) {
    const value = fromDigits(hash.slice(at, at + 2));
    if (value === undefined) return undefined;
    const part = (digit: number) => {
      const root = (digit - 9) / 9;
      return (Math.sign(root) * root * root * (quantised + 1)) / 166;
    };
    factors.push([part(Math.floor(value / 361)), part(Math.floor(value / 19) % 19), part(value % 19)]);
  }
  return drawn(factors, across, width, height);
}

function drawn(factors: readonly Colour[], across: number, width: number, height: number): Pixels {
  const data = new Uint8ClampedArray(width * height * 4);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      let [red, green, blue] = [0, 0, 0];
      factors.forEach(([r, g, b], index) => {
        const [i, j] = [index % across, Math.floor(index / across)];
        const basis = Math.cos((Math.PI * x * i) / width) * Math.cos((Math.PI * y * j) / height);
        red += r * basis;
        green += g * basis;
        blue += b * basis;
      });
      data.set([toStandard(red), toStandard(green), toStandard(blue), 255], (y * width + x) * 4);
    }
  }
  return { width, height, data };
}

function factorOf({ width, height, data }: Pixels, i: number, j: number): Colour {
  let [red, green, blue] = [0, 0, 0];
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const basis = Math.cos((Math.PI * i * x) / width) * Math.cos((Math.PI * j * y) / height);
      const at = (y * width + x) * 4;
      red += basis * toLinear(data[at] ?? 0);
      green += basis * toLinear(data[at + 1] ?? 0);
      blue += basis * toLinear(data[at + 2] ?? 0);
    }
  }
  const scale = (i === 0 && j === 0 ? 1 : 2) / (width * height);
  return [red * scale, green * scale, blue * scale];
}

/** A byte of sRGB as light, 0 to 1. */
function toLinear(byte: number): number {
  const value = byte / 255;
  return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
}

function toStandard(light: number): number {
  const value = Math.max(0, Math.min(1, light));
  return Math.round((value <= 0.0031308 ? value * 12.92 : 1.055 * value ** (1 / 2.4) - 0.055) * 255);
}

function inDigits(value: number, length: number): string {
  let text = "";
  for (let rest = value, at = 0; at < length; at++, rest = Math.floor(rest / 83)) {
    text = (DIGITS[rest % 83] ?? "") + text;
  }
  return text;
}

function fromDigits(text: string): number | undefined {
  let value = 0;
  for (const digit of text) {
    const at = DIGITS.indexOf(digit);
    if (at < 0) return undefined;
    value = value * 83 + at;
  }
  return text === "" ? undefined : value;
}
