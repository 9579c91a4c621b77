/** Whether to come back after a closing, and when. Pure. */

/** The codes after which the same client would only be closed again. */
const FOR_GOOD = new Set([1000, 1002, 1003, 1007, 1008, 1009, 4001, 4002]);
/** The server ends the session at once: there is nothing to resume. */
const NOTHING_LEFT = new Set([1000, 1002, 1003, 1007, 1008, 1009, 4002]);
/** Something is wrong there, or there is too much of it: not at once. */
const A_FEW_SECONDS = new Set([1011, 1013]);
const FEW_MS = 3_000;
const FIRST_MS = 250;
const MOST_MS = 30_000;
/** So long a server may not have noticed that a connection is dead. */
const UNNOTICED_MS = 40_000;

/** Codes of Goodbye: sent out, and no program shall argue. */
const SENT_OUT = new Set(["kicked", "banned", "revoked"]);
export const REMOVED = 4002;

/**
 * For a client that was in the world before.
 *
 * @param {number} code of the closing; 1005 and 1006: none came
 * @param {{ refused?: string, lostMs?: number, resumeMs?: number }} [more] `refused`: the code of the Refused that
 *   answered Hello. `lostMs`: how long ago the connection was lost. `resumeMs`: of the world's limits
 * @returns {boolean}
 */
export function comesBack(code, { refused = "", lostMs = 0, resumeMs = 0 } = {}) {
  // Our own body of a moment ago may still have the name. Later it is somebody else's.
  if (refused === "name_taken") return lostMs < resumeMs + UNNOTICED_MS;
  // The codes of applications that nobody has told us of: a reason of the server's, better not to argue.
  return !FOR_GOOD.has(code) && !(code >= 4000 && code <= 4999);
}

/** @param {number} code @returns {boolean} whether a resume token may still be good */
export function mayResume(code) {
  return !NOTHING_LEFT.has(code);
}

/** @param {string} goodbye the code of a Goodbye in the world @returns {boolean} */
export function isSentOut(goodbye) {
  return SENT_OUT.has(goodbye);
}

/**
 * @param {number} attempt from 0
 * @param {number} code of the closing
 * @param {number} retryAfterMs as the server asked, or 0
 * @param {number} random 0 to 1
 * @returns {number} ms
 */
export function waitMs(attempt, code, retryAfterMs, random) {
  const most = Math.min(MOST_MS, FIRST_MS * 2 ** Math.min(attempt, 16));
  // Half of it by chance, so that not all come at once.
  const own = most * (0.5 + 0.5 * random);
  return (retryAfterMs || (A_FEW_SECONDS.has(code) ? FEW_MS : 0)) + own;
}
