/** Mist where known land ends: it drifts, clears when land comes, and shows threads while that is being woven. */
import {
  DoubleSide, DynamicDrawUsage, InstancedBufferAttribute, InstancedBufferGeometry, Mesh, PlaneGeometry, ShaderMaterial,
} from "three";
import { REGION_M } from "worldloom/tiles.js";
import { AIR_GLSL, AWAY_GLSL, airOf } from "./air.js";
import { qualityOf } from "./quality.js";

const MOST = 96;
/** Metres: a curtain's height, and how far behind the border each layer of it hangs. */
const HIGH_M = 110;
const LAYERS_M = [-14, 14];
const CLEARS_S = 1.6;
const LOOK_MS = 250;
const SIDES = /** @type {[number, number][]} */ ([[1, 0], [-1, 0], [0, 1], [0, -1]]);

const VERTEX = /* glsl */ `
${AIR_GLSL}
${AWAY_GLSL}
// x, y, z of its middle at the foot, metres from the anchor; whether it hangs along z.
attribute vec4 spot;
// How thick, whether it is being woven, and a number of its own.
attribute vec3 veil;
varying vec3 away, mood;
varying vec2 cloth;
void main() {
  cloth = vec2(position.x * 290.0, position.y * ${HIGH_M}.0);
  mood = veil;
  vec3 at = spot.xyz + vec3(cloth.x * (1.0 - spot.w), cloth.y - 18.0, cloth.x * spot.w);
  vec4 seen = modelViewMatrix * vec4(at, 1.0);
  away = awayOf(seen);
  gl_Position = projectionMatrix * seen;
}`;

const FRAGMENT = /* glsl */ `
${AIR_GLSL}
varying vec3 away, mood;
varying vec2 cloth;
void main() {
  float far = length(away);
  vec2 at = cloth / 256.0 + mood.z;
  float drift = texture2D(noise, at * vec2(0.9, 1.3) + vec2(seconds * 0.006, -seconds * 0.003)).r;
#ifdef RICH
  drift = 0.6 * drift + 0.4 * texture2D(noise, at * 3.1 - vec2(seconds * 0.011, seconds * 0.005)).a;
#endif
  float high = cloth.y / ${HIGH_M}.0;
  float body = smoothstep(0.0, 0.16, high) * smoothstep(1.0, 0.2, high + (drift - 0.5) * 0.5);
  float ends = smoothstep(145.0, 105.0, abs(cloth.x));
  float alpha = mood.x * body * ends * smoothstep(0.3, 0.8, drift + 0.12) * smoothstep(4.0, 46.0, far);
  alpha *= 0.75 * exp(-pow(far / sight, 4.0) * 3.0);
  vec3 dir = away / far;
  vec3 colour = skyOf(vec3(dir.x, abs(dir.y) * 0.5, dir.z));
  colour = seenBy(mix(colour, skyLight + beam * 0.22, 0.3));
  // Warp and weft.
  float weft = abs(fract(cloth.y / 9.0 + 0.25 * sin(cloth.x * 0.05 + seconds * 0.6)) - 0.5);
  float warp = abs(fract(cloth.x / 12.0 - seconds * 0.05 + 0.12 * sin(cloth.y * 0.11)) - 0.5);
  float threads = smoothstep(0.07, 0.0, weft) + 0.6 * smoothstep(0.05, 0.0, warp);
  float shine = threads * mood.y * (0.35 + 0.65 * drift) * exp(-far / 260.0);
  colour = mix(colour, vec3(1.0, 0.84, 0.55), min(shine * 0.7, 0.8));
  gl_FragColor = vec4(colour, alpha * (1.0 + 0.5 * shine));
  #include <tonemapping_fragment>
  #include <colorspace_fragment>
}`;

/** @typedef {{ key: string, x: number, y: number, z: number, along: number, rx: number, rz: number, thick: number,
 *   goal: number, woven: number, own: number }} Curtain x, y, z: metres of the world */

class Mist {
  #app;
  #curtains = /** @type {Map<string, Curtain>} */ (new Map());
  #geometry = new InstancedBufferGeometry();
  #spots = new InstancedBufferAttribute(new Float32Array(4 * MOST * LAYERS_M.length), 4).setUsage(DynamicDrawUsage);
  #veils = new InstancedBufferAttribute(new Float32Array(3 * MOST * LAYERS_M.length), 3).setUsage(DynamicDrawUsage);
  #mesh;
  #lookAt = 0;

