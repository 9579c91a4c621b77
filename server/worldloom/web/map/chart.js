/** Draws the map: land, people, yourself. Knows no page. */
import { REGION_M } from "worldloom/tiles.js";
import { BLOCK } from "./atlas.js";

/** @typedef {{ x: number, z: number, scale: number, width: number, height: number }} Frame the middle in metres, metres of
 *   a point of the screen, size in points */

export const PAPER = "#34424a";
const LINES = "rgb(255 255 255 / 7%)";
/** From so many metres a point on, regions are too small to be drawn one by one. */
const COARSE = 3;
const YOU = "#ffc86b";
const OTHERS = "#ffffff";
const BOTS = "#8fd0ff";
const INK = "#10171a";

/** @param {Frame} frame @param {number} x @param {number} z metres @returns {[number, number]} points */
export function pointOf({ x: cx, z: cz, scale, width, height }, x, z) {
  return [width / 2 + (x - cx) / scale, height / 2 + (z - cz) / scale];
}

/** @param {Frame} frame @param {number} left @param {number} top points @returns {[number, number]} metres */
export function metresOf({ x, z, scale, width, height }, left, top) {
  return [x + (left - width / 2) * scale, z + (top - height / 2) * scale];
}

/** @param {Frame} frame @param {number} unit metres @returns {{ x0: number, z0: number, x1: number, z1: number }} in units, all in view */
export function seen(frame, unit) {
  const [west, north] = metresOf(frame, 0, 0);
  const [east, south] = metresOf(frame, frame.width, frame.height);
  return { x0: Math.floor(west / unit), z0: Math.floor(north / unit), x1: Math.floor(east / unit), z1: Math.floor(south / unit) };
}

/** @param {CanvasRenderingContext2D} context @param {Frame} frame @param {import("./atlas.js").Atlas} atlas */
export function drawLand(context, frame, atlas) {
  const { width, height, scale } = frame;
  context.fillStyle = PAPER;
  context.fillRect(0, 0, width, height);
  if (scale < COARSE) drawLines(context, frame);
  context.imageSmoothingEnabled = true;
  context.imageSmoothingQuality = scale > 1 ? "high" : "medium";
  const coarse = seen(frame, BLOCK * REGION_M);
  for (let bz = coarse.z0; bz <= coarse.z1; bz++) {
    for (let bx = coarse.x0; bx <= coarse.x1; bx++) put(context, frame, atlas.block(bx, bz), bx, bz, BLOCK * REGION_M);
  }
  if (scale >= COARSE) return;
  const { x0, z0, x1, z1 } = seen(frame, REGION_M);
  for (let rz = z0; rz <= z1; rz++) {
    for (let rx = x0; rx <= x1; rx++) put(context, frame, atlas.picture(rx, rz), rx, rz, REGION_M);
  }
}

/**
 * On whole points of the device: neighbours meet without a line.
 *
 * @param {CanvasRenderingContext2D} context
 * @param {Frame} frame
 * @param {CanvasImageSource | undefined} picture
 * @param {number} ix
 * @param {number} iz
 * @param {number} unit metres
 */
function put(context, frame, picture, ix, iz, unit) {
  if (!picture) return;
  const ratio = context.getTransform().a;
  const [left, top] = pointOf(frame, ix * unit, iz * unit).map((value) => Math.round(value * ratio) / ratio);
  const [right, bottom] = pointOf(frame, (ix + 1) * unit, (iz + 1) * unit).map((value) => Math.round(value * ratio) / ratio);
  context.drawImage(picture, left, top, right - left, bottom - top);
}

/** Of regions nobody here has seen. @param {CanvasRenderingContext2D} context @param {Frame} frame */
function drawLines(context, frame) {
  const { x0, z0, x1, z1 } = seen(frame, REGION_M);
  context.strokeStyle = LINES;
  context.lineWidth = 1;
  context.beginPath();
  for (let rx = x0; rx <= x1 + 1; rx++) {
    const [left] = pointOf(frame, rx * REGION_M, 0);
    context.moveTo(Math.round(left) + 0.5, 0);
    context.lineTo(Math.round(left) + 0.5, frame.height);
  }
  for (let rz = z0; rz <= z1 + 1; rz++) {
    const [, top] = pointOf(frame, 0, rz * REGION_M);
    context.moveTo(0, Math.round(top) + 0.5);
    context.lineTo(frame.width, Math.round(top) + 0.5);
  }
  context.stroke();
}

