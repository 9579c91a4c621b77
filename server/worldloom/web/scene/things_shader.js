/** How things are drawn: light, colour and mist by corner, so that a thousand trees cost no more than their outline. */
import { AIR_GLSL, AWAY_GLSL } from "./air.js";

export const VERTEX = /* glsl */ `
${AIR_GLSL}
${AWAY_GLSL}
// Metres from the anchor, and size; turns 0 to 1, and what makes one differ from another.
attribute vec4 spot;
attribute vec4 turn;
attribute vec3 colour, mood;
// Metres: it is drawn from and until so far away. small: it shrinks before it goes.
uniform vec2 range;
uniform float small, shine;
varying vec3 shown;
#ifdef LEAFY
varying vec3 leaf, behind;
varying vec3 rim;
#else
vec3 behind;
#endif

vec3 petal(float seed) {
  if (seed < 0.25) return vec3(0.93, 0.9, 0.82);
  if (seed < 0.5) return vec3(0.95, 0.68, 0.12);
  if (seed < 0.7) return vec3(0.48, 0.3, 0.72);
  if (seed < 0.85) return vec3(0.82, 0.2, 0.22);
  return vec3(0.3, 0.42, 0.85);
}

void main() {
  float seed = turn.y;
  float angle = turn.x * 6.2831853;
  vec2 way = vec2(sin(angle), cos(angle));
  mat3 around = mat3(way.y, 0.0, -way.x, 0.0, 1.0, 0.0, way.x, 0.0, way.y);
  vec3 foot = awayOf(modelViewMatrix * vec4(spot.xyz, 1.0));
  float far = length(foot) + (1.0 - small) * (seed - 0.5) * 14.0;
  float size = spot.w * step(range.x, far) * mix(step(far, range.y), smoothstep(range.y, range.y * 0.6, far), small);
  if (size <= 0.0) {
    gl_Position = vec4(0.0, 0.0, 2.0, 1.0);
    return;
  }
  vec3 place = around * position * size;
  float sway = seconds * (1.3 + 0.6 * seed) + seed * 40.0 + dot(spot.xz, vec2(0.13, 0.09));
  place.xz += wind * size * mood.y * vec2(sin(sway) + 0.4 * sin(2.7 * sway), cos(0.8 * sway));
  vec4 seen = modelViewMatrix * vec4(spot.xyz + place, 1.0);
  vec3 away = awayOf(seen);
  vec3 normal = around * normal;
  vec3 tone = mix(vec3(0.82, 0.93, 0.92), vec3(1.16, 1.05, 0.84), turn.z) * (0.85 + 0.3 * seed);
  vec3 tinted = colour * mix(vec3(1.0), tone, min(mood.z, 1.0));
  if (mood.z > 1.5) tinted = colour * petal(seed);
  // Leaves let some of the light through.
  float through = 0.22 * max(0.0, 0.4 - dot(normal, toLight) * 0.6) * shine;
  vec3 lit = tinted * (lightOn(normal, mood.x) + beam * through * mood.x);
  float clear = clarity(away, edgeOf(foot));
  behind = skyOf(normalize(away));
#ifdef LEAFY
  leaf = position * (0.55 + 0.2 * seed) + seed * 7.0;
  shown = seenBy(lit);
  // How much it is turned to the eye; whether it is a leaf at all; how clear the air is.
  rim = vec3(abs(dot(normal, normalize(away))), step(0.9, mood.z), clear);
#else
  shown = mix(behind, seenBy(lit), clear);
#endif
  gl_Position = projectionMatrix * seen;
}`;

export const FRAGMENT = /* glsl */ `
varying vec3 shown;
#ifdef LEAFY
uniform sampler2D noise;
uniform float ragged;
varying vec3 leaf, behind, rim;
#endif
void main() {
  vec3 colour = shown;
#ifdef LEAFY
  float one = texture2D(noise, leaf.xy * 1.1 + leaf.z * 0.43).r;
  float other = texture2D(noise, leaf.zy * 0.9 - leaf.x * 0.37).a;
  float leaves = 0.5 * (one + other);
  // Crowns end in leaves, not in a line.
  if (rim.y * ragged * (0.62 - rim.x) > leaves * 0.85) discard;
  colour *= mix(1.0, 0.35 + 1.3 * leaves, rim.y);
  colour = mix(behind, colour, rim.z);
#endif
  gl_FragColor = vec4(colour, 1.0);
  #include <tonemapping_fragment>
  #include <colorspace_fragment>
}`;