  /** @param {import("../app/app.js").App} app */
  constructor(app) {
    this.#app = app;
    const plane = new PlaneGeometry(1, 1).translate(0, 0.5, 0);
    this.#geometry.setAttribute("position", plane.getAttribute("position"));
    this.#geometry.setIndex(plane.getIndex());
    this.#geometry.setAttribute("spot", this.#spots);
    this.#geometry.setAttribute("veil", this.#veils);
    this.#geometry.instanceCount = 0;
    this.#mesh = new Mesh(this.#geometry, new ShaderMaterial({
      vertexShader: VERTEX, fragmentShader: FRAGMENT, uniforms: airOf(app).uniforms, transparent: true,
      depthWrite: false, side: DoubleSide,
    }));
    this.#mesh.frustumCulled = false;
    this.#mesh.renderOrder = 3;
    app.drawn.scene.add(this.#mesh);
    app.settings.on("changed", ({ name }) => { if (name === "quality") this.#set(); });
    this.#set();
  }

  /** @param {import("../app/stage.js").Frame} frame */
  frame({ now, dt }) {
    let moving = false;
    if (now > this.#lookAt) {
      this.#lookAt = now + LOOK_MS;
      this.#look();
      moving = true;
    }
    for (const curtain of this.#curtains.values()) {
      if (curtain.thick === curtain.goal) continue;
      const step = dt / CLEARS_S;
      curtain.thick += Math.max(-step, Math.min(step, curtain.goal - curtain.thick));
      if (curtain.thick <= 0 && curtain.goal === 0) this.#curtains.delete(curtain.key);
      moving = true;
    }
    if (moving) this.#hang();
  }

  dispose() {
    this.#app.drawn.scene.remove(this.#mesh);
    this.#geometry.dispose();
    this.#mesh.material.dispose();
  }

  #set() {
    this.#mesh.material.defines = qualityOf(this.#app).rich ? { RICH: "" } : {};
    this.#mesh.material.needsUpdate = true;
  }

  /** Where a region that is here ends at one that is not. */
  #look() {
    const { tiles } = this.#app;
    const { rich } = qualityOf(this.#app);
    for (const curtain of this.#curtains.values()) curtain.goal = 0;
    for (const tile of tiles.all()) {
      for (const [dx, dz] of SIDES) {
        const state = tiles.state(tile.rx + dx, tile.rz + dz);
        // The air hides the land's end by itself: what only drifts is left out where drawing is slow.
        if (state === "here" || (!rich && state !== "weaving")) continue;
        const key = `${tile.rx},${tile.rz},${dx},${dz}`;
        const curtain = this.#curtains.get(key) ?? curtainOf(key, tile, dx, dz);
        curtain.goal = 1;
        curtain.woven = state === "weaving" ? 1 : 0;
        if (this.#curtains.size < MOST) this.#curtains.set(key, curtain);
      }
    }
  }

  #hang() {
    const { x, z } = this.#app.drawn.camera.position;
    const anchor = { x: REGION_M * Math.floor(x / REGION_M), z: REGION_M * Math.floor(z / REGION_M) };
    let n = 0;
    for (const curtain of this.#curtains.values()) {
      for (const [k, back] of LAYERS_M.entries()) {
        const [dx, dz] = curtain.along ? [Math.sign(curtain.rx) * back, 0] : [0, Math.sign(curtain.rz) * back];
        this.#spots.setXYZW(n, curtain.x + dx - anchor.x, 0.6 * curtain.y, curtain.z + dz - anchor.z, curtain.along);
        this.#veils.setXYZ(n, curtain.thick, curtain.woven, curtain.own + 0.37 * k);
        n++;
      }
    }
    this.#spots.needsUpdate = this.#veils.needsUpdate = true;
    this.#geometry.instanceCount = n;
    this.#mesh.visible = n > 0;
    this.#mesh.position.set(anchor.x, 0, anchor.z);
  }
}

/**
 * @param {string} key
 * @param {import("worldloom/tiles.js").Tile} tile that is here
 * @param {number} dx towards the region that is not
 * @param {number} dz
 * @returns {Curtain}
 */
function curtainOf(key, tile, dx, dz) {
  const [x, z] = [(tile.rx + 0.5 + dx / 2) * REGION_M, (tile.rz + 0.5 + dz / 2) * REGION_M];
  let highest = 0;
  for (let i = -4; i <= 4; i++) {
    const along = (i / 4) * (REGION_M / 2);
    highest = Math.max(highest, tile.ground(x + (dx ? 0 : along), z + (dz ? 0 : along)));
  }
  const own = (((tile.rx * 7 + tile.rz * 13) % 16) + 16) / 16;
  return { key, x, y: highest, z, along: Math.abs(dx), rx: dx, rz: dz, thick: 0, goal: 1, woven: 0, own };
}

/** @param {import("../app/app.js").App} app */
export function install(app) {
  const mist = new Mist(app);
  app.drawn.add({ name: "mist", frame: (frame) => mist.frame(frame), dispose: () => mist.dispose() });
}
