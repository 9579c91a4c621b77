/** People in view: bodies, shadows, names and words. What others use of it is `app.people`. */
import { Gesture } from "worldloom";
import { Crowd } from "./crowd.js";
import { nearest } from "./nearest.js";
import { ME, Roster } from "./roster.js";
import { Tags } from "./tags.js";

/** Feet are set on the ground that is drawn, within that. */
const FOOTED_M = 35;
const FOOT_ERROR_M = 0.45;
const SHADOW_M = 32;
/** Water that one can stand in. */
const WADE_M = 0.95;
/** In a frame that nobody asked for: somebody near moves. */
const STIRS_M = 40;
const CHOOSE_MS = 250;
const CHOSEN = 48;

/** @param {import("../app/app.js").App} app */
export function install(app) {
  const layer = new PeopleLayer(app);
  app.people = layer;
  app.drawn.add(layer);
}

/** What app.js calls People. */
class PeopleLayer {
  name = "people";
  #app;
  #roster;
  #crowd;
  #tags;
  #near = new Int32Array(CHOSEN);
  #chosenAt = 0;

  /** @param {import("../app/app.js").App} app */
  constructor(app) {
    this.#app = app;
    this.#roster = new Roster(app.world);
    this.#crowd = new Crowd(app.drawn.scene, this.#roster.poses.capacity);
    this.#tags = new Tags(app, this.#roster);
    app.world.on("spoke", ({ avatar, text }) => this.bubble(avatar, text));
  }

  /** @param {string} kind @param {(event: any) => void} listener */
  on(kind, listener) {
    return this.#roster.on(kind, listener);
  }

