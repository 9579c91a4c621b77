/** Colours of owners: the same one everywhere, and yours always gold. */

const COLOURS = ["#1f8f83", "#8fb63a", "#d1702f", "#cf6a97", "#3f66b8", "#7d4aa0", "#4fa3cf", "#a83a3a", "#7a6248", "#4d8a4a"];
export const MINE = "#ffc23d";

/** @param {{ owner: number }} estate @param {boolean} mine @returns {string} */
export function colourOf({ owner }, mine) {
  return mine ? MINE : COLOURS[owner % COLOURS.length];
}
