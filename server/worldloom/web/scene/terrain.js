/** Ground: one mesh a region, with fewer corners the further away; its light and colours do not depend on them. */
import {
  BufferAttribute, BufferGeometry, ClampToEdgeWrapping, DataTexture, LinearFilter, Mesh, NoColorSpace, ShaderMaterial,
  Sphere, SRGBColorSpace, Vector3,
} from "three";
import { REGION_M } from "worldloom/tiles.js";
import { airOf } from "./air.js";
import { STEPS, gridHeights, gridIndex, gridPlaces } from "./grid.js";
import { Known } from "./known.js";
import { qualityOf } from "./quality.js";
import { SIDE, emptyRelief, weaveRelief } from "./relief.js";
import { Slices } from "./slices.js";
import { FRAGMENT, VERTEX } from "./terrain_shader.js";

/**
 * @typedef {import("worldloom/tiles.js").Tile} Tile
 * @typedef {object} Ground a region that is drawn
 * @property {number} rx
 * @property {number} rz
 * @property {Mesh<BufferGeometry, ShaderMaterial>} mesh
 * @property {import("./relief.js").Relief} relief
 * @property {number} step index into STEPS
 * @property {number} lowest metres
 * @property {number} highest
 */

class Terrain {
  #app;
  #air;
  #work = new Slices();
  #known = new Known();
  #grounds = /** @type {Map<string, Ground>} */ (new Map());
  #places = gridPlaces();
  #indices = STEPS.map(gridIndex);