  /** @returns {import("../app/app.js").Somebody[]} nearest first, without you */
  list() {
    const all = [];
    for (const avatar of this.#roster.poses.avatars) if (avatar) all.push(this.#somebody(avatar.id));
    return /** @type {import("../app/app.js").Somebody[]} */ (all).sort((a, b) => a.distance - b.distance);
  }

  /** @param {number} avatar @returns {import("../app/app.js").Somebody | undefined} */
  get(avatar) {
    const slot = this.#roster.slot(avatar);
    return slot ? this.#somebody(avatar) : undefined;
  }

  /** @param {number} avatar @param {string} text */
  bubble(avatar, text) {
    const slot = this.#roster.slot(avatar);
    if (slot === undefined) return;
    this.#app.stage?.stir();
    this.#tags.speak(slot, text);
    this.#chosenAt = 0;
  }

  /**
   * Who stands in a line of sight.
   *
   * @param {{ origin: import("three").Vector3, direction: import("three").Vector3 }} ray
   * @param {number} most metres
   * @returns {import("../app/app.js").Somebody | undefined}
   */
  pick({ origin, direction }, most = 40) {
    const { poses } = this.#roster;
    let found = -1;
    let nearestSoFar = most;
    for (let slot = 1; slot < poses.size; slot++) {
      if (!poses.avatars[slot]) continue;
      const x = poses.x[slot] - origin.x;
      const y = poses.y[slot] + 0.9 - origin.y;
      const z = poses.z[slot] - origin.z;
      const along = x * direction.x + y * direction.y + z * direction.z;
      if (along < 0 || along > nearestSoFar) continue;
      const flat = Math.hypot(x - along * direction.x, z - along * direction.z);
      if (flat > 0.45 || Math.abs(y - along * direction.y) > 1) continue;
      found = slot;
      nearestSoFar = along;
    }
    return found < 0 ? undefined : this.#somebody(/** @type {any} */ (poses.avatars[found]).id);
  }

  /** @param {import("../app/stage.js").Frame} frame */
  frame({ now, dt, tick }) {
    const { poses, motion } = this.#roster;
    const { stage, body, view } = this.#app;
    const eye = /** @type {import("../app/stage.js").Stage} */ (stage).camera.position;
    const e = /** @type {import("../app/stage.js").Stage} */ (stage).camera.matrixWorld.elements;
    poses.update(tick, dt);
    this.#placeMe(dt);
    this.#crowd.begin(eye.x, eye.z);
    let stirs = false;
    for (let slot = 0; slot < poses.size; slot++) {
      if (slot !== ME && !poses.avatars[slot]) continue;
      const dx = poses.x[slot] - eye.x;
      const dy = poses.y[slot] + 0.9 - eye.y;
      const dz = poses.z[slot] - eye.z;
      const distance = this.#roster.distance[slot] = Math.sqrt(dx * dx + dy * dy + dz * dz);
      let gesture = poses.gesture[slot];
      let shade = 0;
      if (slot !== ME && distance < FOOTED_M) {
        shade = this.#footing(slot, gesture);
        if (shade < -WADE_M && poses.y[slot] < 0.3 && gesture <= Gesture.RUN) gesture = Gesture.SWIM;
        stirs ||= distance < STIRS_M && poses.speed[slot] > 0.2;
      } else if (slot === ME) {
        shade = this.#ground(poses.x[slot], poses.z[slot]) ?? poses.y[slot];
      }
      motion.step(slot, gesture, poses.speed[slot], dt);
      if (slot === ME && view?.mode === "first") continue;
      // Behind the eye, by the camera's third axis, which looks back.
      if (dx * e[8] + dy * e[9] + dz * e[10] > 2.5) continue;
      this.#crowd.put(poses.x[slot], poses.y[slot], poses.z[slot], poses.yaw[slot] * 2 * Math.PI, distance,
        this.#roster.bodies[slot], motion.angles, slot * 16, this.#roster.looks, slot * 4);
      if (distance < SHADOW_M && shade > -0.2) this.#shadow(slot, shade);
    }
    this.#crowd.end();
    if (stirs) stage?.stir();
    if (now - this.#chosenAt > CHOOSE_MS) this.#choose(now);
    this.#tags.frame(now, body?.pose.gesture ?? 0);
    this.#roster.tell();
  }

  dispose() {
    this.#crowd.dispose();
    this.#tags.dispose();
  }

  /** @param {number} dt */
  #placeMe(dt) {
    const { poses } = this.#roster;
    const { x, y, z, yaw, gesture } = this.#app.body?.pose ?? this.#app.world.me;
    const way = dt > 0 ? Math.min(Math.hypot(x - poses.x[ME], z - poses.z[ME]) / dt, 20) : 0;
    poses.speed[ME] += (way - poses.speed[ME]) * Math.min(1, dt * 12);
    poses.x[ME] = x;
    poses.y[ME] = y;
    poses.z[ME] = z;
    poses.yaw[ME] = yaw / (2 * Math.PI);
    poses.gesture[ME] = gesture;
  }

  /** Sets a near one's feet on the ground that is drawn. @param {number} slot @param {number} gesture @returns {number} that ground's height */
  #footing(slot, gesture) {
    const { poses } = this.#roster;
    const ground = this.#ground(poses.x[slot], poses.z[slot]);
    if (ground === undefined) return poses.y[slot];
    const surface = Math.max(ground, 0);
    const floats = gesture === Gesture.AIR || gesture === Gesture.FLY;
    if (!floats && Math.abs(poses.y[slot] - surface) < FOOT_ERROR_M) {
      poses.y[slot] = gesture === Gesture.SWIM || ground < -WADE_M ? surface : ground;
    }
    return ground;
  }

  /** @param {number} slot @param {number} ground metres */
  #shadow(slot, ground) {
    const { poses } = this.#roster;
    const over = Math.max(0, poses.y[slot] - ground);
    if (over < 6) this.#crowd.shadow(poses.x[slot], Math.max(ground, 0), poses.z[slot], 1.15 / (1 + 0.25 * over));
  }

  /** @param {number} now */
  #choose(now) {
    this.#chosenAt = now;
    const count = nearest(this.#roster.distance, this.#roster.poses.size, this.#near);
    this.#roster.ask(this.#near, count);
    this.#tags.choose(this.#near, count, now, (x, z) => this.#ground(x, z));
  }

  /** @param {number} x @param {number} z @returns {number | undefined} */
  #ground(x, z) {
    return this.#app.tiles?.ground(x, z) ?? this.#app.world.ground(x, z);
  }

  /** @param {number} avatar of one in view @returns {import("../app/app.js").Somebody} */
  #somebody(avatar) {
    const { poses } = this.#roster;
    const slot = /** @type {number} */ (this.#roster.slot(avatar));
    const { name = this.#app.world.knownName(avatar) ?? "", kind = "", of = "" } = this.#roster.person(avatar) ?? {};
    const [x, y, z] = [poses.x[slot], poses.y[slot], poses.z[slot]];
    return { avatar, name, kind, of, x, y, z, distance: Math.hypot(x - poses.x[ME], z - poses.z[ME]) };
  }
}
