/** Somebody to look at, drawn without WebGL: the very shapes of the crowd, point by point, the nearest on top. */
import { figure } from "../people/figures.js";

const SHOES = 0x3a2f2a;
const EYES = 0x1d1a18;
const WHITES = 0xf4f1ea;
/** Radians: the face, and a little of the side. */
const FIRST_TURN = 0.35;
const KEY_TURN = 0.3;
/** Where the light comes from. */
const SUN = [0.3, 0.55, 0.78];
/** Light from all around, and from there. */
const [AROUND, BEAM] = [0.68, 0.42];
/** Metres that the picture shows from the ground up. */
const TALL_M = 1.9;

/**
 * It shows the face; dragging and the arrow keys turn it.
 *
 * @param {HTMLCanvasElement} canvas
 * @param {() => import("../people/looks.js").Look} lookNow
 * @returns {{ draw: () => void, stop: () => void }} it is drawn when it changes: `draw` says that it did
 */
export function preview(canvas, lookNow) {
  const context = canvas.getContext("2d");
  if (!context) return { draw: () => {}, stop: () => {} };
  const shapes = /** @type {Map<number, Shape>} */ (new Map());
  let turn = FIRST_TURN;
  let due = 0;
  const draw = () => {
    due ||= requestAnimationFrame(() => {
      due = 0;
      const look = lookNow();
      let shape = shapes.get(look.body);
      if (!shape) shapes.set(look.body, (shape = shapeOf(look.body)));
      context.putImageData(painted(canvas, shape, [look.skin, look.hair, look.top, look.legs, SHOES, EYES, WHITES], turn), 0, 0);
    });
  };
  const turned = (/** @type {number} */ by) => {
    turn += by;
    draw();
  };
  let from = 0;
  canvas.addEventListener("pointerdown", (event) => {
    canvas.setPointerCapture(event.pointerId);
    from = event.clientX;
  });
  canvas.addEventListener("pointermove", (event) => {
    if (!canvas.hasPointerCapture(event.pointerId)) return;
    // Over its width it turns once round.
    turned((2 * Math.PI * (event.clientX - from)) / canvas.clientWidth);
    from = event.clientX;
  });
  canvas.addEventListener("keydown", (event) => {
    const way = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (!way) return;
    event.preventDefault();
    turned(way * KEY_TURN);
  });
  draw();
  return { draw, stop: () => cancelAnimationFrame(due) };
}

/** @typedef {{ at: ArrayLike<number>, normals: ArrayLike<number>, corners: ArrayLike<number>, tints: ArrayLike<number> }} Shape
 *   corners: three a triangle; the others by corner */

/** @param {number} body @returns {Shape} */
function shapeOf(body) {
  const geometry = figure(body);
  const rig = geometry.getAttribute("rig").array;
  const tints = Uint8Array.from({ length: rig.length / 3 }, (_, number) => rig[3 * number + 2]);
  return {
    at: geometry.getAttribute("position").array, normals: geometry.getAttribute("normal").array,
    corners: /** @type {any} */ (geometry.getIndex()).array, tints,
  };
}

/**
 * @param {{ width: number, height: number }} size points
 * @param {Shape} shape
 * @param {number[]} colours by tint
 * @param {number} turn radians
 * @returns {ImageData}
 */
function painted({ width, height }, { at, normals, corners, tints }, colours, turn) {
  const image = new ImageData(width, height);
  const nearest = new Float32Array(width * height).fill(-Infinity);
  const scale = height / TALL_M;
  const [sin, cos] = [Math.sin(turn), Math.cos(turn)];
  // Of each corner: points from the left and the top, metres towards who looks, light.
  const seen = new Float32Array((at.length / 3) * 4);
  for (let corner = 0; 3 * corner < at.length; corner++) {
    const [x, y, z] = [at[3 * corner], at[3 * corner + 1], at[3 * corner + 2]];
    const [nx, ny, nz] = [normals[3 * corner], normals[3 * corner + 1], normals[3 * corner + 2]];
    const lit = (cos * nx + sin * nz) * SUN[0] + ny * SUN[1] + (cos * nz - sin * nx) * SUN[2];
    seen.set([width / 2 + (cos * x + sin * z) * scale, height - (y + 0.05) * scale, cos * z - sin * x, AROUND + BEAM * Math.max(0, lit)], 4 * corner);
  }
  for (let first = 0; first < corners.length; first += 3) {
    const colour = colours[tints[corners[first]]];
    triangle(image, nearest, seen, 4 * corners[first], 4 * corners[first + 1], 4 * corners[first + 2], colour);
  }
  return image;
}

/**
 * @param {ImageData} image
 * @param {Float32Array} nearest metres towards who looks, by point
 * @param {Float32Array} seen see `painted`
 * @param {number} a where its corners begin in `seen`
 * @param {number} b
 * @param {number} c
 * @param {number} colour 0xRRGGBB
 */
function triangle({ data, width, height }, nearest, seen, a, b, c, colour) {
  const [ax, ay, bx, by, cx, cy] = [seen[a], seen[a + 1], seen[b], seen[b + 1], seen[c], seen[c + 1]];
  const twice = (bx - ax) * (cy - ay) - (by - ay) * (cx - ax);
  // Screens count downwards: what is turned this way goes round with the clock there.
  if (twice >= 0) return;
  const [low, high] = [Math.max(0, Math.ceil(Math.min(ay, by, cy))), Math.min(height - 1, Math.floor(Math.max(ay, by, cy)))];
  const [left, right] = [Math.max(0, Math.ceil(Math.min(ax, bx, cx))), Math.min(width - 1, Math.floor(Math.max(ax, bx, cx)))];
  for (let y = low; y <= high; y++) {
    for (let x = left; x <= right; x++) {
      const v = ((x - ax) * (cy - ay) - (y - ay) * (cx - ax)) / twice;
      const w = ((bx - ax) * (y - ay) - (by - ay) * (x - ax)) / twice;
      const u = 1 - v - w;
      if (u < 0 || v < 0 || w < 0) continue;
      const near = u * seen[a + 2] + v * seen[b + 2] + w * seen[c + 2];
      const point = y * width + x;
      if (near <= nearest[point]) continue;
      nearest[point] = near;
      const light = u * seen[a + 3] + v * seen[b + 3] + w * seen[c + 3];
      data[4 * point] = ((colour >> 16) & 255) * light;
      data[4 * point + 1] = ((colour >> 8) & 255) * light;
      data[4 * point + 2] = (colour & 255) * light;
      data[4 * point + 3] = 255;
    }
  }
}
