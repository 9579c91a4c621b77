/** The known world in pictures: what is around, and what was seen here before. */
import { Emitter } from "worldloom/emitter.js";
import { RegionState } from "worldloom/units.js";
import { Keep } from "./keep.js";
import { painted, reachOver } from "./paint.js";

/** Points of a thumb; a block holds so many regions each way. */
const THUMB = 32;
export const BLOCK = 16;
const BLOCK_PX = THUMB * BLOCK;
/** Points of a picture that is kept. */
const KEPT = 128;
const MOST_PICTURES = 200;
const MOST_BLOCKS = 160;
/** Thumbs are put into their blocks so many at a time: nothing else waits for long. */
const AT_ONCE = 150;
const MOST_COMING = 6;
/** A region is painted when nothing else is to be done, and one at a time. */
const PAINT_MS = 60;

/** Of the eight regions around one. */
const AROUND = [[-1, -1], [0, -1], [1, -1], [-1, 0], [1, 0], [-1, 1], [0, 1], [1, 1]];

/** @type {WeakMap<import("../app/app.js").App, Atlas>} */
const atlases = new WeakMap();

/** @param {import("../app/app.js").App} app @returns {Atlas} the one of this page */
export function atlasOf(app) {
  let atlas = atlases.get(app);
  if (!atlas) atlases.set(app, (atlas = new Atlas(app)));
  return atlas;
}

/** Event: `changed` {}: there is more to see. */
export class Atlas extends Emitter {
  /** Counts up with each change. */
  version = 0;
  #app;
  #keep;
  #pictures = /** @type {Map<string, CanvasImageSource>} */ (new Map());
  #blocks = /** @type {Map<string, HTMLCanvasElement>} */ (new Map());
  /** Regions of which a picture is kept. */
  #kept = /** @type {Set<string>} */ (new Set());
  #coming = /** @type {Set<string>} */ (new Set());
  #unpainted = /** @type {Map<string, import("worldloom/tiles.js").Tile>} */ (new Map());
  /** Of pictures that were painted here: the regions whose trees reach into it. @type {WeakMap<CanvasImageSource, Set<string>>} */
  #reaching = new WeakMap();
  /** Pictures that were painted over since they were stored: when nothing else is to be painted, they are again. */
  #late = /** @type {Map<string, { rx: number, rz: number }>} */ (new Map());
  #painting = false;

  /** @param {import("../app/app.js").App} app */
  constructor(app) {
    super();
    this.#app = app;
    this.#keep = new Keep(app.world.welcome?.world_id ?? "");
    const come = (/** @type {any} */ { rx, rz, tile }) => this.#came(rx, rz, tile);
    app.tiles.on("come", come);
    app.tiles.on("changed", come);
    for (const tile of app.tiles.all()) come({ rx: tile.rx, rz: tile.rz, tile });
    void this.#open();
  }

