/** What the ground of a region looks like, from its tile and those around: two small pictures, made in slices. */
import { ThingKind } from "worldloom/tiles.js";
import { hash } from "./noise.js";

export const SIDE = 129;
const QUADS = SIDE - 1;
/** Samples beyond the border that a sample looks at. */
const MARGIN = 8;
const WIDE = SIDE + 2 * MARGIN;
/** Heights are in 1/32 m, samples 2 m apart: a rise over two samples, and one over four, become half a slope each. */
const [SHORT, LONG] = [0.5 / (32 * 4), 0.5 / (32 * 8)];

/** By surface class: colour as on a screen; how much it is like grass; how rough it is. Both 0 to 255. */
const LOOKS = [
  [196, 184, 144, 0, 90], // seabed
  [226, 208, 160, 0, 90], // sand
  [172, 163, 146, 0, 190], // pebbles
  [122, 138, 82, 255, 90], // grass
  [112, 140, 76, 255, 80], // meadow
  [140, 128, 84, 170, 130], // heath
  [84, 92, 60, 200, 130], // forest floor
  [126, 119, 111, 0, 255], // rock
  [144, 136, 122, 0, 220], // scree
  [240, 244, 250, 0, 50], // snow
  [92, 116, 66, 220, 110], // marsh
];
const GRASS = 3;
/** By kind of thing: how far it keeps the light from the ground, in samples, and how much. */
const SHADES = /** @type {Record<number, [number, number]>} */ ({
  [ThingKind.CONIFER]: [1.6, 0.4], [ThingKind.BROADLEAF]: [1.9, 0.42], [ThingKind.BIRCH]: [1.5, 0.3],
  [ThingKind.BUSH]: [1, 0.3], [ThingKind.ROCK]: [1, 0.25], [ThingKind.PALM]: [1.4, 0.25],
});

/**
 * @typedef {import("worldloom/tiles.js").Tile} Tile
 * @typedef {(dx: number, dz: number) => Tile | undefined} Around the tile of a neighbour, 0 0 is the region itself
 * @typedef {{ colours: Uint8Array, shapes: Uint8Array }} Relief 129 x 129 samples of four bytes. colours: red, green,
 *   blue, likeness to grass. shapes: slope along x and z (of the normal, 127.5 is level), open sky, roughness
 */

/** @returns {Relief} */
export function emptyRelief() {
  return { colours: new Uint8Array(4 * SIDE * SIDE), shapes: new Uint8Array(4 * SIDE * SIDE) };
}

/** @param {Around} around @param {Relief} into @returns {Generator<void, void, void>} */
export function* weaveRelief(around, into) {
  const heights = new Int16Array(WIDE * WIDE);
  for (let z = 0; z < WIDE; z++) {
    gatherHeights(around, heights, z);
    if (z % 32 === 31) yield;
  }
  for (let z = 0; z < SIDE; z++) {
    shapeRow(heights, into.shapes, z, /** @type {Tile} */ (around(0, 0)));
    if (z % 16 === 15) yield;
  }
  for (let z = 0; z < SIDE; z++) {
    colourRow(around, into, z);
    if (z % 16 === 15) yield;
  }
  shade(/** @type {Tile} */ (around(0, 0)), into.shapes);
}

/** @param {Around} around @param {Int16Array} heights @param {number} row */
function gatherHeights(around, heights, row) {
  const z = row - MARGIN;
  const dz = z < 0 ? -1 : z > QUADS ? 1 : 0;
  for (const dx of [-1, 0, 1]) {
    const tile = around(dx, dz) ?? around(0, dz) ?? around(dx, 0) ?? /** @type {Tile} */ (around(0, 0));
    const own = /** @type {Tile} */ (around(0, 0));
    // Where the neighbour is not here the border goes on level.
    const inZ = within(z, tile.rz - own.rz);
    const from = dx < 0 ? -MARGIN : dx > 0 ? SIDE : 0;
    const to = dx < 0 ? 0 : dx > 0 ? SIDE + MARGIN : SIDE;
    for (let x = from; x < to; x++) {
      heights[row * WIDE + x + MARGIN] = tile.heights[inZ * SIDE + within(x, tile.rx - own.rx)];
    }
  }
}

