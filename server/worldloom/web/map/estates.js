/** The land layer of the map: estates in their owners' colours, patterns for what is offered, and open regions. */
import { REGION_M } from "worldloom/tiles.js";
import { colourOf } from "../land/colours.js";
import { PARCEL_M, borderOf, extentOf } from "../land/parcels.js";
import { pointOf, seen, write } from "./chart.js";

/** @typedef {import("../land/data.js").Estate} Estate @typedef {import("../land/data.js").LandData} LandData */
/** @typedef {{ fill: Path2D, border: Path2D, extent: ReturnType<typeof extentOf> }} Shape paths in metres from the extent's low corner */

/** Names and prices are written from so many points on. */
const NAMED_PX = 46;
const PRICED_PX = 90;
/** Beyond so many metres a point, borders are too fine. */
const COARSEST = 10;

/** @type {WeakMap<Estate, Shape>} */
const shapes = new WeakMap();
const patterns = /** @type {Map<string, CanvasPattern | null>} */ (new Map());

/**
 * @param {CanvasRenderingContext2D} context
 * @param {import("./chart.js").Frame} frame
 * @param {LandData} land
 * @param {{ money?: (minor: number) => string, chosen?: number }} [how] money: what open regions cost is written; chosen: an estate
 */
export function drawEstates(context, frame, land, { money, chosen = 0 } = {}) {
  drawZones(context, frame, land, money);
  for (const estate of shownOf(frame, land)) drawEstate(context, frame, estate, land, estate.estate === chosen);
}

/**
 * Names and offers: after all that could hide them.
 *
 * @param {CanvasRenderingContext2D} context
 * @param {import("./chart.js").Frame} frame
 * @param {LandData} land
 * @param {((minor: number) => string) | undefined} money
 */
export function nameEstates(context, frame, land, money) {
  for (const estate of shownOf(frame, land)) drawName(context, frame, estate, land, money);
}

/** @param {import("./chart.js").Frame} frame @param {LandData} land @returns {Estate[]} */
function shownOf(frame, land) {
  return [...land.estates.values()].filter((estate) => inView(frame, shapeOf(estate).extent));
}

/** @param {import("./chart.js").Frame} frame @param {LandData} land asks for the plan of what is in view */
export function wantInView(frame, land) {
  if (frame.scale > COARSEST) return;
  const { x0, z0, x1, z1 } = seen(frame, REGION_M);
  for (let rz = z0; rz <= z1; rz++) for (let rx = x0; rx <= x1; rx++) land.want(rx, rz);
  land.wantOffers(frame.x, frame.z);
}

/** @param {Estate} estate @returns {Shape} */
function shapeOf(estate) {
  let shape = shapes.get(estate);
  if (shape) return shape;
  const extent = extentOf(estate.runs);
  const [fill, border] = [new Path2D(), new Path2D()];
  for (const { px, pz, n } of estate.runs) fill.rect(px * PARCEL_M - extent.x0, pz * PARCEL_M - extent.z0, n * PARCEL_M, PARCEL_M);
  for (const [x, z, x2, z2] of borderOf(estate.runs)) {
    border.moveTo(x * PARCEL_M - extent.x0, z * PARCEL_M - extent.z0);
    border.lineTo(x2 * PARCEL_M - extent.x0, z2 * PARCEL_M - extent.z0);
  }
  shapes.set(estate, (shape = { fill, border, extent }));
  return shape;
}

/**
 * @param {CanvasRenderingContext2D} context
 * @param {import("./chart.js").Frame} frame
 * @param {Estate} estate
 * @param {LandData} land
 * @param {boolean} chosen
 */
function drawEstate(context, frame, estate, land, chosen) {
  const { fill, border, extent } = shapeOf(estate);
  const colour = colourOf(estate, land.isMine(estate));
  const base = context.getTransform();
  const [left, top] = pointOf(frame, extent.x0, extent.z0);
  context.translate(left, top);
  context.scale(1 / frame.scale, 1 / frame.scale);
  context.globalAlpha = 0.42;
  context.fillStyle = colour;
  context.fill(fill);
  const pattern = patternOf(context, land.mark(estate));
  if (pattern) {
    // Its points are points of the screen, however the land is scaled.
    pattern.setTransform(new DOMMatrix().scale(frame.scale));
    context.globalAlpha = 0.75;
    context.fillStyle = pattern;
    context.fill(fill);
  }
  context.globalAlpha = 1;
  context.lineCap = "square";
  context.strokeStyle = chosen ? "#ffffff" : "rgb(10 16 20 / 70%)";
  context.lineWidth = (chosen ? 6 : 4) * frame.scale;
  context.stroke(border);
  context.strokeStyle = colour;
  context.lineWidth = 2 * frame.scale;
  context.stroke(border);
  context.setTransform(base);
}

/**
 * @param {CanvasRenderingContext2D} context
 * @param {import("./chart.js").Frame} frame
 * @param {Estate} estate
 * @param {LandData} land
 * @param {((minor: number) => string) | undefined} money
 */
