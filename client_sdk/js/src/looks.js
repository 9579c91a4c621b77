/** Looks: which of the bodies somebody has, and in which colours. Pure. */
import { LOOK_SIZES } from "./protocol.generated.js";

/**
 * @typedef {{ body: number, skin: number, hair: number, top: number, legs: number }} Look numbers below those of
 *   `LOOK_SIZES`; the colours are those of `SKINS`, `HAIRS` and, for the last two, `CLOTHES`
 */

const PARTS = /** @type {(keyof Look)[]} */ (Object.keys(LOOK_SIZES));

/**
 * The look of somebody who never chose one: the same for whoever looks.
 *
 * @param {number} avatar
 * @returns {Look}
 */
export function defaultLook(avatar) {
  let mixed = avatar >>> 0;
  for (let i = 0; i < 2; i++) mixed = Math.imul(mixed ^ (mixed >>> 16), 0x45d9f3b) >>> 0;
  mixed = (mixed ^ (mixed >>> 16)) >>> 0;
  return look((size) => {
    const number = mixed % size;
    mixed = Math.floor(mixed / size);
    return number;
  });
}

/**
 * @param {Uint8Array} bytes of the wire; what a newer server has more of is shown as something that is there
 * @param {number} avatar whose; the look that follows from it is taken where there are no bytes
 * @returns {Look}
 */
export function readLook(bytes, avatar) {
  return bytes.length < PARTS.length ? defaultLook(avatar) : look((size, i) => bytes[i] % size);
}

/**
 * @param {Look | null} look null: the one that follows from the avatar id
 * @returns {Uint8Array}
 */
export function writeLook(look) {
  if (!look) return new Uint8Array();
  return Uint8Array.from(PARTS, (part) => {
    const number = look[part];
    if (Number.isInteger(number) && number >= 0 && number < LOOK_SIZES[part]) return number;
    throw new RangeError(`expected a ${part} from 0 to ${LOOK_SIZES[part] - 1}, got ${number}`);
  });
}

/** @param {Look} a @param {Look | undefined} b */
export function sameLook(a, b) {
  return b !== undefined && PARTS.every((part) => a[part] === b[part]);
}

/** @param {(size: number, i: number) => number} numberOf @returns {Look} */
function look(numberOf) {
  return /** @type {Look} */ (Object.fromEntries(PARTS.map((part, i) => [part, numberOf(LOOK_SIZES[part], i)])));
}