/**
 * @param {number} at sample, counted from the middle region
 * @param {number} moved regions
 * @returns {number} 0 to 128
 */
function within(at, moved) {
  return Math.max(0, Math.min(QUADS, at - moved * QUADS));
}

/** @param {Int16Array} heights @param {Uint8Array} shapes @param {number} z @param {Tile} tile */
function shapeRow(heights, shapes, z, { rx, rz }) {
  for (let x = 0, to = 4 * z * SIDE; x < SIDE; x++, to += 4) {
    const i = (z + MARGIN) * WIDE + x + MARGIN;
    // Over two spans: steps of 1/32 m would show as stripes where the sun is low.
    const slopeX = (heights[i - 1] - heights[i + 1]) * SHORT + (heights[i - 2] - heights[i + 2]) * LONG;
    const slopeZ = (heights[i - WIDE] - heights[i + WIDE]) * SHORT
      + (heights[i - 2 * WIDE] - heights[i + 2 * WIDE]) * LONG;
    const length = Math.sqrt(1 + slopeX * slopeX + slopeZ * slopeZ);
    // Rounded by chance, the same on both sides of a border: steps of a byte would show on plains.
    const chance = hash(rx * QUADS + x, rz * QUADS + z);
    shapes[to] = 127.5 + (127 * slopeX) / length + chance;
    shapes[to + 1] = 127.5 + (127 * slopeZ) / length + chance;
    const far = heights[i - 8] + heights[i + 8] + heights[i - 8 * WIDE] + heights[i + 8 * WIDE];
    const near = heights[i - 3] + heights[i + 3] + heights[i - 3 * WIDE] + heights[i + 3 * WIDE];
    // Metres by which it stands over what is around.
    const over = (8 * heights[i] - far - near) / 256;
    shapes[to + 2] = 255 * Math.max(0.45, Math.min(1, 0.86 + 0.07 * over));
  }
}

/** @param {Around} around @param {Relief} into @param {number} z */
function colourRow(around, { colours, shapes }, z) {
  for (let x = 0, to = 4 * z * SIDE; x < SIDE; x++, to += 4) {
    const [one, two] = [lookAt(around, x - 1, z - 1), lookAt(around, x, z - 1)];
    const [three, four] = [lookAt(around, x - 1, z), lookAt(around, x, z)];
    for (let k = 0; k < 4; k++) colours[to + k] = (one[k] + two[k] + three[k] + four[k] + 2) >> 2;
    shapes[to + 3] = (one[4] + two[4] + three[4] + four[4] + 2) >> 2;
  }
}

/** @param {Around} around @param {number} x quad @param {number} z @returns {number[]} */
function lookAt(around, x, z) {
  const dx = x < 0 ? -1 : x >= QUADS ? 1 : 0;
  const dz = z < 0 ? -1 : z >= QUADS ? 1 : 0;
  const there = dx || dz ? around(dx, dz) : undefined;
  const tile = there ?? /** @type {Tile} */ (around(0, 0));
  const inX = there ? x - dx * QUADS : Math.max(0, Math.min(QUADS - 1, x));
  const inZ = there ? z - dz * QUADS : Math.max(0, Math.min(QUADS - 1, z));
  return LOOKS[tile.surface[inZ * QUADS + inX]] ?? LOOKS[GRASS];
}

/** Less sky under trees. @param {Tile} tile @param {Uint8Array} shapes */
function shade({ things }, shapes) {
  for (const { kind, x, z, scale } of things) {
    const [reach, most] = SHADES[kind] ?? [0, 0];
    if (!reach) continue;
    const radius = reach * scale;
    const [mx, mz] = [x / 2, z / 2];
    const [x0, x1] = [Math.max(0, Math.ceil(mx - radius)), Math.min(QUADS, Math.floor(mx + radius))];
    const [z0, z1] = [Math.max(0, Math.ceil(mz - radius)), Math.min(QUADS, Math.floor(mz + radius))];
    for (let sz = z0; sz <= z1; sz++) {
      for (let sx = x0; sx <= x1; sx++) {
        const share = 1 - Math.hypot(sx - mx, sz - mz) / radius;
        const at = 4 * (sz * SIDE + sx) + 2;
        if (share > 0) shapes[at] *= 1 - most * share;
      }
    }
  }
}
