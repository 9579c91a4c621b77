/** How somebody looks: a body and its colours. Pure. */
import { CLOTHES, HAIRS, SKINS, defaultLook } from "worldloom";

export { CLOTHES as CLOTHS, HAIRS, SKINS };

/** Bodies there are: `figures.js` draws them in this order. */
export const BODIES = ["Short hair", "Tunic and long hair", "Broad, with a cap", "Slim, with a bun"];

/**
 * @typedef {{ body: number, skin: number, hair: number, top: number, legs: number }} Look body: an index of BODIES. The
 *   others: 0xRRGGBB
 * @typedef {{ body: number, skin: number, hair: number, top: number, legs: number }} Choice the same as numbers of what
 *   there is to choose from: it goes over the wire
 */

/**
 * The look of somebody, whoever asks.
 *
 * @param {{ look?: Choice | null } | null | undefined} person as the server told of them, if it did
 * @param {number} avatar its id
 * @returns {Look}
 */
export function lookOf(person, avatar) {
  return coloured(person?.look ?? defaultLook(avatar));
}

/** The wire has room for more bodies than are drawn here. @param {Choice} choice @returns {Look} */
function coloured({ body, skin, hair, top, legs }) {
  return {
    body: body % BODIES.length, skin: SKINS[skin % SKINS.length], hair: HAIRS[hair % HAIRS.length],
    top: CLOTHES[top % CLOTHES.length], legs: CLOTHES[legs % CLOTHES.length],
  };
}

/** Ids that follow each other are to look unlike. @param {number} id @returns {number} 32 bits */
export function mixed(id) {
  let hash = Math.imul(id ^ (id >>> 16), 0x45d9f3b);
  hash = Math.imul(hash ^ (hash >>> 16), 0x45d9f3b);
  return (hash ^ (hash >>> 16)) >>> 0;
}