  async #open() {
    for (const [i, { rx, rz, thumb }] of (await this.#keep.thumbs()).entries()) {
      this.#kept.add(`${rx},${rz}`);
      if (!this.#pictures.has(`${rx},${rz}`)) this.#patch(rx, rz, new ImageData(new Uint8ClampedArray(thumb), THUMB));
      if (i % AT_ONCE === AT_ONCE - 1) await new Promise((resolve) => { setTimeout(resolve); });
    }
    this.#news();
  }

  /** Somebody wants to see land that may lie far from here: it comes if the server has told of it. @param {number} rx @param {number} rz */
  want(rx, rz) {
    const key = `${rx},${rz}`;
    if (this.#pictures.has(key) || this.#kept.has(key) || this.#coming.has(key) || this.#coming.size >= MOST_COMING) return;
    if (this.#app.world.land.regions.get(key)?.state !== RegionState.WOVEN) return;
    this.#coming.add(key);
    this.#app.world.tile(rx, rz).then((tile) => tile && this.#came(rx, rz, tile), () => {}).finally(() => this.#coming.delete(key));
  }

  /** @param {number} rx @param {number} rz @returns {CanvasImageSource | undefined} it may come later: `changed` */
  picture(rx, rz) {
    const key = `${rx},${rz}`;
    const picture = this.#pictures.get(key);
    if (picture) this.#hold(key, picture);
    else if (this.#kept.has(key)) void this.#recall(rx, rz);
    return picture;
  }

  /** Many regions in little. @param {number} bx @param {number} bz in blocks @returns {HTMLCanvasElement | undefined} */
  block(bx, bz) {
    return this.#blocks.get(`${bx},${bz}`);
  }

  /** @param {number} rx @param {number} rz @param {import("worldloom/tiles.js").Tile} tile */
  #came(rx, rz, tile) {
    this.#unpainted.set(`${rx},${rz}`, tile);
    if (this.#painting) return;
    this.#painting = true;
    setTimeout(() => this.#paint(), PAINT_MS);
  }

  #paint() {
    const { x, z } = this.#app.world.me;
    const away = (/** @type {any} */ [, tile]) => Math.hypot((tile.rx + 0.5) * 256 - x, (tile.rz + 0.5) * 256 - z);
    const next = [...this.#unpainted].sort((one, other) => away(one) - away(other))[0];
    const late = next ? undefined : this.#late.keys().next().value;
    this.#painting = next !== undefined || late !== undefined;
    if (next) this.#paintOne(...next);
    else if (late !== undefined) this.#storeLate(late);
    if (this.#painting) setTimeout(() => this.#paint(), PAINT_MS);
  }

  /** @param {string} key @param {import("worldloom/tiles.js").Tile} tile */
  #paintOne(key, tile) {
    this.#unpainted.delete(key);
    const { rx, rz } = tile;
    const beside = AROUND.map(([dx, dz]) => ({ rx: rx + dx, rz: rz + dz }));
    const around = beside.flatMap((at) => this.#app.tiles.tile(at.rx, at.rz) ?? []);
    const picture = painted(tile, around);
    this.#reaching.set(picture, new Set(around.map((one) => `${one.rx},${one.rz}`)));
    this.#hold(key, picture);
    void this.#store(rx, rz, picture);
    // Those that were painted before this one was known lack what reaches over from it.
    for (const at of beside) {
      const theirs = /** @type {HTMLCanvasElement} */ (this.#pictures.get(`${at.rx},${at.rz}`));
      const reaching = this.#reaching.get(theirs);
      if (!reaching || reaching.has(key)) continue;
      reaching.add(key);
      reachOver(/** @type {CanvasRenderingContext2D} */ (theirs.getContext("2d")), at, tile);
      this.#late.set(`${at.rx},${at.rz}`, at);
    }
    this.#news();
  }

  /** @param {string} key */
  #storeLate(key) {
    const { rx, rz } = /** @type {{ rx: number, rz: number }} */ (this.#late.get(key));
    const picture = /** @type {HTMLCanvasElement} */ (this.#pictures.get(key));
    this.#late.delete(key);
    if (this.#reaching.has(picture)) void this.#store(rx, rz, picture);
  }

  /** @param {number} rx @param {number} rz @param {HTMLCanvasElement} picture */
  async #store(rx, rz, picture) {
    const thumb = scaled(picture, THUMB).getImageData(0, 0, THUMB, THUMB);
    this.#patch(rx, rz, thumb);
    const blob = await new Promise((resolve) => { scaled(picture, KEPT).canvas.toBlob(resolve, "image/webp", 0.85); });
    if (!blob) return;
    this.#kept.add(`${rx},${rz}`);
    await this.#keep.put({ rx, rz, thumb: new Uint8Array(thumb.data) }, blob);
  }

  /** @param {number} rx @param {number} rz */
  async #recall(rx, rz) {
    const key = `${rx},${rz}`;
    if (this.#coming.has(key) || this.#coming.size >= MOST_COMING) return;
    this.#coming.add(key);
    try {
      const blob = await this.#keep.picture(rx, rz);
      if (blob && !this.#pictures.has(key)) this.#hold(key, await createImageBitmap(blob));
      if (!blob) this.#kept.delete(key);
    } catch {
      this.#kept.delete(key);
    } finally {
      this.#coming.delete(key);
    }
    this.#news();
  }

  /** @param {string} key @param {CanvasImageSource} picture */
  #hold(key, picture) {
    this.#pictures.delete(key);
    this.#pictures.set(key, picture);
    if (this.#pictures.size > MOST_PICTURES) this.#pictures.delete(/** @type {string} */ (this.#pictures.keys().next().value));
  }

  /** @param {number} rx @param {number} rz @param {ImageData} thumb */
  #patch(rx, rz, thumb) {
    const [bx, bz] = [Math.floor(rx / BLOCK), Math.floor(rz / BLOCK)];
    let block = this.#blocks.get(`${bx},${bz}`);
    if (!block) {
      block = document.createElement("canvas");
      block.width = block.height = BLOCK_PX;
      this.#blocks.set(`${bx},${bz}`, block);
      if (this.#blocks.size > MOST_BLOCKS) this.#blocks.delete(/** @type {string} */ (this.#blocks.keys().next().value));
    }
    block.getContext("2d")?.putImageData(thumb, (rx - bx * BLOCK) * THUMB, (rz - bz * BLOCK) * THUMB);
  }

  #news() {
    this.version++;
    this.emit("changed", {});
  }
}

/** @param {HTMLCanvasElement} picture @param {number} side @returns {CanvasRenderingContext2D} */
function scaled(picture, side) {
  const canvas = document.createElement("canvas");
  canvas.width = canvas.height = side;
  const context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d", { willReadFrequently: true }));
  context.imageSmoothingQuality = "high";
  context.drawImage(picture, 0, 0, side, side);
  return context;
}