  /** @param {import("../app/app.js").App} app */
  constructor(app) {
    this.#app = app;
    this.#air = airOf(app);
    this.#air.uniforms.known.value = this.#known.edges;
    /** @type {any} */ (this.#air.uniforms).depths = { value: this.#known.depths };
    app.tiles.on("come", ({ rx, rz }) => this.#plan(rx, rz));
    app.tiles.on("changed", ({ rx, rz }) => this.#plan(rx, rz));
    app.tiles.on("go", ({ rx, rz }) => this.#drop(rx, rz));
    for (const { rx, rz } of app.tiles.all()) this.#plan(rx, rz);
    app.settings.on("changed", ({ name }) => { if (name === "quality") this.#set(); });
  }

  /** Whether all land that is here is drawn as it is. */
  get idle() { return this.#work.idle; }

  /** @param {import("../app/stage.js").Frame} frame */
  frame({ dt }) {
    this.#work.run();
    this.#known.frame(dt);
    const { x, y, z } = this.#app.drawn.camera.position;
    const { near } = qualityOf(this.#app);
    for (const ground of this.#grounds.values()) {
      const step = stepAt(distance(ground, x, y, z), near, ground.step);
      if (step === ground.step) continue;
      ground.step = step;
      ground.mesh.geometry.setIndex(this.#indices[step]);
    }
  }

  dispose() {
    for (const { rx, rz } of [...this.#grounds.values()]) this.#drop(rx, rz);
  }

  /** The region itself first, then its neighbours' borders anew. @param {number} rx @param {number} rz */
  #plan(rx, rz) {
    this.#work.put(`${rx},${rz}`, () => this.#away(rx, rz), () => this.#weave(rx, rz));
    for (let dz = -1; dz <= 1; dz++) {
      for (let dx = -1; dx <= 1; dx++) {
        const key = `${rx + dx},${rz + dz}`;
        if ((dx || dz) && this.#grounds.has(key)) {
          this.#work.put(key, () => 1e6 + this.#away(rx + dx, rz + dz), () => this.#weave(rx + dx, rz + dz));
        }
      }
    }
  }

  /** @param {number} rx @param {number} rz @returns {Generator<void, void, void>} */
  * #weave(rx, rz) {
    const tile = this.#app.tiles.tile(rx, rz);
    if (!tile) return;
    const had = this.#grounds.get(`${rx},${rz}`);
    const relief = had?.relief ?? emptyRelief();
    yield* weaveRelief((dx, dz) => this.#app.tiles.tile(rx + dx, rz + dz) ?? (dx || dz ? undefined : tile), relief);
    if (this.#app.tiles.tile(rx, rz) !== tile) return;
    yield;
    const ground = had ?? this.#raise(rx, rz, relief);
    this.#shape(ground, tile);
    const { colours, shapes } = ground.mesh.material.uniforms;
    colours.value.needsUpdate = shapes.value.needsUpdate = true;
    this.#known.sound(rx, rz, tile.heights);
    this.#known.show(rx, rz);
  }

  /** @param {number} rx @param {number} rz @param {import("./relief.js").Relief} relief @returns {Ground} */
  #raise(rx, rz, relief) {
    const geometry = new BufferGeometry();
    geometry.setAttribute("place", this.#places);
    geometry.setIndex(this.#indices[STEPS.length - 1]);
    const mesh = new Mesh(geometry, new ShaderMaterial({
      vertexShader: VERTEX, fragmentShader: FRAGMENT, defines: this.#defines(),
      uniforms: {
        ...this.#air.uniforms, colours: { value: textureOf(relief.colours, true) },
        shapes: { value: textureOf(relief.shapes, false) },
      },
    }));
    mesh.position.set(rx * REGION_M, 0, rz * REGION_M);
    mesh.updateMatrix();
    mesh.matrixAutoUpdate = false;
    this.#app.drawn.scene.add(mesh);
    const ground = { rx, rz, mesh, relief, step: STEPS.length - 1, lowest: 0, highest: 0 };
    this.#grounds.set(`${rx},${rz}`, ground);
    return ground;
  }

  /** @param {Ground} ground @param {Tile} tile */
  #shape(ground, { heights }) {
    const { geometry } = ground.mesh;
    const given = gridHeights(heights);
    const had = /** @type {BufferAttribute | undefined} */ (geometry.getAttribute("height"));
    if (had) had.copyArray(given).needsUpdate = true;
    else geometry.setAttribute("height", new BufferAttribute(given, 1));
    ground.lowest = heights.reduce((a, b) => Math.min(a, b)) / 32;
    ground.highest = heights.reduce((a, b) => Math.max(a, b)) / 32;
    const half = (ground.highest - ground.lowest) / 2;
    const middle = new Vector3(REGION_M / 2, ground.lowest + half, REGION_M / 2);
    geometry.boundingSphere = new Sphere(middle, Math.hypot(REGION_M / Math.SQRT2, half + 14));
  }

  /** @param {number} rx @param {number} rz */
  #drop(rx, rz) {
    const key = `${rx},${rz}`;
    this.#work.drop(key);
    const ground = this.#grounds.get(key);
    if (!ground) return;
    this.#grounds.delete(key);
    this.#known.hide(rx, rz);
    this.#app.drawn.scene.remove(ground.mesh);
    // Places and indices are the others', too: dispose frees what is this geometry's own, three keeps them for those.
    for (const name of ["place"]) ground.mesh.geometry.deleteAttribute(name);
    ground.mesh.geometry.setIndex(null);
    ground.mesh.geometry.dispose();
    const { colours, shapes } = ground.mesh.material.uniforms;
    colours.value.dispose();
    shapes.value.dispose();
    ground.mesh.material.dispose();
  }

  #set() {
    for (const { mesh } of this.#grounds.values()) {
      mesh.material.defines = this.#defines();
      mesh.material.needsUpdate = true;
    }
  }

  #defines() {
    return qualityOf(this.#app).rich ? { RICH: "" } : {};
  }

  /** @param {number} rx @param {number} rz @returns {number} metres from you to the region's middle */
  #away(rx, rz) {
    const { x, z } = this.#app.world.me;
    return Math.hypot((rx + 0.5) * REGION_M - x, (rz + 0.5) * REGION_M - z);
  }
}

/** @param {Ground} ground @param {number} x @param {number} y @param {number} z @returns {number} metres, 0 within */
function distance({ rx, rz, lowest, highest }, x, y, z) {
  const dx = Math.max(rx * REGION_M - x, x - (rx + 1) * REGION_M, 0);
  const dz = Math.max(rz * REGION_M - z, z - (rz + 1) * REGION_M, 0);
  return Math.hypot(dx, Math.max(lowest - y, y - highest, 0), dz);
}

/** @param {number} metres @param {number} near @param {number} now the step it has: it does not flicker */
function stepAt(metres, near, now) {
  let step = 0;
  while (step < STEPS.length - 1 && metres > near * 2 ** step * (step < now ? 0.92 : 1)) step++;
  return step;
}

/** @param {Uint8Array} data @param {boolean} colour */
function textureOf(data, colour) {
  const texture = new DataTexture(data, SIDE, SIDE);
  texture.colorSpace = colour ? SRGBColorSpace : NoColorSpace;
  texture.wrapS = texture.wrapT = ClampToEdgeWrapping;
  texture.magFilter = texture.minFilter = LinearFilter;
  return texture;
}

/** @param {import("../app/app.js").App} app */
export function install(app) {
  const terrain = new Terrain(app);
  app.drawn.add({ name: "terrain", frame: (frame) => terrain.frame(frame), dispose: () => terrain.dispose() });
  // For tests: whether all that is here is drawn as it is.
  /** @type {any} */ (app).settled = [() => terrain.idle];
}
