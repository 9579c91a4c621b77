/** The sea: what it reflects. What it hides is drawn with the ground below it. */
import { CircleGeometry, Mesh, ShaderMaterial } from "three";
import { AIR_GLSL, AROUND_M, AWAY_GLSL, airOf } from "./air.js";
import { qualityOf } from "./quality.js";

const VERTEX = /* glsl */ `
${AIR_GLSL}
${AWAY_GLSL}
varying vec3 away;
void main() {
  vec4 seen = modelViewMatrix * vec4(position, 1.0);
  away = awayOf(seen);
  gl_Position = projectionMatrix * seen;
}`;

const FRAGMENT = /* glsl */ `
${AIR_GLSL}
uniform sampler2D depths;
varying vec3 away;
void main() {
  vec2 at = eye + away.xz;
  float far = length(away);
  float depth = texture2D(depths, at / ${AROUND_M}.0).r * 12.0;
  float calm = 1.0 / (1.0 + far * 0.012);
  vec2 tilt = texture2D(noise, at / 32.0 + vec2(seconds * 0.012, seconds * 0.007)).gb - 0.5;
#ifdef RICH
  tilt += texture2D(noise, at / 8.0 - vec2(seconds * 0.031, seconds * -0.022)).gb - 0.5;
  tilt += 0.6 * (texture2D(noise, at / 128.0 + vec2(seconds * 0.004, seconds * -0.006)).gb - 0.5);
#endif
  vec3 normal = normalize(vec3(tilt.x * 0.34 * calm, 1.0, tilt.y * 0.34 * calm));
  vec3 toEye = -away / far;
  float facing = max(dot(normal, toEye), 0.0);
  float mirror = 0.03 + 0.97 * pow(1.0 - facing, 5.0);
  vec3 back = reflect(-toEye, normal);
  back.y = abs(back.y);
  vec3 colour = skyOf(back);
  vec3 halfway = normalize(toEye + toLight);
  float glint = pow(max(dot(normal, halfway), 0.0), 380.0) * smoothstep(0.0, 0.08, toLight.y + 0.02);
  float alpha = mirror * smoothstep(0.0, 0.9, depth) * 0.94;
  float clear = clarity(away, edgeOf(away));
  float shine = min(glint * 3.0, 2.0) * smoothstep(0.0, 0.5, depth) * clear;
  gl_FragColor = vec4(colour + beam * shine, clamp(alpha * clear + shine, 0.0, 1.0));
  #include <tonemapping_fragment>
  #include <colorspace_fragment>
}`;

/** @param {import("../app/app.js").App} app */
export function install(app) {
  const { scene, camera } = app.drawn;
  const surface = new CircleGeometry(2_400, 24).rotateX(-Math.PI / 2);
  const material = new ShaderMaterial({
    vertexShader: VERTEX, fragmentShader: FRAGMENT, uniforms: airOf(app).uniforms, transparent: true, depthWrite: false,
  });
  const sea = new Mesh(surface, material);
  sea.name = "sea";
  sea.frustumCulled = false;
  sea.renderOrder = 2;
  scene.add(sea);
  const set = () => {
    material.defines = qualityOf(app).rich ? { RICH: "" } : {};
    material.needsUpdate = true;
  };
  app.settings.on("changed", ({ name }) => { if (name === "quality") set(); });
  set();
  app.drawn.add({
    name: "water",
    frame: () => {
      sea.position.set(camera.position.x, 0, camera.position.z);
      sea.updateMatrixWorld();
    },
    dispose: () => {
      scene.remove(sea);
      surface.dispose();
      material.dispose();
    },
  });
}
