/** The models of things: for each kind a fine one, and for those that are seen from afar a simple one. */
import { Color } from "three";
import { ThingKind } from "worldloom/tiles.js";
import { hash } from "./noise.js";
import { Shape } from "./shapes.js";

/** @typedef {import("./shapes.js").Triple} Triple */

const LEAF = [new Color("#5f9a3c"), new Color("#8dbb55")];

/** @type {Record<number, { fine: () => Shape, simple?: () => Shape }>} */
export const MODELS = {
  [ThingKind.CONIFER]: { fine: () => conifer(true), simple: () => conifer(false) },
  [ThingKind.BROADLEAF]: { fine: broadleaf, simple: broadleafAfar },
  [ThingKind.BIRCH]: { fine: birch, simple: birchAfar },
  [ThingKind.BUSH]: { fine: bush, simple: bushAfar },
  [ThingKind.ROCK]: { fine: () => rock(6, 9), simple: () => rock(3, 5) },
  [ThingKind.DEADWOOD]: { fine: deadwood },
  [ThingKind.REED]: { fine: reed },
  [ThingKind.TUFT]: { fine: () => tuft(9) },
  [ThingKind.FLOWERS]: { fine: flowers },
  [ThingKind.PALM]: { fine: () => palm(9, true), simple: () => palm(6, false) },
};

/** @param {boolean} fine */
function conifer(fine) {
  const shape = new Shape();
  const tiers = fine
    ? [[0.9, 3.7, 2.05], [2.2, 5.0, 1.75], [3.5, 6.2, 1.42], [4.8, 7.4, 1.08], [6.2, 9.0, 0.72]]
    : [[1.0, 5.4, 1.8], [3.8, 8.9, 1.25]];
  if (fine) shape.stem({
    path: [[0, -0.6, 0], [0, 1.8, 0]], radii: [0.32, 0.17], sides: 6, colours: ["#463f38", "#575047"],
  });
  for (const [k, [y, top, radius]] of tiers.entries()) {
    shape.tier({
      y, top, radius, sides: fine ? 18 : 6, colour: "#213a2a", tip: k === tiers.length - 1 ? "#56764c" : "#47683f",
      turn: 0.37 * k,
      bend: 0.006 * y * y, under: fine,
    });
  }
  return shape;
}

function broadleaf() {
  const shape = new Shape();
  shape.stem({
    path: [[0, -0.5, 0], [0.02, 0.35, 0], [0.05, 1.4, 0], [0.18, 3.2, 0.1]], radii: [0.5, 0.27, 0.21, 0.15], sides: 7,
    colours: ["#4b443b", "#5c5449", "#6a6155"],
  });
  const blobs = /** @type {[Triple, number][]} */ ([
    [[0, 4.9, 0], 1.75], [[1.25, 4.0, 0.5], 1.25], [[-1.1, 4.1, 0.75], 1.3], [[0.1, 4.0, -1.3], 1.25],
    [[0.1, 6.1, 0.1], 1.2],
  ]);
  for (const [k, [at, r]] of blobs.entries()) {
    shape.ball({
      at, radius: [r, 0.88 * r, r], rings: 4, sides: 7, colour: "#66893f", low: "#36542c", key: 3 * k, bend: 0.07,
      from: [0, 4.2, 0],
    });
  }
  return shape;
}

function broadleafAfar() {
  const shape = new Shape();
  shape.stem({ path: [[0, -0.6, 0], [0, 3, 0]], radii: [0.36, 0.2], sides: 3, colours: ["#5a5146"] });
  shape.ball({
    at: [0, 4.6, 0], radius: [2.35, 2.4, 2.35], rings: 3, sides: 5, colour: "#63853d", low: "#34512b", uneven: 0.2,
    key: 2,
  });
  return shape;
}

