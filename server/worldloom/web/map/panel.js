/** The map: all that was seen of the world, with people, land and a card for each place. */
import { fill, h, icon } from "../app/dom.js";
import { landOf } from "../land/data.js";
import { money } from "../ui/money.js";
import { atlasOf } from "./atlas.js";
import { placeCard } from "./card.js";
import { drawLand, drawPeople, drawScale, drawYou, metresOf, namePeople, pointOf } from "./chart.js";
import { drawEstates, nameEstates, wantInView } from "./estates.js";
import { found } from "./search.js";
import { handle } from "./handling.js";
import { legend } from "./legend.js";

/** Metres of a point. */
const FINEST = 0.25;
const COARSEST = 32;
const FIRST = 1;
/** Nearer than this, people have names. */
const NAMED = 3;
const ZOOM = 1.5;
const TYPING_MS = 350;
/** People move. */
const PEOPLE_MS = 250;
const PLUS = "M12 5v14M5 12h14";
const MINUS = "M5 12h14";
const HERE = "M12 3v3M12 18v3M3 12h3M18 12h3M12 17a5 5 0 1 0 0-10 5 5 0 0 0 0 10z";

export class MapPanel {
  #app;
  #atlas;
  #land;
  #canvas = h("canvas", { class: "map-canvas", tabIndex: 0, role: "application",
    "aria-label": "Map. Arrow keys move it, plus and minus zoom, Enter tells about the place in the middle, H goes to where you are." });
  #card = h("div", { class: "map-card-place" });
  #results = h("ul", { class: "map-results", "aria-label": "Found", hidden: true });
  #said = h("p", { class: "visually-hidden", role: "status" });
  #frame;
  #pin = /** @type {{ x: number, z: number } | null} */ (null);
  #due = 0;

  /** @param {import("../app/app.js").App} app @param {{ x: number, z: number } | null} about what it is to show */
  constructor(app, about) {
    this.#app = app;
    this.#atlas = atlasOf(app);
    this.#land = landOf(app);
    const { x, z } = about ?? app.body?.pose ?? app.world.me;
    this.#frame = { x, z, scale: FIRST, width: 0, height: 0 };
    this.#pin = about ? { x, z } : null;
  }

  /** @param {HTMLElement} root @returns {import("../app/panels.js").Opened} */
  open(root) {
    fill(root, h("div", { class: "map" }, this.#canvas, h("span", { class: "map-cross", "aria-hidden": "true" }), this.#tools(), this.#card, this.#said));
    const unhandle = handle(this.#canvas, {
      pan: (dx, dy) => this.#move(dx * this.#frame.scale, dy * this.#frame.scale),
      zoom: (by, left, top) => this.#zoom(by, left, top),
      point: (left, top) => this.#show(...metresOf(this.#frame, left, top)),
      middle: () => this.#show(this.#frame.x, this.#frame.z, true),
      home: () => this.#home(),
    });
    const resized = new ResizeObserver(() => this.draw());
    resized.observe(this.#canvas);
    const offs = [this.#atlas.on("changed", () => this.draw()), this.#land.on("changed", () => this.draw()), this.#land.on("stale", () => this.draw()),
      this.#app.settings.on("changed", () => this.draw())];
    const timer = setInterval(() => document.hidden || this.draw(), PEOPLE_MS);
    if (this.#pin) this.#show(this.#pin.x, this.#pin.z);
    return { close: () => {
      unhandle();
      resized.disconnect();
      clearInterval(timer);
      cancelAnimationFrame(this.#due);
      for (const off of offs) off();
    } };
  }

  /** Soon. */
  draw() {
    this.#due ||= requestAnimationFrame(() => {
      this.#due = 0;
      this.#draw();
    });
  }

  #draw() {
    const { clientWidth: width, clientHeight: height } = this.#canvas;
    if (!width || !height) return;
    const ratio = Math.min(devicePixelRatio, 2);
    if (this.#canvas.width !== Math.round(width * ratio) || this.#canvas.height !== Math.round(height * ratio)) {
      this.#canvas.width = Math.round(width * ratio);
      this.#canvas.height = Math.round(height * ratio);
    }
    Object.assign(this.#frame, { width, height });
    const frame = this.#frame;
    const { settings, people, body, world } = this.#app;
    const context = /** @type {CanvasRenderingContext2D} */ (this.#canvas.getContext("2d"));
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    drawLand(context, frame, this.#atlas);
    const layered = settings.get("landOnMap");
    const crowd = people?.list() ?? [];
    const close = frame.scale < NAMED;
    if (layered) {
      wantInView(frame, this.#land);
      drawEstates(context, frame, this.#land, { money });
    }
    drawPeople(context, frame, crowd, close ? 5 : 3.5);
    drawYou(context, frame, body?.pose ?? world.me);
    if (this.#pin) drawPin(context, pointOf(frame, this.#pin.x, this.#pin.z));
    if (layered) nameEstates(context, frame, this.#land, money);
    if (close) namePeople(context, frame, crowd);
    drawScale(context, frame);
  }

  #tools() {
    const search = h("input", { type: "search", placeholder: "Somebody, an estate, or x, z", "aria-label": "Find on the map",
      autocomplete: "off", spellcheck: false, maxLength: 64 });
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    let typing;
    search.addEventListener("input", () => {
      clearTimeout(typing);
      typing = setTimeout(() => this.#find(search.value), TYPING_MS);
    });
    const form = h("form", { class: "map-search", role: "search", on: { submit: async (/** @type {Event} */ event) => {
      event.preventDefault();
      clearTimeout(typing);
      const first = (await this.#find(search.value))[0];
      if (first) this.#goTo(first);
    } } }, search, this.#results);
    const tool = (/** @type {string} */ label, /** @type {string} */ path, /** @type {() => void} */ click) => h(
      "button", { type: "button", "aria-label": label, title: label, on: { click } }, icon(path));
    return [form, h("div", { class: "map-tools" }, tool("Closer", PLUS, () => this.#zoom(1 / ZOOM)), tool("Further away", MINUS, () => this.#zoom(ZOOM)),
      tool("To where you are", HERE, () => this.#home())), legend(this.#app)];
  }

  /** @param {string} wanted @returns {Promise<import("./search.js").Found[]>} */
  async #find(wanted) {
    if (!wanted.trim()) {
      this.#results.hidden = true;
      return [];
    }
    const all = await found(this.#app, this.#land, wanted.trim());
    this.#results.hidden = false;
    fill(this.#results, all.length ? all.map((one) => h("li", {}, h("button", { type: "button", on: { click: () => this.#goTo(one) } },
      h("span", {}, one.title), h("small", {}, one.about)))) : h("li", { class: "soft" }, "Nothing of that name is known here."));
    fill(this.#said, `Found: ${all.length}`);
    return all;
  }

  /** @param {import("./search.js").Found} at */
  #goTo({ x, z, who }) {
    this.#results.hidden = true;
    Object.assign(this.#frame, { x, z, scale: Math.min(this.#frame.scale, FIRST) });
    this.#show(x, z, true, who);
  }

  /** @param {number} dx metres @param {number} dz */
  #move(dx, dz) {
    this.#frame.x += dx;
    this.#frame.z += dz;
    this.draw();
  }

  /** @param {number} by @param {number} [left] points, of what stays where it is @param {number} [top] */
  #zoom(by, left = this.#frame.width / 2, top = this.#frame.height / 2) {
    const [x, z] = metresOf(this.#frame, left, top);
    this.#frame.scale = Math.min(COARSEST, Math.max(FINEST, this.#frame.scale * by));
    const [nowX, nowZ] = metresOf(this.#frame, left, top);
    this.#move(x - nowX, z - nowZ);
  }

  #home() {
    const { x, z } = this.#app.body?.pose ?? this.#app.world.me;
    Object.assign(this.#frame, { x, z });
    this.draw();
  }

  /**
   * @param {number} x
   * @param {number} z
   * @param {boolean} [focused] whether the card takes the keyboard
   * @param {import("./search.js").Who} [who] is about there
   */
  #show(x, z, focused = false, who = undefined) {
    this.#pin = { x, z };
    const close = () => {
      this.#pin = null;
      fill(this.#card);
      this.#canvas.focus({ preventScroll: true });
      this.draw();
    };
    const card = placeCard(this.#app, this.#land, { x, z, who }, close);
    fill(this.#card, card);
    if (focused) /** @type {HTMLElement | null} */ (card.querySelector("h3"))?.focus({ preventScroll: true });
    this.draw();
  }
}

/** @param {CanvasRenderingContext2D} context @param {number[]} at points */
function drawPin(context, [x, y]) {
  context.beginPath();
  context.arc(x, y, 8, 0, 2 * Math.PI);
  context.lineWidth = 5;
  context.strokeStyle = "rgb(10 16 20 / 80%)";
  context.stroke();
  context.lineWidth = 2.5;
  context.strokeStyle = "#fff";
  context.stroke();
}
