/** What stands in a region, in the order and form in which it is drawn. */
import { ThingKind, groundHeight } from "worldloom/tiles.js";
import { hash } from "./noise.js";

/**
 * @typedef {import("worldloom/tiles.js").Tile} Tile
 * @typedef {{ spots: Float32Array, turns: Uint8Array, count: number }} Stand of one kind. spots: x and z in metres from
 *   the region's corner, y, size. turns: yaw, seed, tint, nothing; 0 to 255
 */

/** Kinds of which the high ones grow into the ground a little, so that no foot hangs over a slope. */
const ROOTED_M = 0.1;

/** @param {Tile} tile @returns {Map<number, Stand>} by kind */
export function standsOf(tile) {
  const counts = new Map();
  for (const { kind } of tile.things) counts.set(kind, (counts.get(kind) ?? 0) + 1);
  /** @type {Map<number, Stand>} */
  const stands = new Map();
  for (const [kind, n] of counts) {
    stands.set(kind, { spots: new Float32Array(4 * n), turns: new Uint8Array(4 * n), count: 0 });
  }
  for (const { kind, x, z, scale, yaw } of tile.things) {
    const stand = /** @type {Stand} */ (stands.get(kind));
    const at = 4 * stand.count++;
    const [ix, iz] = [Math.round(64 * x) + 16384 * tile.rx, Math.round(64 * z) + 16384 * tile.rz];
    stand.spots[at] = x;
    stand.spots[at + 1] = groundHeight(tile.heights, x, z) - (kind === ThingKind.TUFT ? 0 : ROOTED_M);
    stand.spots[at + 2] = z;
    stand.spots[at + 3] = scale;
    stand.turns[at] = (yaw / (2 * Math.PI)) * 256;
    stand.turns[at + 1] = 256 * hash(ix, iz);
    // Neighbours are alike: a wood has a colour, not each tree its own.
    stand.turns[at + 2] = 110 * hash(ix >> 11, iz >> 11, 3) + 145 * hash(ix, iz, 5);
  }
  return stands;
}
