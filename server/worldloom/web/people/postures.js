/** How a body holds itself: angles of its joints by what it does. Pure, and makes no garbage. */
import { Gesture } from "worldloom";
import { Emote } from "./gestures.js";

/**
 * Angles of one body, in radians: a limb's pitch is positive to the front, its roll away from the body, knees and elbows
 * bend as they do. LIFT is in metres.
 *
 * @enum {number}
 */
export const Joint = Object.freeze({
  ARM_L: 0, ARM_R: 1, ARM_OUT_L: 2, ARM_OUT_R: 3, LEG_L: 4, LEG_R: 5, KNEE_L: 6, KNEE_R: 7, LEAN: 8, LIFT: 9, ELBOW_L: 10,
  ELBOW_R: 11, HEAD_DOWN: 12, HEAD_TURN: 13, TWIST: 14, SWAY: 15,
});
export const JOINTS = 16;
const J = Joint;
const RUN_M_S = 4.6;

/**
 * @param {Float32Array} out angles of many bodies
 * @param {number} at where this one's begin
 * @param {number} gesture
 * @param {number} speed metres a second
 * @param {number} phase of its gait, in turns
 * @param {number} t seconds, its own: no two breathe alike
 */
export function pose(out, at, gesture, speed, phase, t) {
  out.fill(0, at, at + JOINTS);
  switch (gesture) {
    case Gesture.AIR: return air(out, at, t);
    case Gesture.SWIM: return swim(out, at, speed, phase, t);
    case Gesture.SIT: return sit(out, at, t);
    case Gesture.FLY: return fly(out, at, t);
    default:
  }
  gait(out, at, speed, phase, t);
  if (gesture >= Emote.WAVE) emote(out, at, gesture, t);
}

/** @param {number} speed metres a second @returns {number} metres of two steps */
export function stride(speed) {
  return 0.95 + 0.32 * speed;
}

/** Stand, walk and run. @param {Float32Array} out @param {number} at @param {number} speed @param {number} phase @param {number} t */
function gait(out, at, speed, phase, t) {
  const going = Math.min(speed / 1.2, 1);
  const run = Math.min(Math.max((speed - 2.6) / (RUN_M_S - 2.6), 0), 1);
  const turn = phase * 2 * Math.PI;
  const swing = Math.sin(turn);
  const other = Math.cos(turn);
  const breath = Math.sin(t * 1.7) * (1 - going);
  const leg = going * (0.52 + 0.38 * run);
  const arm = going * (0.42 + 0.5 * run);
  const knee = going * (0.75 + 0.75 * run);
  out[at + J.LEG_L] = leg * swing + 0.12 * run;
  out[at + J.LEG_R] = -leg * swing + 0.12 * run;
  // A knee bends while its leg comes forward.
  out[at + J.KNEE_L] = knee * Math.max(0, other) + 0.06;
  out[at + J.KNEE_R] = knee * Math.max(0, -other) + 0.06;
  out[at + J.ARM_L] = -arm * swing;
  out[at + J.ARM_R] = arm * swing;
  out[at + J.ARM_OUT_L] = out[at + J.ARM_OUT_R] = 0.1 + 0.02 * breath + 0.06 * run;
  out[at + J.ELBOW_L] = 0.14 + going * 0.18 + 1.15 * run;
  out[at + J.ELBOW_R] = out[at + J.ELBOW_L];
  out[at + J.LEAN] = going * 0.04 + 0.17 * run + 0.012 * breath;
  out[at + J.TWIST] = going * 0.16 * swing;
  out[at + J.SWAY] = going * 0.025 * swing;
  out[at + J.LIFT] = going * (0.022 + 0.05 * run) * Math.cos(2 * turn) - 0.02 * going - 0.02 * run;
  out[at + J.HEAD_TURN] = -0.12 * going * swing + (1 - going) * 0.22 * Math.sin(t * 0.31) * Math.sin(t * 0.83);
  out[at + J.HEAD_DOWN] = -0.12 * run + 0.02 * breath;
}

/** @param {Float32Array} out @param {number} at @param {number} t */
function air(out, at, t) {
  const flail = 0.1 * Math.sin(t * 9);
  out[at + J.LEG_L] = 0.75;
  out[at + J.KNEE_L] = 1.15;
  out[at + J.LEG_R] = -0.2;
  out[at + J.KNEE_R] = 0.75;
  out[at + J.ARM_L] = 0.35 + flail;
  out[at + J.ARM_R] = 0.5 - flail;
  out[at + J.ARM_OUT_L] = out[at + J.ARM_OUT_R] = 0.95;
  out[at + J.ELBOW_L] = out[at + J.ELBOW_R] = 0.5;
  out[at + J.LEAN] = 0.08;
}

/** Feet are told at the surface: the body hangs below it. @param {Float32Array} out @param {number} at @param {number} speed @param {number} phase @param {number} t */
function swim(out, at, speed, phase, t) {
  const going = Math.min(speed / 1.2, 1);
  const turn = phase * 4 * Math.PI + t * 1.2;
  const kick = 0.32 * Math.sin(turn * 1.5 + t * 3);
  out[at + J.LIFT] = -1.14 + 0.36 * going + 0.035 * Math.sin(t * 2.1);
  out[at + J.LEAN] = 0.08 + 1.12 * going;
  out[at + J.LEG_L] = -1.05 * going + kick * (0.4 + 0.6 * going);
  out[at + J.LEG_R] = -1.05 * going - kick * (0.4 + 0.6 * going);
  out[at + J.KNEE_L] = out[at + J.KNEE_R] = 0.35;
  out[at + J.ARM_L] = going * (1.5 + 1.3 * Math.sin(turn)) + (1 - going) * 0.6;
  out[at + J.ARM_R] = going * (1.5 - 1.3 * Math.sin(turn)) + (1 - going) * 0.6;
  out[at + J.ARM_OUT_L] = out[at + J.ARM_OUT_R] = going * 0.3 + (1 - going) * (1.0 + 0.3 * Math.sin(t * 3.2));
  out[at + J.ELBOW_L] = out[at + J.ELBOW_R] = 0.35;
  out[at + J.HEAD_DOWN] = -0.85 * going;
}