function drawName(context, frame, estate, land, money) {
  const { x, z, x0, x1 } = shapeOf(estate).extent;
  const wide = (x1 - x0) / frame.scale;
  if (wide < NAMED_PX) return;
  const [left, top] = pointOf(frame, x, z);
  write(context, estate.name || `Estate ${estate.estate}`, left, top + 4);
  const words = offerWords(estate, land, money);
  if (words && wide >= PRICED_PX) write(context, words, left, top + 20, { size: 12, colour: "#ffe6b8" });
}

/** @param {Estate} estate @param {LandData} land @param {((minor: number) => string) | undefined} money @returns {string} */
export function offerWords(estate, land, money) {
  const [offer, rent] = [land.offers.get(estate.estate), land.lets.get(estate.estate)];
  if (offer && money) return offer.kind === "auction" ? `auction, ${money(offer.asked)}` : `for sale, ${money(offer.price)}`;
  if (land.mark(estate) === "leased") return "leased";
  return rent && money ? `to let, ${money(rent.rent)}` : "";
}

/**
 * @param {CanvasRenderingContext2D} context
 * @param {import("./chart.js").Frame} frame
 * @param {LandData} land
 * @param {((minor: number) => string) | undefined} money
 */
function drawZones(context, frame, land, money) {
  if (frame.scale > COARSEST) return;
  context.lineWidth = 1.5;
  context.strokeStyle = "rgb(255 255 255 / 75%)";
  context.setLineDash([7, 6]);
  const side = REGION_M / frame.scale;
  for (const { rx, rz, price } of land.zones()) {
    const [left, top] = pointOf(frame, rx * REGION_M, rz * REGION_M);
    if (left > frame.width || top > frame.height || left + side < 0 || top + side < 0) continue;
    context.beginPath();
    // Between open regions there is no line.
    for (const [dx, dz, x, z, x2, z2] of [[0, -1, 0, 0, 1, 0], [0, 1, 0, 1, 1, 1], [-1, 0, 0, 0, 0, 1], [1, 0, 1, 0, 1, 1]]) {
      if (land.price(rx + dx, rz + dz) !== undefined) continue;
      context.moveTo(left + x * side, top + z * side);
      context.lineTo(left + x2 * side, top + z2 * side);
    }
    context.stroke();
    if (money && side > 150 && isLabelled(land, rx, rz, price)) {
      context.setLineDash([]);
      write(context, price ? `to claim, ${money(price)} a parcel` : "to claim for nothing", left + side / 2, top + side - 12, { size: 12, colour: "#e8efe4" });
      context.lineWidth = 1.5;
      context.strokeStyle = "rgb(255 255 255 / 75%)";
      context.setLineDash([7, 6]);
    }
  }
  context.setLineDash([]);
}

/** Every second region each way says it for those that follow. @param {LandData} land @param {number} rx @param {number} rz @param {number} price */
function isLabelled(land, rx, rz, price) {
  return (rx % 2 === 0 || land.price(rx - 1, rz) !== price) && (rz % 2 === 0 || land.price(rx, rz - 1) !== price);
}

/** @param {import("./chart.js").Frame} frame @param {{ x0: number, z0: number, x1: number, z1: number }} extent */
function inView(frame, { x0, z0, x1, z1 }) {
  const [left, top] = pointOf(frame, x0, z0);
  const [right, bottom] = pointOf(frame, x1, z1);
  return right > 0 && bottom > 0 && left < frame.width && top < frame.height;
}

/** @param {CanvasRenderingContext2D} context @param {import("../land/data.js").Mark} mark @returns {CanvasPattern | null} */
function patternOf(context, mark) {
  if (!mark) return null;
  if (patterns.has(mark)) return patterns.get(mark) ?? null;
  const canvas = document.createElement("canvas");
  canvas.width = canvas.height = 12;
  drawMark(/** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d")), mark);
  const pattern = context.createPattern(canvas, "repeat");
  patterns.set(mark, pattern);
  return pattern;
}

/** Of 12 x 12 points that repeat. @param {CanvasRenderingContext2D} context @param {import("../land/data.js").Mark} mark */
export function drawMark(context, mark) {
  context.strokeStyle = context.fillStyle = "#fff";
  context.lineWidth = 1.3;
  context.beginPath();
  if (mark === "sale" || mark === "auction") {
    for (const by of [-6, 6, 18]) {
      context.moveTo(by - 8, 14);
      context.lineTo(by + 8, -2);
      if (mark === "sale") continue;
      context.moveTo(by - 8, -2);
      context.lineTo(by + 8, 14);
    }
    context.stroke();
  } else if (mark === "let") {
    context.arc(6, 6, 3, 0, 2 * Math.PI);
    context.stroke();
  } else {
    for (const [x, y] of [[3, 3], [9, 9]]) context.rect(x - 1, y - 1, 2, 2);
    context.fill();
  }
}
