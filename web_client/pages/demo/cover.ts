/** A cover for a track that has none: drawn from its name, so that it is always the same one. */

const NAMESPACE = "http://www.w3.org/2000/svg";
const SIZE = 400;

/** Return two hues, in degrees, that belong to a text. */
export function huesOf(text: string): readonly [number, number] {
  const seed = hash(text);
  const first = seed % 360;
  return [first, (first + 40 + ((seed >>> 9) % 80)) % 360];
}

/** Draw the cover of a text. */
export function drawCover(text: string): SVGSVGElement {
  const seed = hash(text);
  const [first, second] = huesOf(text);
  const svg = draw("svg", { viewBox: `0 0 ${SIZE} ${SIZE}`, preserveAspectRatio: "xMidYMid slice" });
  const id = `cover-${seed}`;
  const gradient = draw("linearGradient", { id, x1: 0, y1: 0, x2: 1, y2: 1 });
  gradient.append(
    draw("stop", { offset: 0, "stop-color": `hsl(${first} 72% 58%)` }),
    draw("stop", { offset: 1, "stop-color": `hsl(${second} 68% 34%)` }),
  );
  const back = draw("rect", { width: SIZE, height: SIZE, fill: `url(#${id})` });
  svg.append(gradient, back, ...(seed % 2 === 0 ? rings(seed, second) : hills(seed, second)));
  return svg;
}

function rings(seed: number, hue: number): SVGElement[] {
  const x = 120 + (seed % 160);
  const y = 140 + ((seed >>> 5) % 140);
  return Array.from({ length: 9 }, (_, index) =>
    draw("circle", {
      cx: x + index * (((seed >>> 3) % 9) - 4),
      cy: y + index * (((seed >>> 7) % 9) - 4),
      r: 26 + index * index * 4.2 + index * 10,
      fill: "none",
      stroke: `hsl(${hue} 90% 92%)`,
      "stroke-opacity": 0.55 - index * 0.052,
      "stroke-width": 11 - index * 0.7,
    }),
  );
}

function hills(seed: number, hue: number): SVGElement[] {
  const sun = draw("circle", {
    cx: 90 + (seed % 220),
    cy: 130,
    r: 46 + (seed % 24),
    fill: `hsl(${hue} 95% 92%)`,
    "fill-opacity": 0.85,
  });
  const layers = Array.from({ length: 5 }, (_, index) => {
    const top = 180 + index * 44;
    const lean = ((seed >>> (index * 3)) % 120) - 60;
    return draw("path", {
      d:
        `M0 ${top + lean / 3} C 120 ${top - 70 + lean}, 240 ${top + 80 - lean}, ` +
        `${SIZE} ${top - lean / 2} V ${SIZE} H 0 Z`,
      fill: `hsl(${hue} ${60 - index * 4}% ${40 - index * 6}%)`,
      "fill-opacity": 0.62,
    });
  });
  return [sun, ...layers];
}

function draw<Name extends keyof SVGElementTagNameMap>(
  name: Name,
  attributes: Record<string, string | number>,
): SVGElementTagNameMap[Name] {
  const made = document.createElementNS(NAMESPACE, name);
  for (const [attribute, value] of Object.entries(attributes)) made.setAttribute(attribute, String(value));
  return made;
}

/** FNV-1a, 32 bits: spreads similar names over all hues. */
function hash(text: string): number {
  let value = 0x811c9dc5;
  for (const character of text) value = Math.imul(value ^ (character.codePointAt(0) ?? 0), 0x01000193) >>> 0;
  return (value ^ (value >>> 15)) >>> 0;
}
