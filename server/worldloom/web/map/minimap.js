/** The minimap: a round piece of the map around you, north up. A click opens the map. */
import { h } from "../app/dom.js";
import { landOf } from "../land/data.js";
import { atlasOf } from "./atlas.js";
import { drawLand, drawPeople, drawYou, write } from "./chart.js";
import { drawEstates, wantInView } from "./estates.js";

/** Metres of a point. */
const SCALE = 1.1;
const FRAME_MS = 250;

export class Minimap {
  #app;
  #atlas;
  #land;
  #canvas = h("canvas", { "aria-hidden": "true" });
  #button;
  #shown = "";

  /** @param {import("../app/app.js").App} app */
  constructor(app) {
    this.#app = app;
    this.#atlas = atlasOf(app);
    this.#land = landOf(app);
    this.#button = h("button", { type: "button", class: "minimap", title: "Map (M)", "aria-label": "Open the map",
      on: { click: () => app.panels.open("map") } }, this.#canvas);
    app.ui.prepend(this.#button);
    app.settings.on("changed", ({ name }) => { if (name === "minimap") this.#show(); });
    this.#show();
    setInterval(() => this.#frame(), FRAME_MS);
  }

  #show() {
    this.#button.hidden = !this.#app.settings.get("minimap");
  }

  #frame() {
    const side = this.#button.clientWidth;
    if (document.hidden || !side || this.#app.panels.current === "map") return;
    const { people, body, world, settings } = this.#app;
    const { x, z, yaw } = body?.pose ?? world.me;
    const crowd = people?.list() ?? [];
    const layered = settings.get("landOnMap");
    const ratio = Math.min(devicePixelRatio, 2);
    const shown = [side, ratio, x.toFixed(1), z.toFixed(1), yaw.toFixed(1), this.#atlas.version, layered && this.#land.version,
      crowd.slice(0, 60).map((one) => `${one.x.toFixed(0)},${one.z.toFixed(0)}`).join()].join();
    if (shown === this.#shown) return;
    this.#shown = shown;
    const points = Math.round(side * ratio);
    if (this.#canvas.width !== points) this.#canvas.width = this.#canvas.height = points;
    const context = /** @type {CanvasRenderingContext2D} */ (this.#canvas.getContext("2d"));
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    const frame = { x, z, scale: SCALE * (180 / side), width: side, height: side };
    drawLand(context, frame, this.#atlas);
    if (layered) {
      wantInView(frame, this.#land);
      drawEstates(context, frame, this.#land);
    }
    drawPeople(context, frame, crowd, 3.5);
    drawYou(context, frame, { x, z, yaw });
    write(context, "N", side / 2, 15, { size: 12 });
  }
}
