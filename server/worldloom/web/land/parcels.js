/** Parcels and their runs. Pure. */
import { REGION_M } from "worldloom/tiles.js";

export const PARCEL_M = 16;
/** Along a side of a region. */
export const PARCELS = REGION_M / PARCEL_M;

/** @typedef {{ px: number, pz: number, n: number }} Run n parcels from there on, to the east */
/** @typedef {{ px: number, pz: number }} Parcel */
/** @typedef {[number, number, number, number]} Edge x, z, x, z of two corners, in parcels */

/** @param {number} x metres @param {number} z @returns {Parcel} */
export function parcelAt(x, z) {
  return { px: Math.floor(x / PARCEL_M), pz: Math.floor(z / PARCEL_M) };
}

/** @param {Run[]} runs @returns {Parcel[]} */
export function parcelsOf(runs) {
  return runs.flatMap(({ px, pz, n }) => Array.from({ length: n }, (_, i) => ({ px: px + i, pz })));
}

/** @param {Parcel[]} parcels @returns {Run[]} as few as there may be */
export function runsOf(parcels) {
  const sorted = [...parcels].sort((a, b) => a.pz - b.pz || a.px - b.px);
  /** @type {Run[]} */
  const runs = [];
  for (const { px, pz } of sorted) {
    const last = runs[runs.length - 1];
    if (last && last.pz === pz && last.px + last.n === px) last.n++;
    else runs.push({ px, pz, n: 1 });
  }
  return runs;
}

/** @param {Run[]} runs @returns {Edge[]} the border, long sides whole; what is inside lies to the right of each */
export function borderOf(runs) {
  const own = new Set(parcelsOf(runs).map(({ px, pz }) => `${px},${pz}`));
  /** @type {Map<string, Edge>} */
  const open = new Map();
  /** @type {Edge[]} */
  const edges = [];
  // Along a line edges come in order: the next one makes the last one longer.
  const add = (/** @type {string} */ line, /** @type {Edge} */ edge) => {
    const last = open.get(line);
    if (last && last[2] === edge[0] && last[3] === edge[1]) [last[2], last[3]] = [edge[2], edge[3]];
    else {
      edges.push(edge);
      open.set(line, edge);
    }
  };
  for (const { px, pz } of parcelsOf(runsOf(parcelsOf(runs)))) {
    if (!own.has(`${px},${pz - 1}`)) add(`n${pz}`, [px, pz, px + 1, pz]);
    if (!own.has(`${px},${pz + 1}`)) add(`s${pz}`, [px, pz + 1, px + 1, pz + 1]);
    if (!own.has(`${px - 1},${pz}`)) add(`w${px}`, [px, pz, px, pz + 1]);
    if (!own.has(`${px + 1},${pz}`)) add(`e${px}`, [px + 1, pz, px + 1, pz + 1]);
  }
  return edges;
}

/** @param {Run[]} runs @returns {{ x: number, z: number, x0: number, z0: number, x1: number, z1: number }} metres: the parcel next
 *   to the middle, and all around */
export function extentOf(runs) {
  const parcels = parcelsOf(runs);
  const x0 = Math.min(...runs.map(({ px }) => px));
  const x1 = Math.max(...runs.map(({ px, n }) => px + n));
  const z0 = Math.min(...runs.map(({ pz }) => pz));
  const z1 = Math.max(...runs.map(({ pz }) => pz + 1));
  const away = (/** @type {Parcel} */ { px, pz }) => (px + 0.5 - (x0 + x1) / 2) ** 2 + (pz + 0.5 - (z0 + z1) / 2) ** 2;
  const { px, pz } = parcels.reduce((best, one) => (away(one) < away(best) ? one : best));
  // The middle itself, if it is on the land.
  const [x, z] = away({ px, pz }) <= 0.5 ? [(x0 + x1) / 2, (z0 + z1) / 2] : [px + 0.5, pz + 0.5];
  return {
    x: x * PARCEL_M, z: z * PARCEL_M,
    x0: x0 * PARCEL_M, z0: z0 * PARCEL_M, x1: x1 * PARCEL_M, z1: z1 * PARCEL_M,
  };
}

/** @param {Parcel[]} parcels @returns {boolean} whether they hang together by their edges */
export function hangTogether(parcels) {
  const left = new Set(parcels.map(({ px, pz }) => `${px},${pz}`));
  const next = parcels.slice(0, 1);
  if (next[0]) left.delete(`${next[0].px},${next[0].pz}`);
  for (let one; (one = next.pop());) {
    for (const [dx, dz] of [[1, 0], [-1, 0], [0, 1], [0, -1]]) {
      const beside = { px: one.px + dx, pz: one.pz + dz };
      if (left.delete(`${beside.px},${beside.pz}`)) next.push(beside);
    }
  }
  return left.size === 0;
}