function birch() {
  const shape = new Shape();
  const path = Array.from({ length: 7 }, (_, k) => /** @type {Triple} */ (
    [0.06 * Math.sin(k), -0.6 + 1.05 * k, 0.05 * k]
  ));
  shape.stem({
    path, radii: [0.2, 0.17, 0.16, 0.14, 0.12, 0.1, 0.07], sides: 6,
    colours: ["#d8d4c8", "#efece2", "#4d4a44", "#ece8de", "#e8e4da", "#57534c", "#e2ded2"], tint: 0,
  });
  const blobs = /** @type {[Triple, number, number][]} */ ([
    [[0.1, 4.4, 0.2], 1.35, 1.2], [[-0.75, 5.3, 0], 1.0, 1.1], [[0.75, 5.7, 0.35], 1.0, 1.2], [[0, 6.9, 0.1], 1.0, 1.5],
  ]);
  for (const [k, [at, r, tall]] of blobs.entries()) {
    shape.ball({
      at, radius: [r, 0.9 * r * tall, r], rings: 4, sides: 6, colour: "#8fa552", low: "#5b7a3a", key: 5 * k + 1,
      bend: 0.11, from: [0, 5, 0],
    });
  }
  return shape;
}

function birchAfar() {
  const shape = new Shape();
  shape.stem({ path: [[0, -0.6, 0], [0, 4, 0]], radii: [0.2, 0.14], sides: 3, colours: ["#e2ded2"], tint: 0 });
  shape.ball({
    at: [0, 5.8, 0], radius: [1.55, 2.7, 1.55], rings: 3, sides: 5, colour: "#8ca250", low: "#597738", key: 4,
  });
  return shape;
}

function bush() {
  const shape = new Shape();
  const blobs = [[0, 0.5, 0, 0.78], [0.5, 0.38, 0.25, 0.55], [-0.42, 0.4, 0.34, 0.58], [0.02, 0.42, -0.5, 0.56]];
  for (const [k, [x, y, z, r]] of blobs.entries()) {
    shape.ball({
      at: [x, y, z], radius: [r, 0.8 * r, r], rings: 4, sides: 6, colour: "#71904a", low: "#38552c", key: 7 * k,
      bend: 0.03, from: [0, 0.2, 0],
    });
  }
  return shape;
}

function bushAfar() {
  const shape = new Shape();
  shape.ball({
    at: [0, 0.45, 0], radius: [0.95, 0.72, 0.95], rings: 3, sides: 5, colour: "#6c8a47", low: "#38552c", key: 3,
  });
  return shape;
}

/** @param {number} rings @param {number} sides */
function rock(rings, sides) {
  const shape = new Shape();
  shape.ball({
    at: [0, 0.12, 0], radius: [1.05, 0.62, 0.85], rings, sides, colour: "#a09a90", low: "#686259", uneven: 0.3,
    key: 11, tint: 0.6,
  });
  if (rings > 3) {
    shape.ball({
      at: [0.72, 0.02, 0.46], radius: [0.46, 0.36, 0.42], rings: 4, sides: 6, colour: "#979087", low: "#625c54",
      uneven: 0.3, key: 23, tint: 0.6,
    });
  }
  return shape;
}

function deadwood() {
  const shape = new Shape();
  shape.stem({
    path: [[-0.3, 0.05, -1], [-0.1, 0.14, -0.4], [0.12, 0.18, 0.3], [0.2, 0.3, 1]],
    radii: [0.2, 0.19, 0.16, 0.09], sides: 6, colours: ["#6b5a48", "#7a6853"], tint: 0.5,
  });
  shape.stem({
    path: [[0, 0.1, -0.1], [0.3, 0.75, 0.1]], radii: [0.08, 0.03], sides: 4, colours: ["#6b5a48"], tint: 0.5,
  });
  shape.stem({
    path: [[-0.1, 0.1, -0.6], [-0.5, 0.5, -0.7]], radii: [0.07, 0.02], sides: 4, colours: ["#6b5a48"], tint: 0.5,
  });
  return shape;
}

function reed() {
  const shape = new Shape();
  for (let k = 0; k < 9; k++) {
    const [angle, reach] = [2.4 * k, 0.14 + 0.42 * hash(k, 1)];
    const at = /** @type {Triple} */ ([reach * Math.sin(angle), -0.2, reach * Math.cos(angle)]);
    shape.blade({
      at, angle: angle + 1, height: 1.35 + 0.6 * hash(k, 2), lean: 0.25 + 0.3 * hash(k, 3), width: 0.035,
      colour: "#55703a", tip: "#b3ad62", bend: 0.16,
    });
    if (k % 3) continue;
    shape.stem({
      path: [[at[0], 1.25, at[2]], [at[0], 1.6, at[2]]], radii: [0.055, 0.045], sides: 4, colours: ["#5e4128"],
      bends: [0.09, 0.13], tint: 0,
    });
  }
  return shape;
}

