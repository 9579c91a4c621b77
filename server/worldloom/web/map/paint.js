/** Land as a map: colours by surface, light from the north-west, water by depth, trees as dots. */
import { REGION_M, SAMPLES, Surface, ThingKind } from "worldloom/tiles.js";

const QUADS = SAMPLES - 1;
/** Points along one side of a region: two for each quad. */
export const SIDE = 2 * QUADS;
/** Metres of a point. */
export const POINT_M = REGION_M / SIDE;
const QUAD_M = REGION_M / QUADS;

/** As the server's painter has them. @type {Record<number, number[]>} */
const COLOURS = {
  [Surface.SEABED]: [206, 192, 150], [Surface.SAND]: [226, 208, 160], [Surface.PEBBLES]: [186, 176, 154],
  [Surface.GRASS]: [138, 160, 84], [Surface.MEADOW]: [122, 158, 74], [Surface.HEATH]: [150, 142, 92],
  [Surface.FOREST]: [82, 116, 58], [Surface.ROCK]: [122, 115, 106], [Surface.SCREE]: [142, 134, 118],
  [Surface.SNOW]: [243, 246, 250], [Surface.MARSH]: [104, 136, 80],
};
/** Red, green and blue by surface: what is unknown here is grass. */
const PALETTE = Uint8Array.from({ length: 3 * 256 }, (_, i) => (COLOURS[Math.floor(i / 3)] ?? COLOURS[Surface.GRASS])[i % 3]);
/** Colour and radius in metres. @type {Record<number, [string, number]>} */
const CROWNS = {
  [ThingKind.CONIFER]: ["#264630", 1.7], [ThingKind.BROADLEAF]: ["#42682c", 2.3], [ThingKind.BIRCH]: ["#708a3e", 1.9],
  [ThingKind.BUSH]: ["#56702c", 0.9], [ThingKind.ROCK]: ["#807a74", 0.9], [ThingKind.PALM]: ["#608c34", 1.8],
};
const SHADOW = "rgb(16 26 20 / 30%)";
const SHALLOW = [96, 182, 180];
const DEEP = [22, 62, 108];
/** Water is nearly as dark as it gets. */
const DEEP_M = 14;
/** Towards the sun. */
const SUN = [-0.58, 0.56, -0.59];
/** So far from its middle a thing and its shadow are seen at most. */
const REACH_M = 8;
/** Light of what is turned away from it. */
const SKY = 0.42;
const BRIGHTEST = 1.45;

/**
 * @param {import("worldloom/tiles.js").Tile} tile
 * @param {import("worldloom/tiles.js").Tile[]} [around] those beside it that are known: their trees reach over the border
 * @returns {HTMLCanvasElement} SIDE x SIDE points, x to the right, z down
 */
export function painted(tile, around = []) {
  const quads = canvasOf(QUADS);
  const image = quads.context.createImageData(QUADS, QUADS);
  const colours = smoothed(tile.surface);
  for (let z = 0, quad = 0; z < QUADS; z++) {
    for (let x = 0; x < QUADS; x++, quad++) colour(tile.heights, z * SAMPLES + x, colours, quad, image.data);
  }
  quads.context.putImageData(image, 0, 0);
  const { canvas, context } = canvasOf(SIDE);
  context.imageSmoothingQuality = "high";
  context.drawImage(quads.canvas, 0, 0, SIDE, SIDE);
  plant(context, tile);
  for (const beside of around) reachOver(context, tile, beside);
  return canvas;
}

/**
 * Paint what reaches over from a tile beside it.
 *
 * @param {CanvasRenderingContext2D} context of a picture that `painted` made
 * @param {{ rx: number, rz: number }} region of the picture
 * @param {import("worldloom/tiles.js").Tile} beside
 */
export function reachOver(context, { rx, rz }, beside) {
  const [dx, dz] = [(beside.rx - rx) * REGION_M, (beside.rz - rz) * REGION_M];
  const near = (/** @type {number} */ at) => at > -REACH_M && at < REGION_M + REACH_M;
  const things = beside.things.filter(({ x, z }) => near(x + dx) && near(z + dz));
  plant(context, { things: things.map((thing) => ({ ...thing, x: thing.x + dx, z: thing.z + dz })) });
}

/** In memory: a picture on the graphics card, asked for its points, waits for all that is drawn there. @param {number} side */
function canvasOf(side) {
  const canvas = document.createElement("canvas");
  canvas.width = canvas.height = side;
  return { canvas, context: /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d", { willReadFrequently: true })) };
}

/** @param {Uint8Array} surface @returns {Float32Array} colours of quads, each with a share of its neighbours */
function smoothed(surface) {
  const colours = new Float32Array(3 * QUADS * QUADS);
  for (let z = 0, quad = 0; z < QUADS; z++) {
    for (let x = 0; x < QUADS; x++, quad++) {
      const [own, west] = [3 * surface[quad], 3 * surface[x ? quad - 1 : quad]];
      const east = 3 * surface[x < QUADS - 1 ? quad + 1 : quad];
      const north = 3 * surface[z ? quad - QUADS : quad];
      const south = 3 * surface[z < QUADS - 1 ? quad + QUADS : quad];
      for (let part = 0; part < 3; part++) {
        colours[3 * quad + part] = (2 * PALETTE[own + part] + PALETTE[west + part] + PALETTE[east + part]
          + PALETTE[north + part] + PALETTE[south + part]) / 6;
      }
    }
  }
  return colours;
}

/**
 * @param {Int16Array} heights of a tile
 * @param {number} corner index of the quad's low sample
 * @param {Float32Array} colours
 * @param {number} quad
 * @param {Uint8ClampedArray} into RGBA
 */
function colour(heights, corner, colours, quad, into) {
  const [a, b] = [heights[corner], heights[corner + 1]];
  const [c, d] = [heights[corner + SAMPLES], heights[corner + SAMPLES + 1]];
  const height = (a + b + c + d) / 128;
  const east = (b + d - a - c) / 64 / QUAD_M;
  const south = (c + d - a - b) / 64 / QUAD_M;
  const lit = Math.max(0, (SUN[1] - SUN[0] * east - SUN[2] * south) / Math.sqrt(1 + east * east + south * south));
  const light = Math.min(BRIGHTEST, SKY + ((1 - SKY) * lit) / SUN[1]);
  const depth = Math.max(0, -height);
  // The ground shows through shallow water; a little foam where it begins.
  const water = depth ? Math.min(0.96, 0.5 + depth / 3) : 0;
  const deep = 1 - Math.exp(-3 * (depth / DEEP_M));
  for (let part = 0; part < 3; part++) {
    const land = colours[3 * quad + part] * light;
    const sea = SHALLOW[part] + deep * (DEEP[part] - SHALLOW[part]);
    into[4 * quad + part] = land + water * (sea - land);
  }
  into[4 * quad + 3] = 255;
}

/** @param {CanvasRenderingContext2D} context @param {{ things: import("worldloom/tiles.js").Thing[] }} of */
function plant(context, { things }) {
  for (const { kind, x, z, scale } of things) {
    const [fill, radius] = CROWNS[kind] ?? ["", 0];
    if (!fill) continue;
    const size = Math.max(1, (radius * scale) / POINT_M);
    context.fillStyle = SHADOW;
    context.fillRect(x / POINT_M - size * 0.4, z / POINT_M - size * 0.4, 2 * size, 2 * size);
    context.fillStyle = fill;
    context.beginPath();
    context.arc(x / POINT_M, z / POINT_M, size, 0, 2 * Math.PI);
    context.fill();
  }
}
