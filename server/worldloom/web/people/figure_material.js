/** How figures are drawn: their limbs turn in the vertex shader, and each has colours of its own. */
import { MeshLambertMaterial } from "three";
import { JOINT_AT } from "./figures.js";

const { hip, hipX, knee, shoulder, shoulderX, elbow, neck } = JOINT_AT;
/** @param {number} metres */
const f = (metres) => metres.toFixed(4);

/** `place`: x, y, z from the anchor, yaw in radians. The others: see `postures.js`; `look`: colours as numbers. */
const VERTEX = /* glsl */`
attribute vec3 rig;
attribute vec4 place;
attribute vec4 arms;
attribute vec4 legs;
attribute vec4 trunk;
attribute vec4 head;
attribute vec4 look;
varying vec3 vTint;

// Positive: what hangs down goes to the front.
void toFront(inout vec3 p, inout vec3 n, vec3 pivot, float angle) {
  float c = cos(angle), s = sin(angle);
  mat2 m = mat2(c, -s, s, c);
  p.yz = m * (p.yz - pivot.yz) + pivot.yz;
  n.yz = m * n.yz;
}

void about(inout vec2 p, inout vec2 n, vec2 pivot, float angle) {
  float c = cos(angle), s = sin(angle);
  mat2 m = mat2(c, s, -s, c);
  p = m * (p - pivot) + pivot;
  n = m * n;
}

void hold(inout vec3 p, inout vec3 n) {
  bool left = rig.x == 2.0 || rig.x == 4.0;
  float side = left ? 1.0 : -1.0;
  if (rig.x > 3.5) {
    toFront(p, n, vec3(0.0, ${f(knee)}, 0.0), -rig.y * (left ? legs.z : legs.w));
    toFront(p, n, vec3(0.0, ${f(hip)}, 0.0), left ? legs.x : legs.y);
  } else if (rig.x > 1.5) {
    toFront(p, n, vec3(0.0, ${f(elbow)}, 0.0), rig.y * (left ? trunk.z : trunk.w));
    toFront(p, n, vec3(0.0, ${f(shoulder)}, 0.0), left ? arms.x : arms.y);
    about(p.xy, n.xy, vec2(side * ${f(shoulderX)}, ${f(shoulder)}), side * (left ? arms.z : arms.w));
  } else if (rig.x > 0.5) {
    toFront(p, n, vec3(0.0, ${f(neck)}, 0.0), -head.x);
    about(p.zx, n.zx, vec2(0.0), head.y);
  }
  if (rig.x < 3.5) {
    about(p.zx, n.zx, vec2(0.0), head.z);
    toFront(p, n, vec3(0.0, ${f(hip)}, 0.0), -trunk.x);
  }
  about(p.xy, n.xy, vec2(0.0), head.w);
  p.y += trunk.y;
  about(p.zx, n.zx, vec2(0.0), place.w);
}

vec3 tintOf(float packed) {
  vec3 srgb = vec3(floor(packed / 65536.0), mod(floor(packed / 256.0), 256.0), mod(packed, 256.0)) / 255.0;
  return pow(srgb, vec3(2.2));
}
`;

const BEGIN = /* glsl */`
vec3 objectNormal = normal;
vec3 held = position;
hold(held, objectNormal);
int tint = int(rig.z + 0.5);
float packed = tint == 0 ? look.x : tint == 1 ? look.y : tint == 2 ? look.z : look.w;
vTint = tint == 6 ? vec3(0.86, 0.84, 0.8) : tint == 5 ? vec3(0.015, 0.012, 0.012) : tintOf(packed) * (tint == 4 ? 0.35 : 1.0);
// Nothing is quite black: of black hair at night there would be an outline alone.
vTint += 0.012;
// A little darker towards the feet: it sets them on the ground.
vTint *= mix(0.78, 1.0, smoothstep(0.0, 1.1, position.y));
`;

/** @returns {MeshLambertMaterial} for geometry of `figures.js` with the instances' attributes */
export function figureMaterial() {
  const material = new MeshLambertMaterial({ color: 0xffffff });
  material.onBeforeCompile = (shader) => {
    shader.vertexShader = shader.vertexShader
      .replace("#include <common>", `#include <common>\n${VERTEX}`)
      .replace("#include <beginnormal_vertex>", BEGIN)
      .replace("#include <begin_vertex>", "vec3 transformed = held + place.xyz;");
    shader.fragmentShader = shader.fragmentShader
      .replace("#include <common>", "#include <common>\nvarying vec3 vTint;")
      .replace("#include <color_fragment>", "#include <color_fragment>\ndiffuseColor.rgb *= vTint;");
  };
  return material;
}
