/** How the land was made, in words: from what its tile says of itself. Pure. */

/** @param {Record<string, string | number>} provenance of a tile @returns {string} */
export function madeBy({ generator, seed, version, style, model, ...others }) {
  const by = generator === "noise" ? "mathematical noise, without a trained model" : `the model “${model ?? generator ?? "unknown"}”`;
  const more = Object.entries({ seed, style, version, ...others }).filter(([, value]) => value !== undefined && value !== "");
  return `The land here was made by ${by}${more.length ? ` (${more.map(([name, value]) => `${name} ${value}`).join(", ")})` : ""}.`;
}
