/** A link as a picture that the camera of another device reads. */
import { picture } from "../app/dom.js";

/** Light points round it, by which readers find it. */
const QUIET = 4;

/**
 * The library comes when the first is wanted.
 *
 * @param {string} link
 * @param {string} label for who does not see it
 * @returns {Promise<SVGSVGElement>}
 */
export async function qr(link, label) {
  const { generate } = await import("lean-qr");
  const code = generate(link);
  const side = code.size + 2 * QUIET;
  return picture(pathOf(code), { viewBox: `${-QUIET} ${-QUIET} ${side} ${side}`, role: "img", "aria-label": label, class: "qr" });
}

/** @param {{ size: number, get: (x: number, y: number) => boolean }} code @returns {string} the `d` of its dark points, each run of a row a bar */
function pathOf({ size, get }) {
  let path = "";
  for (let y = 0; y < size; y++) {
    for (let x = 0; x < size; x++) {
      const from = x;
      while (x < size && get(x, y)) x++;
      if (x > from) path += `M${from} ${y}h${x - from}v1h${from - x}z`;
    }
  }
  return path;
}
