/** Low models by code: corners with a colour, how much sky they see, and how far they give way to the wind. */
import { BufferAttribute, Color, Vector3 } from "three";
import { hash } from "./noise.js";

/** @typedef {[number, number, number]} Triple */

export class Shape {
  #corners = /** @type {number[]} */ ([]);
  #normals = /** @type {number[]} */ ([]);
  #colours = /** @type {number[]} */ ([]);
  #moods = /** @type {number[]} */ ([]);
  #index = /** @type {number[]} */ ([]);

  /**
   * @param {Triple} at metres, the foot is at 0
   * @param {Triple} normal of any length
   * @param {Color} colour
   * @param {{ open?: number, bend?: number, tint?: number }} [mood] open: share of the sky that it sees. bend: metres
   *   by which wind moves it. tint: how much the colours of two such things differ here
   * @returns {number} its number
   */
  corner(at, normal, colour, { open = 1, bend = 0, tint = 1 } = {}) {
    const length = Math.hypot(...normal) || 1;
    this.#corners.push(...at);
    this.#normals.push(normal[0] / length, normal[1] / length, normal[2] / length);
    this.#colours.push(colour.r, colour.g, colour.b);
    this.#moods.push(open, bend, tint);
    return this.#corners.length / 3 - 1;
  }

  /** @param {...number} corners by threes, counter-clockwise */
  face(...corners) {
    this.#index.push(...corners);
  }

  /** A bough's skirt around a trunk: a ragged cone, dark below. @param {{ y: number, top: number, radius: number,
   *   sides: number, colour: string, tip: string, turn: number, bend: number, under?: boolean }} tier */
  tier({ y, top, radius, sides, colour, tip, turn, bend, under = true }) {
    const [inner, outer] = [new Color(colour), new Color(tip)];
    const apex = this.corner([0, top, 0], [0, 1, 0], inner, { open: 0.75, bend });
    const rim = Array.from({ length: sides }, (_, k) => {
      const angle = (2 * Math.PI * (k + turn)) / sides;
      const reach = radius * (k % 2 ? 0.66 : 1) * (0.86 + 0.28 * hash(k, sides, Math.round(10 * y)));
      const [sin, cos, within] = [Math.sin(angle), Math.cos(angle), k % 2 === 1];
      const hangs = within ? 0.34 : 0.16 * hash(k, sides, 3);
      const normal = /** @type {Triple} */ ([sin, within ? 0.75 : 0.45, cos]);
      return this.corner([reach * sin, y + hangs, reach * cos], normal, within ? inner : outer, {
        open: within ? 0.7 : 1, bend,
      });
    });
    for (let k = 0; k < sides; k++) this.face(apex, rim[k], rim[(k + 1) % sides]);
    if (!under) return;
    const pith = this.corner([0, y + 0.32 * (top - y), 0], [0, -1, 0], inner, { open: 0.3, bend });
    for (let k = 0; k < sides; k++) this.face(pith, rim[(k + 1) % sides], rim[k]);
  }

  /** An uneven ball. @param {{ at: Triple, radius: Triple, rings: number, sides: number, colour: string, low?: string,
   *   uneven?: number, key?: number, bend?: number, tint?: number, from?: Triple }} ball low: its colour below. from:
   *   whence its light-facing sides are counted, its own middle if none */
  ball({ at, radius, rings, sides, colour, low = colour, uneven = 0.16, key = 0, bend = 0, tint = 1, from = at }) {
    const [bright, dark] = [new Color(colour), new Color(low)];
    const mixed = new Color();
    const rows = [];
    for (let r = 0; r <= rings; r++) {
      const polar = (Math.PI * r) / rings;
      const few = r === 0 || r === rings;
      rows.push(Array.from({ length: few ? 1 : sides }, (_, k) => {
        const angle = (2 * Math.PI * (k + (r % 2) / 2)) / sides;
        const reach = 1 + uneven * (2 * hash(k, r, key) - 1);
        const way = [Math.sin(polar) * Math.sin(angle), Math.cos(polar), Math.sin(polar) * Math.cos(angle)];
        const place = /** @type {Triple} */ (way.map((w, i) => at[i] + reach * radius[i] * w));
        const outward = /** @type {Triple} */ (place.map((p, i) => 0.6 * (p - from[i]) + 0.7 * radius[i] * way[i]));
        const share = (way[1] + 1) / 2;
        return this.corner(place, outward, mixed.lerpColors(dark, bright, share), {
          open: 0.5 + 0.5 * share, bend, tint,
        });
      }));
    }
    for (let r = 0; r < rings; r++) {
      for (let k = 0; k < sides; k++) {
        const [a, b] = [rows[r][k % rows[r].length], rows[r][(k + 1) % rows[r].length]];
        const [c, d] = [rows[r + 1][k % rows[r + 1].length], rows[r + 1][(k + 1) % rows[r + 1].length]];
        if (a !== b) this.face(a, r % 2 ? d : c, b);
        if (c !== d) this.face(r % 2 && a !== b ? a : a === b ? a : b, c, d);
      }
    }
  }

