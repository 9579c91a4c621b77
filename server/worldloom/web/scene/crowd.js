/** Many things of one model in one draw call; their places are written anew in slices. */
import {
  DoubleSide, DynamicDrawUsage, InstancedBufferAttribute, InstancedBufferGeometry, Mesh, ShaderMaterial,
} from "three";
import { FRAGMENT, VERTEX } from "./things_shader.js";

const FIRST_ROOM = 256;

export class Crowd {
  mesh;
  /** Metres: drawn from and until so far away. */
  range = { value: [0, 100] };
  #geometry = new InstancedBufferGeometry();
  #spots = new Float32Array(0);
  #turns = new Uint8Array(0);
  #count = 0;
  #ragged = { value: 1 };

  /**
   * @param {import("./shapes.js").Shape} shape
   * @param {Record<string, { value: any }>} air shared uniforms
   * @param {{ small: boolean, leafy: boolean }} look small: it shrinks before it is too far to be drawn
   */
  constructor(shape, air, { small, leafy }) {
    const { attributes, index } = shape.made();
    for (const [name, attribute] of Object.entries(attributes)) this.#geometry.setAttribute(name, attribute);
    this.#geometry.setIndex(index);
    this.#geometry.instanceCount = 0;
    this.mesh = new Mesh(this.#geometry, new ShaderMaterial({
      vertexShader: VERTEX, fragmentShader: FRAGMENT, side: DoubleSide,
      uniforms: {
        ...air, range: this.range, small: { value: small ? 1 : 0 }, shine: { value: leafy ? 1 : 0 },
        ragged: this.#ragged,
      },
    }));
    this.mesh.frustumCulled = false;
    this.mesh.visible = false;
    this.#grow(FIRST_ROOM);
    this.done(0, 0);
  }

  /** Begin anew; what is drawn stays as it is until `done`. */
  begin() {
    this.#count = 0;
  }

  /**
   * @param {number} x metres from the anchor @param {number} y @param {number} z @param {number} size
   * @param {number} yaw 0 to 255 @param {number} seed 0 to 255 @param {number} tint 0 to 255
   */
  put(x, y, z, size, yaw, seed, tint) {
    if (4 * this.#count === this.#spots.length) this.#grow(2 * this.#count);
    const at = 4 * this.#count++;
    this.#spots[at] = x;
    this.#spots[at + 1] = y;
    this.#spots[at + 2] = z;
    this.#spots[at + 3] = size;
    this.#turns[at] = yaw;
    this.#turns[at + 1] = seed;
    this.#turns[at + 2] = tint;
  }

  /** Draw what was put. @param {number} x of the anchor, metres @param {number} z */
  done(x, z) {
    this.#hand("spot", this.#spots, false);
    this.#hand("turn", this.#turns, true);
    this.#geometry.instanceCount = this.#count;
    this.mesh.visible = this.#count > 0;
    this.mesh.position.set(x, 0, z);
  }

  /**
   * @param {boolean} leafy whether its crowns are of leaves
   * @param {boolean} ragged whether they end in some, not in a line
   */
  dress(leafy, ragged) {
    this.#ragged.value = ragged ? 1 : 0;
    this.mesh.material.defines = leafy ? { LEAFY: "" } : {};
    this.mesh.material.needsUpdate = true;
  }

  dispose() {
    this.#geometry.dispose();
    this.mesh.material.dispose();
  }

  /** @param {string} name @param {Float32Array | Uint8Array} written @param {boolean} share whether 255 means 1 */
  #hand(name, written, share) {
    const had = /** @type {InstancedBufferAttribute | undefined} */ (this.#geometry.getAttribute(name));
    if (had?.array.length === written.length) {
      had.array.set(written.subarray(0, 4 * this.#count));
      had.addUpdateRange(0, 4 * this.#count);
      had.needsUpdate = this.#count > 0;
      return;
    }
    // A buffer on the graphics card keeps its size: let go of the old ones, the geometry gets them anew.
    this.#geometry.dispose();
    const fresh = new InstancedBufferAttribute(written.slice(), 4, share);
    this.#geometry.setAttribute(name, fresh.setUsage(DynamicDrawUsage));
  }

  /** @param {number} room */
  #grow(room) {
    const [spots, turns] = [new Float32Array(4 * room), new Uint8Array(4 * room)];
    spots.set(this.#spots);
    turns.set(this.#turns);
    this.#spots = spots;
    this.#turns = turns;
  }
}