/** @param {Float32Array} out @param {number} at @param {number} t */
function sit(out, at, t) {
  const breath = Math.sin(t * 1.5);
  out[at + J.LIFT] = -0.68;
  out[at + J.LEAN] = -0.14 + 0.012 * breath;
  out[at + J.LEG_L] = 1.72;
  out[at + J.LEG_R] = 1.95;
  out[at + J.KNEE_L] = 0.62;
  out[at + J.KNEE_R] = 1.15;
  out[at + J.ARM_L] = 0.62;
  out[at + J.ARM_R] = -0.55;
  out[at + J.ARM_OUT_L] = 0.1;
  out[at + J.ARM_OUT_R] = 0.3;
  out[at + J.ELBOW_L] = 0.5;
  out[at + J.HEAD_TURN] = 0.3 * Math.sin(t * 0.27) * Math.sin(t * 0.71);
  out[at + J.HEAD_DOWN] = -0.05 + 0.02 * breath;
}

/** @param {Float32Array} out @param {number} at @param {number} t */
function fly(out, at, t) {
  out[at + J.LIFT] = 0.25 + 0.06 * Math.sin(t * 1.9);
  out[at + J.LEAN] = 0.95;
  out[at + J.LEG_L] = -0.8 + 0.06 * Math.sin(t * 3);
  out[at + J.LEG_R] = -0.9 - 0.06 * Math.sin(t * 3);
  out[at + J.KNEE_R] = 0.25;
  out[at + J.ARM_L] = out[at + J.ARM_R] = -0.35;
  out[at + J.ARM_OUT_L] = out[at + J.ARM_OUT_R] = 0.85 + 0.08 * Math.sin(t * 2.3);
  out[at + J.HEAD_DOWN] = -0.6;
}

/** Over a body that stands. @param {Float32Array} out @param {number} at @param {number} gesture @param {number} t */
function emote(out, at, gesture, t) {
  const beat = t * 2 * Math.PI;
  switch (gesture) {
    case Emote.WAVE:
      out[at + J.ARM_OUT_R] = 2.3 + 0.32 * Math.sin(beat * 1.7);
      out[at + J.ELBOW_R] = 0.25;
      out[at + J.SWAY] = 0.05 + 0.02 * Math.sin(beat * 1.7);
      break;
    case Emote.DANCE: {
      const step = Math.sin(beat * 1.1);
      out[at + J.LIFT] = 0.055 * Math.abs(Math.cos(beat * 1.1)) - 0.05;
      out[at + J.SWAY] = 0.13 * step;
      out[at + J.TWIST] = 0.4 * Math.sin(beat * 0.55);
      out[at + J.LEG_L] = out[at + J.KNEE_L] = 0.45 * Math.max(0, step);
      out[at + J.LEG_R] = out[at + J.KNEE_R] = 0.45 * Math.max(0, -step);
      out[at + J.ARM_L] = 0.9 + 0.6 * step;
      out[at + J.ARM_R] = 0.9 - 0.6 * step;
      out[at + J.ARM_OUT_L] = out[at + J.ARM_OUT_R] = 0.7;
      out[at + J.ELBOW_L] = out[at + J.ELBOW_R] = 1.2;
      out[at + J.HEAD_DOWN] = 0.12 * Math.sin(beat * 2.2);
      break;
    }
    case Emote.CHEER:
      out[at + J.ARM_OUT_L] = out[at + J.ARM_OUT_R] = 2.6 + 0.25 * Math.sin(beat * 1.8);
      out[at + J.LIFT] = 0.14 * Math.max(0, Math.sin(beat * 1.8));
      out[at + J.HEAD_DOWN] = -0.2;
      break;
    case Emote.CLAP:
      out[at + J.ARM_L] = out[at + J.ARM_R] = 0.95;
      out[at + J.ELBOW_L] = out[at + J.ELBOW_R] = 0.75;
      out[at + J.ARM_OUT_L] = out[at + J.ARM_OUT_R] = -0.22 + 0.2 * Math.max(0, Math.sin(beat * 2.6));
      break;
    case Emote.BOW:
      out[at + J.LEAN] = 0.9 + 0.05 * Math.sin(t);
      out[at + J.HEAD_DOWN] = 0.3;
      out[at + J.ARM_R] = 0.9;
      out[at + J.ELBOW_R] = 1.5;
      out[at + J.ARM_L] = -0.7;
      break;
    case Emote.POINT:
      out[at + J.ARM_R] = 1.5;
      out[at + J.ELBOW_R] = 0.05;
      out[at + J.ARM_OUT_R] = 0.05;
      break;
    case Emote.NOD:
      out[at + J.HEAD_DOWN] = 0.16 + 0.22 * Math.sin(beat * 1.4);
      break;
    case Emote.SHRUG:
      out[at + J.ARM_OUT_L] = out[at + J.ARM_OUT_R] = 0.6;
      out[at + J.ARM_L] = out[at + J.ARM_R] = 0.35;
      out[at + J.ELBOW_L] = out[at + J.ELBOW_R] = 1.5;
      out[at + J.SWAY] = 0.04;
      break;
    default:
  }
}
