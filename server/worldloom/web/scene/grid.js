/** The grid that all regions share: places of the samples, and which of them are drawn how far away. */
import { BufferAttribute } from "three";

const SIDE = 129;
const SAMPLE_M = 2;
/** Every so many samples are drawn, the nearest first. */
export const STEPS = [1, 2, 4, 8];
const SAMPLES = SIDE * SIDE;

/** Which samples stand on the border, in the order of the skirt's corners; each side is all of it. */
const BORDER = [
  ...Array.from({ length: SIDE }, (_, i) => i),
  ...Array.from({ length: SIDE }, (_, i) => i * SIDE + SIDE - 1),
  ...Array.from({ length: SIDE }, (_, i) => (SIDE - 1) * SIDE + SIDE - 1 - i),
  ...Array.from({ length: SIDE }, (_, i) => (SIDE - 1 - i) * SIDE),
];

/** x and z in metres, and 1 for the lower edge of the skirt that hides cracks between steps. */
export function gridPlaces() {
  const places = new Float32Array(3 * (SAMPLES + BORDER.length));
  for (let i = 0; i < SAMPLES; i++) places.set([(i % SIDE) * SAMPLE_M, Math.floor(i / SIDE) * SAMPLE_M, 0], 3 * i);
  for (const [k, i] of BORDER.entries()) {
    places.set([(i % SIDE) * SAMPLE_M, Math.floor(i / SIDE) * SAMPLE_M, 1], 3 * (SAMPLES + k));
  }
  return new BufferAttribute(places, 3);
}

/** @param {Int16Array} heights of a tile @returns {Int16Array} for the corners of `gridPlaces`, in 1/32 m */
export function gridHeights(heights) {
  const all = new Int16Array(SAMPLES + BORDER.length);
  all.set(heights);
  for (const [k, i] of BORDER.entries()) all[SAMPLES + k] = heights[i];
  return all;
}

/** @param {number} step of STEPS @returns {BufferAttribute} triangles, split as the server splits its ground */
export function gridIndex(step) {
  const index = [];
  for (let z = 0; z < SIDE - 1; z += step) {
    for (let x = 0; x < SIDE - 1; x += step) {
      const near = z * SIDE + x;
      const [right, below] = [near + step, near + step * SIDE];
      const far = below + step;
      index.push(near, far, right, near, below, far);
    }
  }
  for (let side = 0; side < 4; side++) {
    for (let i = 0; i < SIDE - 1; i += step) {
      const k = side * SIDE + i;
      const [top, next, low, lower] = [BORDER[k], BORDER[k + step], SAMPLES + k, SAMPLES + k + step];
      index.push(top, next, low, next, lower, low);
    }
  }
  return new BufferAttribute(new Uint16Array(index), 1);
}
