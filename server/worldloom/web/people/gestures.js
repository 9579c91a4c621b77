/** What bodies can show. 0 to 15 are the protocol's, from 16 on this client's own emotes. */
import { Gesture } from "worldloom";

/** @enum {number} */
export const Emote = Object.freeze({
  WAVE: 16, DANCE: 17, CHEER: 18, CLAP: 19, BOW: 20, POINT: 21, NOD: 22, SHRUG: 23,
});

/** Titles, in the order of the digit keys from 1. @type {[number, string][]} */
export const EMOTES = [
  [Emote.WAVE, "Wave"], [Emote.DANCE, "Dance"], [Emote.CHEER, "Cheer"], [Emote.CLAP, "Clap"], [Emote.BOW, "Bow"],
  [Emote.POINT, "Point"], [Emote.NOD, "Nod"], [Emote.SHRUG, "Shrug"],
];

/** @param {number} gesture @returns {boolean} whether a body that shows it may be on its way */
export function mayMove(gesture) {
  return gesture < 16 && gesture !== Gesture.STAND && gesture !== Gesture.SIT;
}
