/** Frame bodies: the blocks within Area and Frame. Pure. */
import { WireError } from "./errors.js";

/** @enum {number} */
export const BlockKind = Object.freeze({ LEAVE: 1, ENTER: 2, WORDS: 3, SNAPSHOT: 4 });

/**
 * @typedef {{ slot: number, x: number, z: number, y: number, yaw: number, gesture: number }} Word
 * @typedef {Word & { avatar: number }} Placed
 * @typedef {{ slot: number, direction: number }} Departure
 * @typedef {{ kind: number, cx: number, cz: number, layer: number, entries: any[] }} Block entries are Departures,
 *   Words or Placed, by kind
 */

/**
 * @param {Uint8Array} bytes
 * @param {number} cx the cell of the last Area
 * @param {number} cz
 * @returns {Generator<Block>} it throws WireError at the first block that is none
 */
export function* readBody(bytes, cx, cz) {
  if (bytes.length % 8) throw new WireError(`body: expected a multiple of 8 bytes, got ${bytes.length}`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  for (let at = 0; at < bytes.length; ) {
    const low = view.getUint32(at, true);
    const high = view.getUint32(at + 4, true);
    const kind = low & 0xff;
    const count = (high >>> 8) & 0xffff;
    const size = kind === BlockKind.ENTER || kind === BlockKind.SNAPSHOT ? 16 : 8;
    at += 8;
    if (kind < 1 || kind > 4 || high >>> 24) throw new WireError(`body: expected a block header, got kind ${kind}`);
    if (at + count * size > bytes.length) throw new WireError(`body: expected ${count} entries, got fewer`);
    const cell = {
      cx: cx + ((low << 16) >> 24),
      cz: cz + ((low << 8) >> 24),
      layer: (low >>> 24) | ((high & 0xff) << 8),
    };
    const entries = [];
    for (let i = 0; i < count; i++, at += size) {
      const a = view.getUint32(at, true);
      const b = view.getUint32(at + 4, true);
      if (kind === BlockKind.LEAVE) entries.push({ slot: a & 0xfff, direction: (a >>> 12) & 15 });
      else if (kind === BlockKind.WORDS) entries.push(readWord(a, b, cell));
      else {
        const avatar = (a >>> 12) + (b & 0xfff) * 0x100000;
        entries.push({ avatar, ...readWord(view.getUint32(at + 8, true), view.getUint32(at + 12, true), cell) });
      }
    }
    yield { kind, ...cell, entries };
  }
}

/**
 * @param {number} low
 * @param {number} high
 * @param {{ cx: number, cz: number }} cell
 * @returns {Word}
 */
function readWord(low, high, cell) {
  return {
    slot: low & 0xfff,
    // Words reach 16 m, 1024 steps, out of their cell.
    x: cell.cx * 2048 - 1024 + ((low >>> 12) & 0xfff),
    z: cell.cz * 2048 - 1024 + ((low >>> 24) | ((high & 0xf) << 8)),
    y: ((high >>> 4) & 0x3fff) - 4096,
    yaw: (high >>> 18) & 0xff,
    gesture: high >>> 26,
  };
}
