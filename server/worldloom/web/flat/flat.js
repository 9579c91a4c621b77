/** The world without WebGL 2: a map of the land around, with people; click it or press keys to walk. */
import { REGION_M } from "worldloom/tiles.js";
import { Folk } from "./folk.js";
import { painted } from "../map/paint.js";

/** Points of the screen for a metre. */
const SCALES = [1, 1.5, 2, 3, 4, 6];
const FRAME_MS = 50;
const NAMES_M = 60;
/** @type {Record<string, [number, number]>} */
const KEYS = {
  w: [0, -1], a: [-1, 0], s: [0, 1], d: [1, 0],
  ArrowUp: [0, -1], ArrowLeft: [-1, 0], ArrowDown: [0, 1], ArrowRight: [1, 0],
};
const WALK_M_PER_S = 4;
const HERE = "#ffc86b";
const OTHERS = "#ffffff";
const BOTS = "#9fd0ff";

/** @param {import("../app/app.js").App} app */
export function install(app) {
  const canvas = /** @type {HTMLCanvasElement} */ (document.getElementById("stage"));
  const context = canvas.getContext("2d");
  app.people = new Folk(app.world);
  if (context) new FlatWorld(app, canvas, context);
  app.toasts.tell("This browser draws no WebGL 2, so you see the world as a map. You walk, talk and trade as everybody does.",
    { seconds: 12 });
}

class FlatWorld {
  #app;
  #canvas;
  #context;
  #scale = SCALES[3];
  #painted = /** @type {WeakMap<object, HTMLCanvasElement>} */ (new WeakMap());
  #down = /** @type {Set<string>} */ (new Set());
  #before = performance.now();
  #yaw = 0;
  /** What is drawn now, in a word; "" if that is not known. */
  #drawn = "";

