/** The land layer in the world: borders on the ground, and signs over what is for sale. One draw call. */
import { BufferAttribute, BufferGeometry, DoubleSide, Mesh, MeshBasicMaterial, Vector3 } from "three";
import { REGION_M } from "worldloom/tiles.js";
import { h } from "../app/dom.js";
import { offerWords } from "../map/estates.js";
import { airOf } from "../scene/air.js";
import { money } from "../ui/money.js";
import { landOf, regionAt } from "./data.js";
import { extentOf, parcelAt } from "./parcels.js";
import { FAR_M, bandsOf } from "./ribbons.js";

const LOOK_MS = 400;
const MOVED_M = 12;
const SIGNS = 6;
const SIGN_M = 140;
const SIGN_HIGH_M = 4;
/** Of the estate where one stands, while the layer is off. */
const FAINT = 0.45;
/** Share of its strength and of its light that a border loses at night, when it would outshine all else. */
const NIGHTLY = 0.6;

/** @typedef {{ root: HTMLElement, name: HTMLElement, words: HTMLElement, at: Vector3 | null }} Sign */

export class LandLayer {
  name = "land";
  #app;
  #land;
  #mesh = new Mesh(new BufferGeometry(), new MeshBasicMaterial({
    vertexColors: true, transparent: true, depthWrite: false, side: DoubleSide, polygonOffset: true, polygonOffsetFactor: -2, polygonOffsetUnits: -2,
  }));
  #signs = /** @type {Sign[]} */ (Array.from({ length: SIGNS }, signMade));
  #looked = 0;
  #drawn = { x: NaN, z: NaN, key: "" };
  #tiles = 0;
  #seen = new Vector3();

  /** @param {import("../app/app.js").App} app */
  constructor(app) {
    this.#app = app;
    this.#land = landOf(app);
    this.#mesh.frustumCulled = false;
    this.#mesh.renderOrder = 2;
    this.#mesh.visible = false;
    app.drawn.scene.add(this.#mesh);
    app.ui.prepend(h("div", { class: "land-signs", "aria-hidden": "true" }, this.#signs.map(({ root }) => root)));
    for (const kind of ["come", "changed", "go"]) app.tiles.on(kind, () => { this.#tiles++; });
    app.drawn.add(this);
  }

  /** @param {import("../app/stage.js").Frame} frame */
  frame({ now, me }) {
    if (now - this.#looked > LOOK_MS) {
      this.#looked = now;
      this.#look(me);
    }
    for (const sign of this.#signs) if (sign.at) this.#place(sign, sign.at);
  }

  dispose() {
    this.#app.drawn.scene.remove(this.#mesh);
    this.#mesh.geometry.dispose();
    this.#mesh.material.dispose();
  }

  /** @param {{ x: number, z: number }} me */
  #look({ x, z }) {
    const land = this.#land;
    const left = 1 - NIGHTLY * airOf(this.#app).uniforms.night.value;
    this.#mesh.material.opacity = left;
    this.#mesh.material.color.setScalar(left);
    const on = this.#app.settings.get("landLayer");
    const { px, pz } = parcelAt(x, z);
    const here = land.owned(px, pz);
    if (on) this.#want(x, z);
    const key = [on, here?.estate, land.version, this.#tiles].join();
    if (key === this.#drawn.key && Math.hypot(x - this.#drawn.x, z - this.#drawn.z) < (on || here ? MOVED_M : Infinity)) return;
    this.#drawn = { x, z, key };
    const near = on ? [...land.estates.values()].filter((estate) => apart(estate, x, z) < FAR_M) : here ? [here] : [];
    this.#draw(near, x, z, on ? 1 : FAINT);
    this.#sign(on ? near : [], x, z);
    this.#app.drawn.stir();
  }

  /** @param {number} x @param {number} z */
  #want(x, z) {
    for (const dz of [-FAR_M, 0, FAR_M]) for (const dx of [-FAR_M, 0, FAR_M]) this.#land.want(...regionAt(x + dx, z + dz));
    this.#land.wantOffers(x, z);
  }

  /** @param {import("./data.js").Estate[]} estates @param {number} x @param {number} z @param {number} strength */
  #draw(estates, x, z, strength) {
    const [rx, rz] = regionAt(x, z);
    const [anchorX, anchorZ] = [rx * REGION_M, rz * REGION_M];
    const ground = (/** @type {number} */ atX, /** @type {number} */ atZ) => this.#app.tiles.ground(atX, atZ);
    const { places, colours, index } = bandsOf(estates, this.#land, { x, z, anchorX, anchorZ, ground, strength });
    const geometry = new BufferGeometry();
    geometry.setAttribute("position", new BufferAttribute(places, 3));
    geometry.setAttribute("color", new BufferAttribute(colours, 4));
    geometry.setIndex(new BufferAttribute(index, 1));
    this.#mesh.geometry.dispose();
    this.#mesh.geometry = geometry;
    this.#mesh.position.set(anchorX, 0, anchorZ);
    this.#mesh.visible = index.length > 0;
  }

  /** @param {import("./data.js").Estate[]} estates @param {number} x @param {number} z */
  #sign(estates, x, z) {
    const offered = estates.filter((estate) => offerWords(estate, this.#land, money) && this.#land.mark(estate) !== "leased");
    const nearest = offered.map((estate) => ({ estate, extent: extentOf(estate.runs) }))
      .filter(({ extent }) => Math.hypot(extent.x - x, extent.z - z) < SIGN_M)
      .sort((a, b) => Math.hypot(a.extent.x - x, a.extent.z - z) - Math.hypot(b.extent.x - x, b.extent.z - z));
    for (const [i, sign] of this.#signs.entries()) {
      const found = nearest[i];
      const ground = found && this.#app.tiles.ground(found.extent.x, found.extent.z);
      sign.at = ground === undefined ? null : new Vector3(found.extent.x, Math.max(ground, 0) + SIGN_HIGH_M, found.extent.z);
      sign.root.hidden = !sign.at;
      if (!sign.at) continue;
      sign.name.textContent = found.estate.name || `Estate ${found.estate.estate}`;
      sign.words.textContent = offerWords(found.estate, this.#land, money);
    }
  }

  /** @param {Sign} sign @param {Vector3} at */
  #place({ root }, at) {
    const { camera, renderer: { domElement: { clientWidth, clientHeight } } } = this.#app.drawn;
    const seen = this.#seen.copy(at).project(camera);
    const hidden = seen.z > 1 || Math.abs(seen.x) > 1.1 || Math.abs(seen.y) > 1.1;
    root.style.visibility = hidden ? "hidden" : "visible";
    root.style.transform = `translate(${((seen.x + 1) / 2) * clientWidth}px, ${((1 - seen.y) / 2) * clientHeight}px) translate(-50%, -100%)`;
  }
}

/** @returns {Sign} */
function signMade() {
  const [name, words] = [h("b", {}), h("span", {})];
  return { root: h("div", { class: "land-sign", hidden: true }, name, words), name, words, at: null };
}

/** @param {import("./data.js").Estate} estate @param {number} x @param {number} z @returns {number} metres from its rectangle, at most */
function apart(estate, x, z) {
  const { x0, z0, x1, z1 } = extentOf(estate.runs);
  return Math.hypot(Math.max(x0 - x, x - x1, 0), Math.max(z0 - z, z - z1, 0));
}
