/** The sky: colours by the hour, sun, moon, stars and clouds; the lights by which all others are seen. */
import {
  BufferAttribute, BufferGeometry, DirectionalLight, Fog, HemisphereLight, Mesh, NeutralToneMapping, ShaderMaterial,
} from "three";
import { TICK_MS } from "worldloom/units.js";
import { AIR_GLSL, AROUND_M, airOf } from "./air.js";
import { daylightAt, hourOf } from "./daylight.js";
import { defineQuality, qualityOf } from "./quality.js";

const VERTEX = /* glsl */ `
varying vec3 toward;
void main() {
  gl_Position = vec4(position.xy, 1.0, 1.0);
  vec4 seen = inverse(projectionMatrix) * vec4(position.xy, 1.0, 1.0);
  toward = (seen.xyz / seen.w) * mat3(viewMatrix);
}`;

const FRAGMENT = /* glsl */ `
${AIR_GLSL}
varying vec3 toward;

float star(vec3 dir) {
  vec3 cell = floor(dir * 150.0);
  vec3 within = fract(dir * 150.0) - 0.5;
  float chance = fract(sin(dot(cell, vec3(12.9898, 78.233, 37.719))) * 43758.5453);
  float bright = step(0.9935, chance) * fract(chance * 9173.0);
  return bright * smoothstep(0.35, 0.0, length(within)) * 3.2;
}

void main() {
  vec3 dir = normalize(toward);
  vec3 colour = skyOf(dir);
  float sunward = dot(dir, toSun);
  float disc = smoothstep(0.9996, 0.9998, sunward) * smoothstep(-0.06, 0.0, dir.y);
  colour += vec3(1.0, 0.93, 0.78) * 3.0 * disc * (1.0 - night);
  if (night > 0.0 && dir.y > 0.0) {
    colour += star(dir) * night * smoothstep(0.02, 0.3, dir.y);
    float moonward = dot(dir, toLight);
    float moon = 0.9 * smoothstep(0.9993, 0.9996, moonward) + 0.16 * pow(max(moonward, 0.0), 220.0);
    colour += vec3(0.85, 0.9, 1.0) * night * moon;
  }
#ifdef CLOUDS
  if (dir.y > 0.015) {
    vec2 at = dir.xz / (dir.y + 0.09);
    vec2 drift = vec2(seconds * 0.0016, seconds * 0.0005);
    float broad = texture2D(noise, at * 0.045 + drift).r;
    float fine = texture2D(noise, at * 0.17 + drift * 2.6 + broad * 0.06).a;
    float thick = broad * 0.72 + fine * 0.4;
    float cover = smoothstep(0.56, 0.86, thick) * smoothstep(0.015, 0.22, dir.y);
    float lit = 1.0 - smoothstep(0.6, 1.05, thick) * 0.35;
    vec3 cloud = (skyLight * 0.75 + beam * 0.26 + horizon * 0.22) * lit;
    cloud += glow * pow(max(sunward, 0.0), 6.0) * 0.25 * (1.0 - night);
    colour = mix(colour, cloud, cover * 0.85);
  }
#endif
  gl_FragColor = vec4(colour, 1.0);
  #include <tonemapping_fragment>
  #include <colorspace_fragment>
}`;

class Sky {
  #app;
  #air;
  #scene;
  #dome;
  #material;
  #sun = new DirectionalLight();
  #all = new HemisphereLight();
  #fog = new Fog("#bcd5e6", 100, 900);

  /** @param {import("../app/app.js").App} app */
  constructor(app) {
    this.#app = app;
    this.#air = airOf(app);
    this.#scene = app.drawn.scene;
    const corners = new BufferGeometry();
    corners.setAttribute("position", new BufferAttribute(new Float32Array([-1, -1, 0, 3, -1, 0, -1, 3, 0]), 3));
    this.#material = new ShaderMaterial({
      vertexShader: VERTEX, fragmentShader: FRAGMENT, uniforms: this.#air.uniforms, depthWrite: false,
    });
    this.#dome = new Mesh(corners, this.#material);
    this.#dome.frustumCulled = false;
    // After all that hides it.
    this.#dome.renderOrder = 1;
    this.#scene.fog = this.#fog;
    this.#scene.add(this.#dome, this.#all, this.#sun, this.#sun.target);
    app.drawn.renderer.toneMapping = NeutralToneMapping;
    const still = matchMedia("(prefers-reduced-motion: reduce)");
    const calm = () => { this.#air.uniforms.wind.value = still.matches ? 0 : 1; };
    still.addEventListener("change", calm);
    calm();
    app.settings.on("changed", ({ name }) => { if (name === "quality") this.#set(); });
    this.#set();
  }

  /** @param {import("../app/stage.js").Frame} frame */
  frame({ tick, dt }) {
    const { camera } = this.#app.drawn;
    const u = this.#air.uniforms;
    const day = daylightAt(hourOf(tick * TICK_MS, this.#app.settings.get("hour")));
    u.toSun.value.fromArray(day.sun);
    u.toLight.value.fromArray(day.light);
    for (const name of /** @type {const} */ (["beam", "zenith", "horizon", "glow"])) u[name].value.fromArray(day[name]);
    u.skyLight.value.fromArray(day.sky);
    u.groundLight.value.fromArray(day.ground);
    u.night.value = day.night;
    u.haze.value = day.haze;
    u.seconds.value = (u.seconds.value + dt) % 3_600;
    u.sight.value = 256 * (this.#app.settings.get("view") + 0.6);
    u.eye.value.set(wrap(camera.position.x), wrap(camera.position.z));
    u.eyeHeight.value = camera.position.y;
    this.#light(day);
  }

  dispose() {
    this.#scene.remove(this.#dome, this.#all, this.#sun, this.#sun.target);
    this.#dome.geometry.dispose();
    this.#material.dispose();
  }

  /** For materials that are three's own. @param {import("./daylight.js").Daylight} day */
  #light(day) {
    const { position } = this.#app.drawn.camera;
    this.#sun.target.position.copy(position);
    this.#sun.position.fromArray(day.light).multiplyScalar(100).add(position);
    // Three's materials divide by pi what ours do not.
    this.#sun.color.fromArray(day.beam);
    this.#sun.intensity = Math.PI;
    this.#all.color.fromArray(day.sky);
    this.#all.groundColor.fromArray(day.ground);
    this.#all.intensity = Math.PI;
    this.#fog.color.fromArray(day.horizon);
    this.#fog.near = 0.3 * this.#air.uniforms.sight.value;
    this.#fog.far = this.#air.uniforms.sight.value;
  }

  #set() {
    const { clouds, scale } = qualityOf(this.#app);
    this.#material.defines = clouds ? { CLOUDS: "" } : {};
    this.#material.needsUpdate = true;
    this.#app.drawn.renderer.setPixelRatio(Math.min(devicePixelRatio, scale));
  }
}

/** @param {number} metres */
function wrap(metres) {
  return ((metres % AROUND_M) + AROUND_M) % AROUND_M;
}

/** @param {import("../app/app.js").App} app */
export function install(app) {
  defineQuality(app);
  app.settings.define({
    name: "hour", title: "Time of day", group: "picture", kind: "choice", initial: "world",
    choices: { world: "As in the world", morning: "Morning", noon: "Noon", evening: "Evening", night: "Night" },
  });
  const sky = new Sky(app);
  app.drawn.add({ name: "sky", frame: (frame) => sky.frame(frame), dispose: () => sky.dispose() });
}
