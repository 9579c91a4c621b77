/** A region's parcels to choose from: by pointer, one or a rectangle, and by keys. */
import { h } from "../app/dom.js";
import { atlasOf } from "../map/atlas.js";
import { colourOf } from "./colours.js";
import { landOf } from "./data.js";
import { PARCELS } from "./parcels.js";

/** @type {Record<string, [number, number]>} */
const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
const PICTURE = 512;

/**
 * @param {import("../app/app.js").App} app
 * @param {{ region: [number, number], chosen: Set<string>, may: (px: number, pz: number) => boolean, changed: () => void }} how
 *   `chosen`: "px,pz" of parcels, kept up to date. `may`: whether one can be chosen
 * @returns {HTMLElement}
 */
export function parcelGrid(app, { region: [rx, rz], chosen, may, changed }) {
  const land = landOf(app);
  const cells = /** @type {HTMLButtonElement[]} */ ([]);
  const [px0, pz0] = [rx * PARCELS, rz * PARCELS];
  let from = /** @type {{ x: number, z: number, on: boolean } | null} */ (null);
  const draw = (/** @type {HTMLButtonElement} */ cell) => cell.setAttribute("aria-selected", String(chosen.has(cell.dataset.parcel ?? "")));
  const set = (/** @type {number} */ x, /** @type {number} */ z, /** @type {boolean} */ on) => {
    if (!may(px0 + x, pz0 + z)) return;
    const key = `${px0 + x},${pz0 + z}`;
    if (on) chosen.add(key);
    else chosen.delete(key);
    draw(cells[z * PARCELS + x]);
  };
  const rectangle = (/** @type {{ x: number, z: number, on: boolean }} */ a, /** @type {number} */ x, /** @type {number} */ z) => {
    for (let iz = Math.min(a.z, z); iz <= Math.max(a.z, z); iz++) for (let ix = Math.min(a.x, x); ix <= Math.max(a.x, x); ix++) set(ix, iz, a.on);
    changed();
  };
  const focus = (/** @type {number} */ x, /** @type {number} */ z) => {
    for (const cell of cells) cell.tabIndex = -1;
    const cell = cells[z * PARCELS + x];
    cell.tabIndex = 0;
    cell.focus({ preventScroll: true });
  };
  const placeOf = (/** @type {EventTarget | null} */ target) => {
    const at = cells.indexOf(/** @type {HTMLButtonElement} */ (target));
    return at < 0 ? null : { x: at % PARCELS, z: Math.floor(at / PARCELS) };
  };
  for (let z = 0; z < PARCELS; z++) for (let x = 0; x < PARCELS; x++) cells.push(cellOf(land, px0 + x, pz0 + z, may));
  for (const cell of cells) draw(cell);
  cells[0].tabIndex = 0;
  const grid = h("div", { class: "parcels", role: "grid", "aria-label": `Parcels of region ${rx}, ${rz}`, "aria-multiselectable": "true", on: {
    pointerdown: (/** @type {PointerEvent} */ event) => {
      const at = placeOf(event.target);
      if (!at || event.button) return;
      /** @type {Element} */ (event.target).releasePointerCapture(event.pointerId);
      from = { ...at, on: !chosen.has(`${px0 + at.x},${pz0 + at.z}`) };
      rectangle(from, at.x, at.z);
    },
    pointermove: (/** @type {PointerEvent} */ event) => {
      const at = from && event.buttons && placeOf(document.elementFromPoint(event.clientX, event.clientY));
      if (from && at) rectangle(from, at.x, at.z);
    },
    pointerup: () => { from = null; },
    // Of readers, which press no pointer.
    click: (/** @type {MouseEvent} */ event) => {
      const at = event.detail === 0 ? placeOf(event.target) : null;
      if (!at) return;
      set(at.x, at.z, !chosen.has(`${px0 + at.x},${pz0 + at.z}`));
      changed();
    },
    keydown: (/** @type {KeyboardEvent} */ event) => {
      const at = placeOf(event.target);
      const arrow = ARROWS[event.key];
      if (at && arrow) {
        const x = Math.min(PARCELS - 1, Math.max(0, at.x + arrow[0]));
        const z = Math.min(PARCELS - 1, Math.max(0, at.z + arrow[1]));
        focus(x, z);
        if (event.shiftKey) rectangle({ ...at, on: true }, x, z);
      } else if (at && (event.key === " " || event.key === "Enter")) {
        set(at.x, at.z, !chosen.has(`${px0 + at.x},${pz0 + at.z}`));
        changed();
      } else return;
      event.preventDefault();
    },
  } }, Array.from({ length: PARCELS }, (_, z) => h("div", { role: "row", class: "parcel-row" }, cells.slice(z * PARCELS, (z + 1) * PARCELS))));
  return h("div", { class: "parcel-frame" }, pictureOf(app, rx, rz), grid);
}

/** @param {import("./data.js").LandData} land @param {number} px @param {number} pz @param {(px: number, pz: number) => boolean} may */
function cellOf(land, px, pz, may) {
  const owner = land.owned(px, pz);
  const whose = owner ? (land.isMine(owner) ? "yours" : `of ${owner.owner_name}`) : "free";
  const cell = h("button", { type: "button", class: "parcel", role: "gridcell", tabIndex: -1, title: owner ? owner.name || whose : null,
    "aria-label": `${px}, ${pz}: ${whose}`, "aria-disabled": may(px, pz) ? null : "true", data: { parcel: `${px},${pz}` } });
  if (owner) cell.style.background = `color-mix(in srgb, ${colourOf(owner, land.isMine(owner))} 60%, transparent)`;
  return cell;
}

/** @param {import("../app/app.js").App} app @param {number} rx @param {number} rz */
function pictureOf(app, rx, rz) {
  const canvas = h("canvas", { width: PICTURE, height: PICTURE, "aria-hidden": "true" });
  const picture = atlasOf(app).picture(rx, rz);
  if (picture) canvas.getContext("2d")?.drawImage(picture, 0, 0, PICTURE, PICTURE);
  return canvas;
}
