/**
 * Units of the wire, and how they become metres and radians.
 *
 * On the wire x and z count 1/64 m, y counts 1/16 m and a yaw 1/256 turns.
 */
export { CorrectionReason, Gesture, RegionState, SayKind } from "./protocol.generated.js";

export const VERSION = 1;
export const HORIZONTAL = 64;
export const VERTICAL = 16;
export const TURN = 256;
export const TICK_MS = 50;

/** In a Move: put the body on the ground. */
export const ON_GROUND = -32768;

/** The ids of guests have this bit. */
export const GUEST_BIT = 0x80000000;

/**
 * @param {number} yaw in 1/256 turns
 * @returns {number} radians, from 0 up; 0 looks to +Z, as `rotation.y` in three.js
 */
export function yawToRadians(yaw) {
  return (yaw / TURN) * 2 * Math.PI;
}

/**
 * @param {number} radians any finite angle
 * @returns {number} 1/256 turns, 0 to 255
 */
export function radiansToYaw(radians) {
  return Math.round((radians / (2 * Math.PI)) * TURN) & 255;
}

/**
 * @param {number} x in 1/64 m
 * @returns {number} index of its region
 */
export function regionOf(x) {
  return x >> 14;
}