  /** A stem through places, as thick as told. @param {{ path: Triple[], radii: number[], sides: number,
   *   colours: string[], bends?: number[], tint?: number, open?: number }} stem */
  stem({ path, radii, sides, colours, bends = [], tint = 0.3, open = 0.8 }) {
    const rows = path.map((place, r) => {
      const [before, after] = [path[Math.max(0, r - 1)], path[Math.min(path.length - 1, r + 1)]];
      const along = new Vector3(after[0] - before[0], after[1] - before[1], after[2] - before[2]).normalize();
      // Level, and across the stem; one that stands has no way that is more level than another.
      const across = Math.abs(along.y) > 0.8 ? new Vector3(0, 0, 1) : new Vector3(0, 1, 0).cross(along).normalize();
      const other = along.clone().cross(across).normalize();
      return Array.from({ length: sides }, (_, k) => {
        const angle = (2 * Math.PI * k) / sides;
        const out = across.clone().multiplyScalar(Math.cos(angle)).addScaledVector(other, Math.sin(angle));
        const at = /** @type {Triple} */ ([0, 1, 2].map((i) => place[i] + radii[r] * out.getComponent(i)));
        return this.corner(at, out.toArray(), new Color(colours[r % colours.length]), {
          bend: bends[r] ?? 0, tint, open,
        });
      });
    });
    for (let r = 0; r + 1 < rows.length; r++) {
      for (let k = 0; k < sides; k++) {
        const [a, b, c, d] = [rows[r][k], rows[r][(k + 1) % sides], rows[r + 1][k], rows[r + 1][(k + 1) % sides]];
        this.face(a, b, d, a, d, c);
      }
    }
  }

  /** A leaf of grass, seen from both sides. @param {{ at: Triple, angle: number, height: number, lean: number,
   *   width: number, colour: string, tip: string, bend: number, tint?: number }} blade */
  blade({ at, angle, height, lean, width, colour, tip, bend, tint = 1 }) {
    const [sin, cos] = [Math.sin(angle), Math.cos(angle)];
    const [low, high] = [new Color(colour), new Color(tip)];
    /** @param {number} share @param {number} side @returns {Triple} */
    const place = (share, side) => [
      at[0] + lean * share * share * sin + side * width * cos, at[1] + height * share,
      at[2] + lean * share * share * cos - side * width * sin,
    ];
    // Lit as the ground is that they grow from, so that they do not stand out of it.
    const normal = /** @type {Triple} */ ([0.25 * sin, 1, 0.25 * cos]);
    const middle = low.clone().lerp(high, 0.5);
    const [a, b] = [-1, 1].map((side) => this.corner(place(0, side), normal, low, { open: 0.6, tint }));
    const half = { open: 0.85, bend: 0.35 * bend, tint };
    const [c, d] = [-0.7, 0.7].map((side) => this.corner(place(0.55, side), normal, middle, half));
    const e = this.corner(place(1, 0), normal, high, { bend, tint });
    this.face(a, b, d, a, d, c, c, d, e);
  }

  /** @returns {{ attributes: Record<string, BufferAttribute>, index: BufferAttribute }} */
  made() {
    return {
      attributes: {
        position: new BufferAttribute(new Float32Array(this.#corners), 3),
        normal: new BufferAttribute(new Float32Array(this.#normals), 3),
        colour: new BufferAttribute(new Float32Array(this.#colours), 3),
        mood: new BufferAttribute(new Float32Array(this.#moods), 3),
      },
      index: new BufferAttribute(new Uint16Array(this.#index), 1),
    };
  }
}