/** @param {number} blades @returns {Shape} */
export function tuft(blades) {
  const shape = new Shape();
  for (let k = 0; k < blades; k++) {
    const [angle, reach] = [2.4 * k, 0.05 + 0.24 * hash(k, 4)];
    shape.blade({
      at: [reach * Math.sin(angle), -0.08, reach * Math.cos(angle)], angle, height: 0.3 + 0.28 * hash(k, 5),
      lean: 0.14 + 0.24 * hash(k, 6),
      width: 0.036, colour: "#5a7238", tip: "#93a65e", bend: 0.09,
    });
  }
  return shape;
}

function flowers() {
  const shape = tuft(5);
  for (let k = 0; k < 5; k++) {
    const [angle, reach] = [1.3 + 2.4 * k, 0.1 + 0.3 * hash(k, 7)];
    const [x, z, y] = [reach * Math.sin(angle), reach * Math.cos(angle), 0.32 + 0.2 * hash(k, 8)];
    shape.blade({
      at: [x, -0.05, z], angle, height: y + 0.05, lean: 0, width: 0.014, colour: "#4f7030", tip: "#5f8038",
      bend: 0.05, tint: 0,
    });
    // White here: the shader gives each its own colour, where tint is 2.
    shape.ball({
      at: [x, y, z], radius: [0.075, 0.035, 0.075], rings: 2, sides: 5, colour: "#ffffff", low: "#c8c8c8",
      uneven: 0.25, bend: 0.05, tint: 2,
    });
  }
  return shape;
}

/** @param {number} fronds @param {boolean} fine */
function palm(fronds, fine) {
  const shape = new Shape();
  const path = /** @type {Triple[]} */ ([[0, -0.6, 0], [0.12, 1.6, 0], [0.34, 3.6, 0], [0.72, 6.3, 0]]);
  shape.stem({
    path: fine ? path : [path[0], path[3]], radii: fine ? [0.3, 0.21, 0.17, 0.15] : [0.3, 0.15], sides: fine ? 7 : 3,
    colours: ["#7c6a52", "#8f7b5f"],
  });
  for (let k = 0; k < fronds; k++) {
    const angle = (2 * Math.PI * k) / fronds + 0.3 * hash(k, 9);
    const length = 2.3 + 0.7 * hash(k, 10);
    frond(shape, [0.72, 6.3, 0], angle, length, fine ? 4 : 2);
  }
  return shape;
}

/**
 * A leaf that rises, then hangs; folded along its middle.
 *
 * @param {Shape} shape
 * @param {Triple} at
 * @param {number} angle
 * @param {number} length
 * @param {number} parts
 */
function frond(shape, at, angle, length, parts) {
  const [sin, cos] = [Math.sin(angle), Math.cos(angle)];
  const look = /** @param {number} t */ (t) => ({ open: 0.6 + 0.4 * t, bend: 0.22 * t });
  let last = /** @type {number[]} */ ([]);
  for (let p = 0; p <= parts; p++) {
    const t = p / parts;
    const [out, y] = [length * t, at[1] + 0.75 * Math.sin(2.4 * t) - 1.3 * t * t];
    const wide = 0.46 * Math.sin(Math.PI * (0.12 + 0.86 * t));
    const now = [-1, 0, 1].map((side) => shape.corner(
      [at[0] + out * sin + side * wide * cos, y - (side ? 0.16 : 0), at[2] + out * cos - side * wide * sin],
      [0.4 * side * cos + 0.2 * sin, 1, -0.4 * side * sin + 0.2 * cos], LEAF[side ? 0 : 1], look(t),
    ));
    if (last.length) for (const k of [0, 1]) shape.face(last[k], last[k + 1], now[k + 1], last[k], now[k + 1], now[k]);
    last = now;
  }
}