/**
 * @param {CanvasRenderingContext2D} context
 * @param {Frame} frame
 * @param {import("../app/app.js").Somebody[]} people
 * @param {number} radius points
 */
export function drawPeople(context, frame, people, radius) {
  for (const one of people) {
    const [x, y] = pointOf(frame, one.x, one.z);
    if (!near(frame, x, y)) continue;
    context.fillStyle = one.kind === "bot" ? BOTS : OTHERS;
    context.strokeStyle = INK;
    context.lineWidth = 1.5;
    context.beginPath();
    context.arc(x, y, radius, 0, 2 * Math.PI);
    context.fill();
    context.stroke();
  }
}

/** @param {CanvasRenderingContext2D} context @param {Frame} frame @param {import("../app/app.js").Somebody[]} people */
export function namePeople(context, frame, people) {
  for (const one of people) {
    const [x, y] = pointOf(frame, one.x, one.z);
    if (one.name && near(frame, x, y)) write(context, one.name, x, y - 10);
  }
}

/** @param {Frame} frame @param {number} x points @param {number} y */
function near({ width, height }, x, y) {
  return x > -9 && y > -9 && x < width + 9 && y < height + 9;
}

/** An arrow that points where you look. @param {CanvasRenderingContext2D} context @param {Frame} frame @param {{ x: number, z: number, yaw: number }} me */
export function drawYou(context, frame, { x, z, yaw }) {
  const [left, top] = pointOf(frame, x, z);
  const base = context.getTransform();
  context.translate(left, top);
  context.rotate(Math.PI - yaw);
  context.fillStyle = YOU;
  context.strokeStyle = INK;
  context.lineWidth = 2;
  context.lineJoin = "round";
  context.beginPath();
  context.moveTo(0, -10);
  context.lineTo(7, 8);
  context.lineTo(0, 4);
  context.lineTo(-7, 8);
  context.closePath();
  context.stroke();
  context.fill();
  context.setTransform(base);
}

/**
 * @param {CanvasRenderingContext2D} context
 * @param {string} text
 * @param {number} x
 * @param {number} y
 * @param {{ size?: number, colour?: string }} [how]
 */
export function write(context, text, x, y, { size = 13, colour = "#fff" } = {}) {
  context.font = `600 ${size}px system-ui, sans-serif`;
  context.textAlign = "center";
  context.lineJoin = "round";
  context.lineWidth = 3;
  context.strokeStyle = "rgb(10 16 20 / 85%)";
  context.strokeText(text, x, y);
  context.fillStyle = colour;
  context.fillText(text, x, y);
}

/** How long 1 to 5 tens are. @param {CanvasRenderingContext2D} context @param {Frame} frame */
export function drawScale(context, { scale, width, height }) {
  const most = Math.min(140, width / 3) * scale;
  const ten = 10 ** Math.floor(Math.log10(most));
  const metres = [5, 2, 1].map((times) => times * ten).find((one) => one <= most) ?? ten;
  const long = metres / scale;
  const [x, y] = [width - 16 - long, height - 14];
  context.lineWidth = 2;
  context.beginPath();
  context.moveTo(x, y - 5);
  context.lineTo(x, y);
  context.lineTo(x + long, y);
  context.lineTo(x + long, y - 5);
  context.strokeStyle = "rgb(10 16 20 / 85%)";
  context.lineWidth = 5;
  context.stroke();
  context.strokeStyle = "#fff";
  context.lineWidth = 2;
  context.stroke();
  write(context, metres < 1000 ? `${metres} m` : `${metres / 1000} km`, x + long / 2, y - 8, { size: 12 });
}
