/** The view: from your own eyes or from behind, never under the ground. */
import { Gesture } from "worldloom";
import { turn } from "./body.js";

const EYES_M = 1.52;
const EYES_SITTING_M = 0.86;
const EYES_SWIMMING_M = 0.38;
const MOST_UP = 1.35;
const MOST_DOWN = -1.45;
const FARTHEST_M = 12;
/** Nearer than that: from one's own eyes. */
const NEAREST_M = 1.6;
const USUAL_M = 4.6;
const CLEAR_M = 0.4;
const FOLLOW_PER_S = 1.8;
const STILL = matchMedia("(prefers-reduced-motion: reduce)");

/** It is an app.js View. */
export class View {
  mode = /** @type {"first" | "third"} */ ("third");
  pitch = -0.16;
  yaw;
  /** Metres behind, in third person. */
  distance = USUAL_M;
  #app;
  #drawn = USUAL_M;
  #height = EYES_M;
  #steps = 0;
  #turned = false;

  /** @param {import("../app/app.js").App} app @param {number} yaw radians */
  constructor(app, yaw) {
    this.#app = app;
    this.yaw = yaw;
    app.drawn.camera.rotation.order = "YXZ";
  }

  /** Look where the body goes by itself, unless somebody turned the view on this walk. @param {number} yaw radians @param {number} dt */
  follow(yaw, dt) {
    if (!this.#turned) this.yaw += turn(this.yaw, yaw) * (1 - Math.exp(-FOLLOW_PER_S * dt));
  }

  /** The walk is over. */
  free() {
    this.#turned = false;
  }

  /** @param {number} turn radians to the left @param {number} lift radians up */
  look(turn, lift) {
    this.#turned ||= turn !== 0;
    this.yaw = (this.yaw + turn) % (2 * Math.PI);
    this.pitch = Math.min(Math.max(this.pitch + lift, MOST_DOWN), MOST_UP);
  }

  toggle() {
    this.mode = this.mode === "first" ? "third" : "first";
    if (this.mode === "third") this.distance = Math.max(this.distance, USUAL_M);
  }

  /** @param {number} factor above 1: further away */
  zoom(factor) {
    if (this.mode === "first") {
      if (factor > 1) {
        this.mode = "third";
        this.distance = NEAREST_M + 0.4;
      }
      return;
    }
    this.distance = Math.min(this.distance * factor, FARTHEST_M);
    if (this.distance >= NEAREST_M) return;
    this.distance = NEAREST_M;
    this.mode = "first";
  }

  /** @param {number} dt seconds @param {number} speed of the body, m/s */
  frame(dt, speed) {
    const { body, settings, drawn: { camera } } = this.#app;
    const { pose } = body;
    const fov = settings.get("fieldOfView");
    if (camera.fov !== fov) {
      camera.fov = fov;
      camera.updateProjectionMatrix();
    }
    const eased = STILL.matches ? 1 : 1 - Math.exp(-14 * dt);
    this.#height += (eyes(pose.gesture) - this.#height) * Math.min(1, 8 * dt);
    this.#drawn += ((this.mode === "first" ? 0 : this.distance) - this.#drawn) * eased;
    if (this.mode === "first" && this.#drawn < 0.05) this.#drawn = 0;
    this.#steps += speed * dt * 2.1;
    const bob = settings.get("headBob") && this.mode === "first" && pose.gesture !== Gesture.AIR
      ? 0.026 * Math.min(speed / 3, 1.4) * Math.sin(this.#steps * 2) : 0;
    const flat = Math.cos(this.pitch) * this.#drawn;
    const x = pose.x - Math.sin(this.yaw) * flat;
    const z = pose.z - Math.cos(this.yaw) * flat;
    // From behind one looks over the head.
    const over = Math.min(this.#drawn, 3) * 0.06;
    const y = pose.y + this.#height + bob + over - Math.sin(this.pitch) * this.#drawn;
    camera.position.set(x, Math.max(y, this.#lowest(pose, x, z)), z);
    camera.rotation.set(this.pitch, this.yaw + Math.PI, 0);
    camera.updateMatrixWorld();
  }

  /** So that neither the ground here nor what lies between hides the body. @param {{ x: number, y: number, z: number }} pose @param {number} x @param {number} z */
  #lowest(pose, x, z) {
    const here = this.#ground(x, z);
    const between = this.#ground((pose.x + x) / 2, (pose.z + z) / 2);
    return Math.max(here, 0, between - 0.2) + CLEAR_M;
  }

  /** @param {number} x @param {number} z @returns {number} metres */
  #ground(x, z) {
    return this.#app.tiles?.ground(x, z) ?? this.#app.world.ground(x, z) ?? -Infinity;
  }
}

/** @param {number} gesture @returns {number} metres over the feet */
function eyes(gesture) {
  if (gesture === Gesture.SIT) return EYES_SITTING_M;
  return gesture === Gesture.SWIM ? EYES_SWIMMING_M : EYES_M;
}
