/** What the sky is like at a time of day: numbers alone, no graphics. */

/** A day of the world. */
export const DAY_MS = 40 * 60_000;
/** A new world begins in the morning. */
const FIRST = 0.19;

/** Shares of a day, 0 is sunrise. @type {Record<string, number>} */
export const HOURS = { morning: 0.055, noon: 0.29, evening: 0.565, night: 0.83 };

/**
 * @typedef {[number, number, number]} Triple a direction, or red, green and blue of light, not of a screen
 * @typedef {object} Daylight
 * @property {Triple} sun direction to the sun
 * @property {Triple} light direction to what lights: the sun, or the moon
 * @property {number} night 0 to 1: how far stars are seen
 * @property {Triple} beam light from there
 * @property {Triple} sky light from above
 * @property {Triple} ground light from below
 * @property {Triple} zenith
 * @property {Triple} horizon
 * @property {Triple} glow of the horizon below the sun
 * @property {number} haze how much mist lies in the valleys, 0 to 1
 */

/** By height of the sun. Colours as on a screen; `power` multiplies the beam, `fill` what comes from all around. */
const KEYS = [
  {
    // A full moon: darker than any day, and one still sees one's way and other people's faces.
    at: -0.3, beam: "#c6d3f2", power: 0.8, sky: "#93a5ca", ground: "#565c6e", fill: 0.85,
    zenith: "#14264e", horizon: "#4f6388", glow: "#586c94", haze: 0.3, night: 1,
  },
  {
    at: -0.09, beam: "#9dabd4", power: 0.08, sky: "#8c9bc4", ground: "#4c4c5c", fill: 0.78,
    zenith: "#1c3566", horizon: "#74718f", glow: "#c98472", haze: 0.5, night: 0.35,
  },
  {
    at: 0.03, beam: "#ffa666", power: 1.0, sky: "#8d9cc6", ground: "#57504f", fill: 0.72,
    zenith: "#4470b2", horizon: "#dcb9a2", glow: "#ffb273", haze: 0.8, night: 0,
  },
  {
    at: 0.2, beam: "#ffe0b6", power: 1.6, sky: "#adbcd6", ground: "#726d5c", fill: 0.84,
    zenith: "#3b7cc9", horizon: "#c4d4de", glow: "#ffe3ba", haze: 0.7, night: 0,
  },
  {
    at: 0.5, beam: "#fff3e0", power: 1.9, sky: "#b2c6e0", ground: "#7c7864", fill: 0.88,
    zenith: "#2f74c8", horizon: "#bcd5e6", glow: "#e4edf0", haze: 0.28, night: 0,
  },
  {
    at: 0.9, beam: "#fff7e8", power: 2.0, sky: "#b6cae4", ground: "#807c66", fill: 0.9,
    zenith: "#2a6dc4", horizon: "#b4d2e8", glow: "#d4e6f0", haze: 0.18, night: 0,
  },
].map((key) => ({
  ...key, beam: linear(key.beam, key.power), sky: linear(key.sky, key.fill), ground: linear(key.ground, key.fill),
  zenith: linear(key.zenith), horizon: linear(key.horizon), glow: linear(key.glow),
}));

/** @param {number} ms world time @param {string} chosen "world", or one of HOURS @returns {number} share of a day */
export function hourOf(ms, chosen) {
  return HOURS[chosen] ?? (FIRST + ms / DAY_MS) % 1;
}

/** @param {number} hour share of a day, 0 is sunrise @returns {Daylight} */
export function daylightAt(hour) {
  // Days are longer than nights: it is light for six tenths of the time.
  const share = hour < 0.6 ? hour / 1.2 : 0.5 + (hour - 0.6) / 0.8;
  const angle = 2 * Math.PI * share;
  const sun = unit(Math.cos(angle), Math.sin(angle) * 0.86, 0.34 + 0.3 * Math.sin(angle));
  const upper = Math.max(1, KEYS.findIndex(({ at }) => at > sun[1]));
  const [low, high] = sun[1] >= 0.9 ? KEYS.slice(-2) : [KEYS[upper - 1], KEYS[upper]];
  const t = Math.max(0, Math.min(1, (sun[1] - low.at) / (high.at - low.at)));
  /** @param {Triple} a @param {Triple} b @returns {Triple} */
  const mix = (a, b) => [a[0] + (b[0] - a[0]) * t, a[1] + (b[1] - a[1]) * t, a[2] + (b[2] - a[2]) * t];
  // The moon takes over where both are faint, and stands well above the horizon then.
  const light = sun[1] > -0.09 ? unit(sun[0], Math.max(sun[1], 0.05), sun[2]) : unit(-sun[0], 0.5 - sun[1], 0.3);
  return {
    sun, light, beam: mix(low.beam, high.beam), sky: mix(low.sky, high.sky), ground: mix(low.ground, high.ground),
    zenith: mix(low.zenith, high.zenith), horizon: mix(low.horizon, high.horizon), glow: mix(low.glow, high.glow),
    haze: low.haze + (high.haze - low.haze) * t, night: low.night + (high.night - low.night) * t,
  };
}

/** @param {number} x @param {number} y @param {number} z @returns {Triple} */
function unit(x, y, z) {
  const length = Math.hypot(x, y, z);
  return [x / length, y / length, z / length];
}

/** @param {string} hex as on a screen @param {number} [power] @returns {Triple} */
function linear(hex, power = 1) {
  const parts = [1, 3, 5].map((at) => Number.parseInt(hex.slice(at, at + 2), 16) / 255);
  return /** @type {Triple} */ (parts.map((c) => power * (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4)));
}
