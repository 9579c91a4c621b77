/** Pictures of land: the map of an estate's place, with its border. */
import { REGION_M } from "worldloom/tiles.js";
import { h } from "../app/dom.js";
import { atlasOf } from "../map/atlas.js";
import { drawLand, seen } from "../map/chart.js";
import { drawEstates } from "../map/estates.js";
import { landOf } from "./data.js";
import { extentOf } from "./parcels.js";

/** How much more than the estate is in the picture. */
const AROUND = 1.5;
const LEAST_M = 96;
const REDRAW_MS = 300;

/**
 * @param {import("../app/app.js").App} app
 * @param {import("./data.js").Estate} estate with all its runs
 * @param {import("./data.js").Mark} mark of it as it is now: what is offered around is asked for but now and then
 * @param {{ width?: number, height?: number }} [size] points
 * @returns {HTMLElement} it goes on as more of the land is seen, while it is in the page
 */
export function landPicture(app, estate, mark, { width = 360, height = 170 } = {}) {
  const canvas = h("canvas", { class: "land-picture", width: 2 * width, height: 2 * height, role: "img",
    "aria-label": `The land of ${estate.name || `estate ${estate.estate}`} from above` });
  const atlas = atlasOf(app);
  const land = landOf(app);
  const { x0, z0, x1, z1 } = extentOf(estate.runs);
  const scale = Math.max((AROUND * (x1 - x0)) / width, (AROUND * (z1 - z0)) / height, LEAST_M / width);
  const frame = { x: (x0 + x1) / 2, z: (z0 + z1) / 2, scale, width, height };
  const regions = seen(frame, REGION_M);
  const draw = () => {
    for (let rz = regions.z0; rz <= regions.z1; rz++) for (let rx = regions.x0; rx <= regions.x1; rx++) atlas.want(rx, rz);
    const context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
    context.setTransform(2, 0, 0, 2, 0, 0);
    drawLand(context, frame, atlas);
    drawEstates(context, frame, only(land, estate, mark), { chosen: estate.estate });
  };
  let due = 0;
  const soon = () => {
    due ||= window.setTimeout(() => {
      due = 0;
      if (canvas.isConnected) draw();
      else for (const off of offs) off();
    }, REDRAW_MS);
  };
  const offs = [atlas.on("changed", soon), land.on("changed", soon)];
  draw();
  return canvas;
}

/**
 * Others only as far as they are known; this one as it is.
 *
 * @param {import("./data.js").LandData} land
 * @param {import("./data.js").Estate} estate
 * @param {import("./data.js").Mark} mark
 */
function only(land, estate, mark) {
  const estates = new Map([...land.estates, [estate.estate, estate]]);
  return /** @type {import("./data.js").LandData} */ (/** @type {unknown} */ ({
    estates, offers: land.offers, lets: land.lets, zones: () => [], price: () => undefined,
    isMine: (/** @type {any} */ one) => land.isMine(one), mark: (/** @type {any} */ one) => (one === estate ? mark : land.mark(one)),
  }));
}
