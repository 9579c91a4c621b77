/** Draws all bodies: one mesh of instances for each body, one for those far away, and one for the shadows below. */
import {
  DynamicDrawUsage, InstancedBufferGeometry, InstancedInterleavedBuffer, InterleavedBufferAttribute, Mesh,
  MeshBasicMaterial, PlaneGeometry,
} from "three";
import { farFigure, figure } from "./figures.js";
import { figureMaterial } from "./figure_material.js";
import { BODIES } from "./looks.js";

/** Of one instance: place, four fours of angles, look. */
const FLOATS = 24;
const ATTRIBUTES = ["place", "arms", "legs", "trunk", "head", "look"];
const SHADOW_FLOATS = 4;
/** Beyond that a body is drawn plainer. */
const NEAR_M = 22;
const FAR = BODIES.length;
/** The anchor is a corner of this grid. */
const ANCHOR_M = 64;

/** Instances of one geometry, refilled each frame. */
class Batch {
  count = 0;
  mesh;
  #buffer;

  /** @param {import("three").BufferGeometry} shape @param {import("three").Material} material @param {number} capacity @param {number} floats @param {string[]} names of attributes of four floats */
  constructor(shape, material, capacity, floats, names) {
    const geometry = new InstancedBufferGeometry();
    geometry.setIndex(shape.getIndex());
    for (const [name, attribute] of Object.entries(shape.attributes)) geometry.setAttribute(name, attribute);
    this.data = new Float32Array(capacity * floats);
    this.#buffer = new InstancedInterleavedBuffer(this.data, floats).setUsage(DynamicDrawUsage);
    for (const [number, name] of names.entries()) {
      geometry.setAttribute(name, new InterleavedBufferAttribute(this.#buffer, 4, number * 4));
    }
    this.mesh = new Mesh(geometry, material);
    this.mesh.name = "people";
    this.mesh.frustumCulled = false;
  }

  /** What was written goes to the graphics card. */
  flush() {
    const geometry = /** @type {InstancedBufferGeometry} */ (this.mesh.geometry);
    geometry.instanceCount = this.count;
    this.mesh.visible = this.count > 0;
    if (!this.count) return;
    this.#buffer.clearUpdateRanges();
    this.#buffer.addUpdateRange(0, this.count * this.#buffer.stride);
    this.#buffer.needsUpdate = true;
  }

  dispose() {
    this.mesh.removeFromParent();
    this.mesh.geometry.dispose();
  }
}

export class Crowd {
  /** How far bodies are drawn in full, in metres. */
  near = NEAR_M;
  #batches;
  #shadows;
  #material = figureMaterial();
  #shade = shadowMaterial();
  #anchorX = 0;
  #anchorZ = 0;
  #all;

  /** @param {import("three").Scene} scene @param {number} capacity */
  constructor(scene, capacity) {
    const shapes = [...BODIES.keys()].map((body) => figure(body));
    this.#batches = [...shapes, farFigure()].map((shape) => new Batch(shape, this.#material, capacity, FLOATS, ATTRIBUTES));
    const plate = new PlaneGeometry(1, 1).rotateX(-Math.PI / 2);
    this.#shadows = new Batch(plate, this.#shade, capacity, SHADOW_FLOATS, ["place"]);
    this.#shadows.mesh.renderOrder = 1;
    this.#all = [...this.#batches, this.#shadows];
    for (const { mesh } of this.#all) scene.add(mesh);
  }

  /** Begin a frame. @param {number} x metres, where it is looked from @param {number} z */
  begin(x, z) {
    this.#anchorX = Math.round(x / ANCHOR_M) * ANCHOR_M;
    this.#anchorZ = Math.round(z / ANCHOR_M) * ANCHOR_M;
    for (const batch of this.#all) {
      batch.count = 0;
      batch.mesh.position.set(this.#anchorX, 0, this.#anchorZ);
    }
  }

  /**
   * @param {number} x metres
   * @param {number} y of the feet
   * @param {number} z
   * @param {number} yaw radians
   * @param {number} distance metres from the eye
   * @param {number} body an index of BODIES
   * @param {Float32Array} angles of `postures.js`
   * @param {number} at where this one's begin
   * @param {Float32Array} looks four colours each
   * @param {number} lookAt
   */
  put(x, y, z, yaw, distance, body, angles, at, looks, lookAt) {
    const batch = this.#batches[distance < this.near ? body : FAR];
    const { data } = batch;
    let to = batch.count++ * FLOATS;
    data[to++] = x - this.#anchorX;
    data[to++] = y;
    data[to++] = z - this.#anchorZ;
    data[to++] = yaw;
    for (let joint = 0; joint < 16; joint++) data[to++] = angles[at + joint];
    for (let colour = 0; colour < 4; colour++) data[to++] = looks[lookAt + colour];
  }

  /** @param {number} x @param {number} ground metres @param {number} z @param {number} size metres */
  shadow(x, ground, z, size) {
    let to = this.#shadows.count++ * SHADOW_FLOATS;
    const { data } = this.#shadows;
    data[to++] = x - this.#anchorX;
    data[to++] = ground + 0.04;
    data[to++] = z - this.#anchorZ;
    data[to] = size;
  }

  end() {
    for (const batch of this.#all) batch.flush();
  }

  dispose() {
    for (const batch of this.#all) batch.dispose();
    this.#material.dispose();
    this.#shade.dispose();
  }
}

/** A dark round spot, softer to its edge. */
function shadowMaterial() {
  const material = new MeshBasicMaterial({ color: 0x0a1014, transparent: true, depthWrite: false, polygonOffset: true,
    polygonOffsetFactor: -2, polygonOffsetUnits: -2 });
  material.onBeforeCompile = (shader) => {
    shader.vertexShader = shader.vertexShader
      .replace("#include <common>", "#include <common>\nattribute vec4 place;\nvarying vec2 vSpot;")
      .replace("#include <begin_vertex>", "vec3 transformed = position * place.w + place.xyz;\nvSpot = position.xz * 2.0;");
    shader.fragmentShader = shader.fragmentShader
      .replace("#include <common>", "#include <common>\nvarying vec2 vSpot;")
      .replace("#include <color_fragment>",
        "#include <color_fragment>\nfloat spot = max(0.0, 1.0 - dot(vSpot, vSpot));\ndiffuseColor.a *= 0.5 * spot * spot;");
  };
  return material;
}
