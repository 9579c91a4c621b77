/** Your own body, ahead of the server: it goes at once where keys and fingers say, and makes good what was refused. */
import { CorrectionReason, Gesture } from "worldloom";
import { HORIZONTAL } from "worldloom/units.js";
import { Barrier } from "./barrier.js";

const WALK_M_S = 3.4;
const RUN_M_S = 6.8;
const SWIM_M_S = 2.4;
/** The SDK keeps to nine tenths of the server's limit. */
const SHARE = 0.85;
/** How fast speed follows what is wanted, per second. */
const GRIP = 11;
const GRIP_IN_AIR = 2.5;
const TURN_PER_S = 12;
const GRAVITY = 15;
/** Up to 1.2 m. */
const LEAP_M_S = 6;
/** Water that one can stand in, see `people.js`. */
const WADE_M = 0.95;
const ARRIVED_M = 0.15;
const RUNS_FROM_M = 9;
/** Moves are told that often while something changes; the SDK sends fewer. */
const TELL_MS = 45;
const EASED_M = 3;
const EASE_PER_S = 8;
/** Feet follow the ground so fast: small steps are not felt. */
const STEP_PER_S = 18;

/** @typedef {import("../app/app.js").App} App */
/** @typedef {import("../app/app.js").Ended} Ended */
/** @typedef {{ forward: number, right: number, run: boolean, jump: boolean }} Intent forward and right: -1 to 1 */

/** What app.js calls Body. */
export class Body {
  /** What is drawn. @type {import("../app/app.js").Pose} */
  pose;
  #app;
  #barrier;
  /** What is told: the same but for the error that is being eased away. */
  #x; #y; #z;
  #vx = 0; #vz = 0; #vy = 0;
  /** The velocity that is wanted. */
  #wishX = 0; #wishZ = 0;
  #air = false;
  /** What it does while it stands. */
  #shown = /** @type {number} */ (Gesture.STAND);
  #errorX = 0; #errorY = 0; #errorZ = 0;
  #goal = /** @type {{ x: number, z: number, done: (how: Ended) => void } | null} */ (null);
  #told = { x: NaN, y: NaN, z: NaN, yaw: NaN, gesture: -1, air: false };
  #toldAt = 0;
  #mayMove = true;