  /** @param {import("../app/app.js").App} app @param {HTMLCanvasElement} canvas @param {CanvasRenderingContext2D} context */
  constructor(app, canvas, context) {
    this.#app = app;
    this.#canvas = canvas;
    this.#context = context;
    const { world } = app;
    app.place = { link: () => `${location.origin}/@${world.me.x.toFixed(1)},${world.me.z.toFixed(1)}` };
    app.view = { mode: "third", get yaw() { return world.me.yaw; }, set yaw(_) {}, pitch: 0 };
    canvas.tabIndex = 0;
    canvas.setAttribute("role", "application");
    canvas.setAttribute("aria-label", "Map of the world around you. Arrow keys walk, plus and minus change the scale, Enter opens the chat.");
    canvas.addEventListener("click", (event) => this.#click(event));
    canvas.addEventListener("wheel", (event) => this.#zoom(event.deltaY < 0 ? 1 : -1), { passive: true });
    addEventListener("keydown", (event) => this.#key(event));
    addEventListener("keyup", (event) => this.#down.delete(keyOf(event)));
    addEventListener("blur", () => this.#down.clear());
    for (const kind of ["come", "changed", "go"]) app.tiles?.on(kind, () => { this.#drawn = ""; });
    setInterval(() => this.#frame(), FRAME_MS);
  }

  /** @param {MouseEvent} event */
  #click({ offsetX, offsetY }) {
    const { x, z } = this.#app.world.me;
    const to = [x + (offsetX - this.#canvas.clientWidth / 2) / this.#scale, z + (offsetY - this.#canvas.clientHeight / 2) / this.#scale];
    // Another click, or a key, is no failure of the walk before.
    this.#app.world.walkTo(to[0], to[1]).catch(() => {});
  }

  /** @param {number} by steps */
  #zoom(by) {
    this.#scale = SCALES[Math.min(Math.max(SCALES.indexOf(this.#scale) + by, 0), SCALES.length - 1)];
  }

  /** @param {KeyboardEvent} event */
  #key(event) {
    const target = /** @type {HTMLElement} */ (event.target);
    if (event.ctrlKey || event.metaKey || event.altKey || target.closest("input, select, textarea, dialog")) return;
    if (event.key === "Enter" && (target === this.#canvas || target === document.body)) {
      event.preventDefault();
      this.#app.chat?.focus();
    } else if (KEYS[keyOf(event)] && !target.closest("section, nav")) {
      event.preventDefault();
      this.#down.add(keyOf(event));
    } else if (event.key === "+" || event.key === "-") {
      this.#zoom(event.key === "+" ? 1 : -1);
    } else if (!target.closest("button, a, summary, section")) {
      this.#app.panels.pressed(event.key);
    }
  }

  #frame() {
    const now = performance.now();
    const seconds = Math.min((now - this.#before) / 1000, 0.2);
    this.#before = now;
    const { world } = this.#app;
    if (world.closed) return;
    const [dx, dz] = [...this.#down].reduce(([x, z], key) => [x + KEYS[key][0], z + KEYS[key][1]], [0, 0]);
    if ((dx || dz) && world.connected) {
      const far = (WALK_M_PER_S * seconds) / Math.hypot(dx, dz);
      const { x, z } = world.me;
      this.#yaw = Math.atan2(dx, dz);
      world.move({ x: x + dx * far, z: z + dz * far, yaw: this.#yaw, gesture: 1 });
    }
    if (!document.hidden) this.#draw();
  }

  #draw() {
    const { world, tiles, people } = this.#app;
    const context = this.#context;
    const ratio = Math.min(devicePixelRatio, 2);
    const [width, height] = [this.#canvas.clientWidth, this.#canvas.clientHeight];
    if (this.#canvas.width !== Math.round(width * ratio) || this.#canvas.height !== Math.round(height * ratio)) {
      this.#canvas.width = Math.round(width * ratio);
      this.#canvas.height = Math.round(height * ratio);
    }
    const me = world.me;
    const around = people.list().map(({ x, z, kind, name, distance }) => ({ x, z, kind, name: distance < NAMES_M ? name : "" }));
    const drawn = JSON.stringify([width, height, ratio, this.#scale, me.x, me.z, me.yaw, around]);
    // A machine that draws by software has better things to do than the same picture again.
    if (drawn === this.#drawn) return;
    this.#drawn = drawn;
    const at = (/** @type {number} */ x, /** @type {number} */ z) => [
      width / 2 + (x - me.x) * this.#scale, height / 2 + (z - me.z) * this.#scale];
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    context.fillStyle = "#9fb8c6";
    context.fillRect(0, 0, width, height);
    const side = REGION_M * this.#scale;
    for (const tile of tiles?.all() ?? []) {
      const [left, top] = at(tile.rx * REGION_M, tile.rz * REGION_M);
      if (left > width || top > height || left + side < 0 || top + side < 0) continue;
      context.drawImage(this.#picture(tile), left, top, side + 0.5, side + 0.5);
    }
    for (const { x, z, kind, name } of around) this.#person(at(x, z), kind === "bot" ? BOTS : OTHERS, name);
    this.#person([width / 2, height / 2], HERE, "", me.yaw);
  }

  /** @param {import("worldloom/tiles.js").Tile} tile */
  #picture(tile) {
    let picture = this.#painted.get(tile);
    if (!picture) this.#painted.set(tile, (picture = painted(tile)));
    return picture;
  }

  /** @param {number[]} at @param {string} colour @param {string} name @param {number} [yaw] */
  #person([x, y], colour, name, yaw) {
    const context = this.#context;
    context.fillStyle = colour;
    context.strokeStyle = "#10171a";
    context.lineWidth = 1.5;
    context.beginPath();
    context.arc(x, y, 5, 0, 2 * Math.PI);
    context.fill();
    context.stroke();
    if (yaw !== undefined) {
      context.beginPath();
      context.moveTo(x + 6 * Math.sin(yaw), y + 6 * Math.cos(yaw));
      context.lineTo(x + 13 * Math.sin(yaw), y + 13 * Math.cos(yaw));
      context.lineWidth = 3;
      context.stroke();
    }
    if (!name) return;
    context.font = "600 13px system-ui, sans-serif";
    context.textAlign = "center";
    context.lineWidth = 3;
    context.strokeText(name, x, y - 9);
    context.fillText(name, x, y - 9);
  }
}

/** @param {KeyboardEvent} event @returns {string} as in KEYS */
function keyOf({ key }) {
  return key.length === 1 ? key.toLowerCase() : key;
}
