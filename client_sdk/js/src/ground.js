/**
 * Tile and overlay of one region, as a client comes to know them. Pure: fetches nothing.
 *
 * What is told (Region, TerrainEdited) and what is fetched come in any order: versions say what is missing and what is
 * known already, so that no edit is lost and none counts twice.
 */
import { emptyOverlay, overlaid, patched } from "./overlay.js";
import { Tile } from "./tiles.js";

const MOST_KEPT = 64;

/**
 * @typedef {import("./overlay.js").Overlay} Overlay
 * @typedef {import("./overlay.js").Edit} Edit
 */

export class Ground {
  /** As it was made. */
  made;
  /** The newest version of the overlay that is known to be. */
  told = 0;
  #overlay = /** @type {Overlay | null} */ (null);
  #kept = /** @type {Edit[]} */ ([]);
  #joined = /** @type {Tile | null} */ (null);

  /** @param {Tile} made */
  constructor(made) {
    this.made = made;
  }

  /** Whether the overlay is here as it was told last. */
  get current() { return this.#overlay !== null && this.#overlay.version >= this.told; }

  /** The land as it is; undefined while the overlay is not here. @returns {Tile | undefined} */
  get tile() {
    if (!this.current) return undefined;
    this.#joined ??= this.#join(/** @type {Overlay} */ (this.#overlay));
    return this.#joined;
  }

  /** A Region told of it. @param {number} version */
  woven(version) {
    this.told = version;
    if (this.#overlay?.version === version) return;
    this.#kept = [];
    this.#set(version === 0 ? emptyOverlay(this.made.rx, this.made.rz) : null);
  }

  /** @param {Edit} edit */
  edited(edit) {
    this.told = Math.max(this.told, edit.version);
    this.#kept.push(edit);
    if (this.#kept.length > MOST_KEPT) this.#kept.shift();
    if (this.#overlay) this.fetched(this.#overlay);
  }

  /** The overlay came, of whatever version; look at `current` then. @param {Overlay} overlay */
  fetched(overlay) {
    let newest = overlay;
    while (this.#kept.length && this.#kept[0].version <= newest.version + 1) {
      const edit = /** @type {Edit} */ (this.#kept.shift());
      if (edit.version > newest.version) newest = patched(newest, edit);
    }
    this.#set(newest);
  }

  /** A new session: what was changed may have changed unheard. */
  forget() {
    this.#kept = [];
    this.#set(null);
  }

  /** @param {Overlay | null} overlay */
  #set(overlay) {
    if (overlay !== this.#overlay) this.#joined = null;
    this.#overlay = overlay;
  }

  /** @param {Overlay} overlay @returns {Tile} */
  #join(overlay) {
    const { rx, rz, heights, surface, things, provenance } = this.made;
    return overlay.version ? new Tile(rx, rz, overlaid(heights, overlay), surface, things, provenance) : this.made;
  }
}
