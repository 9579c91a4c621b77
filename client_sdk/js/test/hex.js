/** @param {string} text hexadecimal digits; blanks and lines are left out @returns {Uint8Array<ArrayBuffer>} */
export function fromHex(text) {
  return Uint8Array.from(text.replace(/\s+/g, "").match(/../g) ?? [], (pair) => parseInt(pair, 16));
}

/** @param {Uint8Array} bytes @returns {string} */
export function toHex(bytes) {
  return [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}
