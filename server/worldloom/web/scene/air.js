/** Light and air: what all of the scene's shaders share, so that far land melts into the very sky behind it. */
import { Color, Vector2, Vector3 } from "three";
import { noiseTexture } from "./noise.js";

/** Metres after which places repeat in the shaders: they count from the camera's place modulo this. */
export const AROUND_M = 4096;

/** Uniforms, the same objects in every material: change their values, and all change. */
export class Air {
  uniforms = {
    noise: { value: noiseTexture() },
    /** Which land is here, for `edgeOf`; set by Known. @type {{ value: any }} */
    known: { value: null },
    /** x and z of the camera modulo AROUND_M. */
    eye: { value: new Vector2() },
    /** Its height above the sea. */
    eyeHeight: { value: 0 },
    toSun: { value: new Vector3(0, 1, 0) },
    toLight: { value: new Vector3(0, 1, 0) },
    beam: { value: new Color() },
    skyLight: { value: new Color() },
    groundLight: { value: new Color() },
    zenith: { value: new Color() },
    horizon: { value: new Color() },
    glow: { value: new Color() },
    night: { value: 0 },
    haze: { value: 0.3 },
    /** Metres at which the air hides everything. */
    sight: { value: 900 },
    /** Seconds, for what moves. */
    seconds: { value: 0 },
    /** 0: leaves are still. */
    wind: { value: 1 },
  };
}

const airs = /** @type {WeakMap<object, Air>} */ (new WeakMap());

/** @param {import("../app/app.js").App} app @returns {Air} the one of this app */
export function airOf(app) {
  let air = airs.get(app);
  if (!air) airs.set(app, (air = new Air()));
  return air;
}

/** Of vertex and fragment shaders. `away`: metres from the camera, in the world's directions. */
export const AIR_GLSL = /* glsl */ `
uniform sampler2D noise, known;
uniform vec2 eye;
uniform float eyeHeight, night, haze, sight, seconds, wind;
uniform vec3 toSun, toLight, beam, skyLight, groundLight, zenith, horizon, glow;

vec3 skyOf(vec3 dir) {
  float up = max(dir.y, 0.0);
  vec3 colour = mix(horizon, zenith, 1.0 - exp(-3.4 * up));
  float sunward = max(dot(dir, toSun), 0.0);
  float low = exp(-5.0 * up);
  colour = mix(colour, glow, low * (0.25 + 0.75 * sunward * sunward) * 0.85);
  colour += glow * (0.22 * pow(sunward, 24.0) + 0.08 * pow(sunward, 5.0)) * (1.0 - night);
  // Below the horizon lies mist.
  return colour * (1.0 - 0.16 * smoothstep(0.0, -0.5, dir.y));
}

// 0 at the border of what is known and beyond, 1 from 64 m inside.
float edgeOf(vec3 away) {
  return texture2D(known, (eye + away.xz) / ${AROUND_M}.0 + 0.5 / 64.0).r;
}

// How much of what is there can be seen.
float clarity(vec3 away, float edge) {
  float far = length(away);
  float end = far / sight;
  float lies = haze * exp(-max(eyeHeight + away.y, 0.0) / 26.0);
  return exp(-far * (0.00045 + 0.0017 * lies) - 5.0 * end * end * end * end) * smoothstep(0.04, 0.9, edge);
}

// At night eyes tell colours apart less well.
vec3 seenBy(vec3 colour) {
  float bright = dot(colour, vec3(0.25, 0.62, 0.13));
  return mix(colour, bright * vec3(0.76, 0.9, 1.16), 0.42 * night);
}

vec3 lightOn(vec3 normal, float open) {
  float facing = dot(normal, toLight);
  return beam * max(facing, 0.0) * mix(0.55, 1.0, open) + mix(groundLight, skyLight, 0.5 + 0.5 * normal.y) * open;
}
`;

/** A vertex's place as `away`, exact however far out in the world it is. */
export const AWAY_GLSL = /* glsl */ `
vec3 awayOf(vec4 seen) { return seen.xyz * mat3(viewMatrix); }
`;