  /** @param {App} app */
  constructor(app) {
    this.#app = app;
    const { x, y, z, yaw } = app.world.me;
    this.pose = { x, y, z, yaw, gesture: Gesture.STAND };
    this.#x = x;
    this.#y = y;
    this.#z = z;
    this.#barrier = new Barrier(app);
    const { scopes } = app.world;
    this.#mayMove = scopes === null || scopes.includes("move");
    app.world.on("corrected", (event) => this.#corrected(event));
    app.world.on("resumed", () => this.#set(app.world.me));
  }

  /** Whether it walks by itself. */
  get walks() { return this.#goal !== null; }
  /** Where to. @returns {{ x: number, z: number } | null} */
  get goal() { return this.#goal; }
  /** Metres a second over the ground. */
  get speed() { return Math.hypot(this.#vx, this.#vz); }

  /**
   * By itself, straight on, until a key is pressed.
   *
   * @param {number} x metres
   * @param {number} z
   * @returns {Promise<Ended>} when it is there, or was stopped
   */
  walkTo(x, z) {
    this.stop();
    this.#app.stage?.stir();
    return new Promise((done) => { this.#goal = { x, z, done }; });
  }

  /** Walk by itself no more. @param {Ended} [how] */
  stop(how = "stopped") {
    this.#goal?.done(how);
    this.#goal = null;
  }

  /** Sit, wave: until it moves. @param {number} gesture */
  gesture(gesture) {
    this.stop();
    this.#shown = gesture === this.#shown ? Gesture.STAND : gesture;
    this.#app.stage?.stir();
  }

  /**
   * @param {Intent} intent
   * @param {number} facing radians of the view: forward is there
   * @param {boolean} faces whether the body looks where the view does
   * @param {number} dt seconds
   * @param {number} now
   */
  step(intent, facing, faces, dt, now) {
    if (!this.#app.world.connected || !this.#mayMove) return this.#rest(dt);
    const floor = this.#floor(this.#x, this.#z);
    const swims = floor < -WADE_M && !this.#air;
    this.#wish(intent, facing, swims);
    const wish = this.#wishX !== 0 || this.#wishZ !== 0;
    const grip = 1 - Math.exp(-(this.#air ? GRIP_IN_AIR : GRIP) * dt);
    this.#vx += (this.#wishX - this.#vx) * grip;
    this.#vz += (this.#wishZ - this.#vz) * grip;
    if (!wish && this.speed < 0.05) this.#vx = this.#vz = 0;
    if (wish && this.#shown !== Gesture.STAND) this.#shown = Gesture.STAND;
    this.#go(dt, now);
    this.#rise(intent, dt, swims);
    const { pose } = this;
    if (faces) pose.yaw = facing;
    else if (wish) pose.yaw += turn(pose.yaw, Math.atan2(this.#wishX, this.#wishZ)) * (1 - Math.exp(-TURN_PER_S * dt));
    pose.gesture = this.#gestureNow(wish, swims);
    this.#tell(now);
    this.#rest(dt);
  }

  /** @param {Intent} intent @param {number} facing @param {boolean} swims */
  #wish({ forward, right, run }, facing, swims) {
    const pushed = Math.hypot(forward, right);
    if (pushed > 0.05) this.stop();
    this.#wishX = this.#wishZ = 0;
    if (this.#goal) this.#towards(this.#goal, swims);
    if (pushed <= 0.05) return;
    const most = Math.min(swims ? SWIM_M_S : run ? RUN_M_S : WALK_M_S, this.#topSpeed);
    const speed = (most * Math.min(pushed, 1)) / pushed;
    const sin = Math.sin(facing);
    const cos = Math.cos(facing);
    this.#wishX = speed * (forward * sin - right * cos);
    this.#wishZ = speed * (forward * cos + right * sin);
  }

  /** @param {{ x: number, z: number }} goal @param {boolean} swims */
  #towards(goal, swims) {
    const dx = goal.x - this.#x;
    const dz = goal.z - this.#z;
    const distance = Math.hypot(dx, dz);
    if (distance < ARRIVED_M) return this.stop("there");
    const pace = swims ? SWIM_M_S : distance > RUNS_FROM_M ? RUN_M_S : WALK_M_S;
    // Slower at the end, so that it does not run past.
    const speed = Math.min(pace, this.#topSpeed, 1 + 3 * distance) / distance;
    this.#wishX = dx * speed;
    this.#wishZ = dz * speed;
    this.#app.stage?.stir();
  }

  get #topSpeed() {
    return (this.#app.world.welcome?.limits.speed ?? 0) / HORIZONTAL * SHARE;
  }

  /** @param {number} dt @param {number} now */
  #go(dt, now) {
    const x = this.#x + this.#vx * dt;
    const z = this.#z + this.#vz * dt;
    if (this.#barrier.stops(this.#x, this.#z, x, z, now)) {
      this.#vx = this.#vz = 0;
      this.stop("held");
      return;
    }
    this.#x = x;
    this.#z = z;
  }

  /** @param {Intent} intent @param {number} dt @param {boolean} swims */
  #rise({ jump }, dt, swims) {
    const floor = this.#floor(this.#x, this.#z);
    // One stands in shallow water; over deep water one is at its surface.
    const level = floor < -WADE_M ? 0 : floor;
    if (jump && !this.#air && !swims) {
      this.#air = true;
      this.#vy = LEAP_M_S;
      this.#shown = Gesture.STAND;
    }
    if (!this.#air) {
      this.#y += (level - this.#y) * (1 - Math.exp(-STEP_PER_S * dt));
      if (Math.abs(level - this.#y) < 0.01 || Math.abs(level - this.#y) > 2) this.#y = level;
      return;
    }
    this.#vy -= GRAVITY * dt;
    this.#y += this.#vy * dt;
    if (this.#y > level || this.#vy > 0) return;
    this.#y = level;
    this.#air = false;
  }

  /** @param {boolean} wish @param {boolean} swims @returns {number} */
  #gestureNow(wish, swims) {
    if (this.#air) return Gesture.AIR;
    if (swims) return Gesture.SWIM;
    if (wish || this.speed > 0.4) return this.speed > (WALK_M_S + RUN_M_S) / 2 ? Gesture.RUN : Gesture.WALK;
    return this.#shown;
  }

  /** What is drawn follows what is told. @param {number} dt */
  #rest(dt) {
    const stays = Math.exp(-EASE_PER_S * dt);
    this.#errorX *= stays;
    this.#errorY *= stays;
    this.#errorZ *= stays;
    this.pose.x = this.#x + this.#errorX;
    this.pose.y = this.#y + this.#errorY;
    this.pose.z = this.#z + this.#errorZ;
  }

  /** @param {number} now */
  #tell(now) {
    const told = this.#told;
    const { yaw, gesture } = this.pose;
    const changed = told.x !== this.#x || told.z !== this.#z || told.gesture !== gesture || told.air !== this.#air
      || Math.abs(turn(told.yaw, yaw)) > 0.02 || Number.isNaN(told.yaw) || (this.#air && told.y !== this.#y);
    if (!changed || now - this.#toldAt < TELL_MS) return;
    this.#toldAt = now;
    told.x = this.#x;
    told.y = this.#y;
    told.z = this.#z;
    told.yaw = yaw;
    told.gesture = gesture;
    told.air = this.#air;
    this.#app.world.move({ x: this.#x, z: this.#z, y: this.#air ? Math.max(this.#y, 0) : null, yaw, gesture });
  }

  /** @param {{ reason: number, x: number, y: number, z: number }} event */
  #corrected({ reason, x, y, z }) {
    this.#barrier.corrected(reason, this.#x - x, this.#z - z);
    // Too fast or too high for a moment: the SDK goes on towards where we are.
    const catchesUp = reason === CorrectionReason.SPEED || reason === CorrectionReason.CLIMB;
    if (catchesUp && Math.hypot(this.#x - x, this.#z - z) < EASED_M) return;
    this.#set({ x, y, z });
  }

  /** @param {{ x: number, y: number, z: number, yaw?: number }} to metres: from now on it is there */
  #set({ x, y, z, yaw }) {
    const [dx, dy, dz] = [this.pose.x - x, this.pose.y - y, this.pose.z - z];
    const eased = Math.hypot(dx, dy, dz) < EASED_M;
    this.#errorX = eased ? dx : 0;
    this.#errorY = eased ? dy : 0;
    this.#errorZ = eased ? dz : 0;
    this.#x = x;
    this.#y = y;
    this.#z = z;
    this.#vx = this.#vz = this.#vy = 0;
    this.#air = false;
    this.#told.gesture = -1;
    if (!eased) {
      this.stop("held");
      if (yaw !== undefined) this.pose.yaw = yaw;
    }
    this.#rest(0);
    this.#app.stage?.stir();
  }

  /** @param {number} x @param {number} z @returns {number} height of the ground, metres; where none is here: of the feet */
  #floor(x, z) {
    return this.#app.tiles?.ground(x, z) ?? this.#app.world.ground(x, z) ?? (this.#air ? -Infinity : this.#app.world.me.y);
  }
}

/** @param {number} from radians @param {number} to @returns {number} the shorter way, -pi to pi */
export function turn(from, to) {
  const way = to - from;
  return way - 2 * Math.PI * Math.round(way / (2 * Math.PI));
}
