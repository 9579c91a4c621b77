/** How ground is drawn: its picture made finer by noise, rock where it is steep, the sea over what lies below it. */
import { AIR_GLSL, AWAY_GLSL } from "./air.js";

/** Metres that the skirts hang down. */
const SKIRT_M = 14;

const SHARED = /* glsl */ `
${AIR_GLSL}
uniform sampler2D colours, shapes;
varying vec2 inside;
varying vec3 away;
varying float up;

// Light comes to what lies under water through it, and so does the look of it.
vec3 drowned(vec3 colour, float depth, vec3 toEye) {
  float way = depth * (1.0 + 0.6 / max(toEye.y, 0.25));
  vec3 left = exp(-way * vec3(0.42, 0.11, 0.085));
  vec3 light = beam * max(toLight.y, 0.0) * 0.55 + skyLight * 0.6;
  vec3 water = mix(vec3(0.06, 0.36, 0.37), vec3(0.012, 0.1, 0.2), 1.0 - exp(-depth * 0.13)) * light;
  return colour * left + water * (1.0 - exp(-way * 0.3));
}
`;

export const VERTEX = /* glsl */ `
${SHARED}
${AWAY_GLSL}
attribute vec3 place;
attribute float height;
#ifndef RICH
varying vec3 lit, behind;
varying float clear;
#endif
void main() {
  up = height / 32.0;
  inside = place.xy;
  vec4 seen = modelViewMatrix * vec4(place.x, up - ${SKIRT_M.toFixed(1)} * place.z, place.y, 1.0);
  away = awayOf(seen);
#ifndef RICH
  vec4 shape = texture2D(shapes, (place.xy / 2.0 + 0.5) / 129.0);
  vec2 lean = shape.rg * 2.0 - 1.0;
  vec3 normal = vec3(lean.x, sqrt(max(0.0, 1.0 - dot(lean, lean))), lean.y);
  lit = lightOn(normal, shape.b);
  clear = clarity(away, edgeOf(away));
  behind = skyOf(normalize(away));
#endif
  gl_Position = projectionMatrix * seen;
}`;

export const FRAGMENT = /* glsl */ `
${SHARED}
#ifndef RICH
varying vec3 lit, behind;
varying float clear;
#endif

vec3 ground(out float wetness) {
  float far = length(away);
  vec2 at = inside / 256.0;
  // Whole numbers of repeats in a region: no seam; without a common divisor: no pattern.
  vec4 mid = texture2D(noise, at * 23.0);
#ifdef RICH
  vec4 broad = texture2D(noise, at * 5.0);
  vec4 fine = texture2D(noise, at * 107.0);
  vec4 grain = texture2D(noise, at.yx * 397.0);
  vec2 uv = ((inside + (mid.gb - 0.5) * 3.4 + (broad.ar - 0.5) * 2.4) / 2.0 + 0.5) / 129.0;
#else
  vec2 uv = ((inside + (mid.gb - 0.5) * 3.0) / 2.0 + 0.5) / 129.0;
#endif
  vec4 base = texture2D(colours, uv);
#ifdef RICH
  float detail = exp(-far / 55.0);
  vec4 shape = texture2D(shapes, (inside / 2.0 + 0.5) / 129.0);
  vec2 lean = shape.rg * 2.0 - 1.0;
  vec3 normal = vec3(lean.x, sqrt(max(0.0, 1.0 - dot(lean, lean))), lean.y);
  float steep = smoothstep(0.78, 0.66, normal.y + (mid.r - 0.5) * 0.22 + (fine.r - 0.5) * 0.08) * step(0.5, up);
  // Snow lies as its class says, but not on walls.
  vec3 stone = mix(vec3(0.165, 0.15, 0.135), vec3(0.27, 0.25, 0.225), mid.a);
  stone *= 0.88 + 0.11 * sin(up * 1.15 + broad.r * 9.0 + mid.r * 2.5);
  vec3 albedo = mix(base.rgb, stone, steep);
  float grass = base.a * (1.0 - steep);
  float rough = mix(shape.a, 1.0, steep);
  vec3 tone = mix(vec3(0.84, 0.93, 0.9), vec3(1.14, 1.04, 0.84), broad.r);
  albedo *= mix(vec3(1.0), tone, 0.25 + 0.6 * grass);
  float uneven = (mid.a - 0.5) * (0.16 + 0.36 * grass + 0.25 * rough);
  albedo *= 1.0 + uneven + (fine.r - 0.5) * detail * (0.3 + 0.5 * max(grass, rough));
  float close = exp(-far / 9.0);
  albedo *= 1.0 + (grain.r - 0.5) * close * (0.35 + 0.55 * max(grass, rough));
  vec2 bump = (grain.gb - 0.5) * close * 0.7 + (mid.gb - 0.5) * (0.12 + 0.55 * rough);
  bump += (fine.gb - 0.5) * detail * (0.25 + 0.5 * rough);
  normal = normalize(normal + vec3(bump.x, 0.0, bump.y));
  vec3 light = lightOn(normal, shape.b);
  float tide = up - 0.16 * sin(seconds * 0.55 + mid.r * 7.0);
  wetness = (1.0 - smoothstep(0.15, 1.0, up)) * (1.0 - grass * 0.6);
  albedo *= 1.0 - 0.4 * wetness;
#else
  vec3 albedo = base.rgb * (0.8 + 0.4 * mid.a);
  vec3 light = lit;
  float tide = up;
  wetness = 0.0;
  albedo *= 1.0 - 0.35 * (1.0 - smoothstep(0.15, 0.8, up));
#endif
  vec3 colour = albedo * light;
  if (up < 0.0) colour = drowned(colour, -up, normalize(-away));
  // A line of foam where the sea meets the land.
  float foam = smoothstep(0.22, 0.02, abs(tide + 0.06)) * smoothstep(0.3, 0.75, mid.r + 0.25) * exp(-far / 160.0);
  return seenBy(mix(colour, light * 0.8, foam * 0.6));
}

void main() {
  float wetness;
  vec3 colour = ground(wetness);
#ifdef RICH
  float edge = edgeOf(away);
  edge += (texture2D(noise, inside / 256.0 * 3.0).r - 0.5) * 0.7 * edge * (1.0 - edge) * 2.0;
  float clear = clarity(away, edge);
  vec3 behind = skyOf(normalize(away));
#endif
  gl_FragColor = vec4(mix(behind, colour, clear), 1.0);
  #include <tonemapping_fragment>
  #include <colorspace_fragment>
}`;
