/** Times, distances and directions in words. Pure. */

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const WINDS = ["south", "south-east", "east", "north-east", "north", "north-west", "west", "south-west"];

/** @param {number} ms @returns {string} how long that is: "40 s", "3 min", "2 h", "5 days" */
export function duration(ms) {
  if (ms === Infinity) return "without end";
  if (ms < MINUTE) return `${Math.max(1, Math.round(ms / 1000))} s`;
  if (ms < HOUR) return `${Math.round(ms / MINUTE)} min`;
  if (ms < DAY) return `${Math.round(ms / HOUR)} h`;
  const days = Math.round(ms / DAY);
  return `${days} ${days === 1 ? "day" : "days"}`;
}

/** @param {number} then Unix time in ms; 0: never @param {number} [now] @returns {string} */
export function ago(then, now = Date.now()) {
  if (!then) return "never";
  return now - then < 10_000 ? "just now" : `${duration(now - then)} ago`;
}

/** @param {number} ms Unix time @returns {string} in the words of this browser */
export function when(ms) {
  return new Date(ms).toLocaleString(undefined, { dateStyle: "medium", timeStyle: "short" });
}

/** @param {number} metres @returns {string} */
export function distance(metres) {
  return metres < 1000 ? `${Math.round(metres)} m` : `${(metres / 1000).toFixed(1)} km`;
}

/** @param {number} dx metres to the east @param {number} dz to the south @returns {string} a wind */
export function direction(dx, dz) {
  return WINDS[Math.round(Math.atan2(dx, dz) / (Math.PI / 4)) & 7];
}
