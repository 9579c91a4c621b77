/** Frame bodies: the blocks within Area and Frame. Pure. */
import { WireError } from "./errors.js";

/** @enum {number} */
export const BlockKind = Object.freeze({ LEAVE: 1, ENTER: 2, WORDS: 3, SNAPSHOT: 4 });

/**
 * Reads a body in place: a crowd's frame has thousands of words, and an object for each is more than a page can afford.
 *
 *     for (const block = new BodyReader(bytes, cx, cz); block.next();) {
 *       while (block.nextEntry()) use(block.slot, block.x, block.z);
 *     }
 */
export class BodyReader {
  /** Of the block: a BlockKind. */
  kind = 0;
  cx = 0;
  cz = 0;
  layer = 0;
  /** Of its entry. */
  slot = 0;
  /** Of an entry of ENTER and SNAPSHOT. */
  avatar = 0;
  /** Of an entry of LEAVE. */
  direction = 0;
  /** Of an entry of any other kind; 1/64 m. */
  x = 0;
  z = 0;
  /** 1/16 m. */
  y = 0;
  /** 1/256 turns. */
  yaw = 0;
  gesture = 0;
  #view;
  #atX;
  #atZ;
  #entries = 0;
  #at = 0;
  #end = 0;

  /**
   * @param {Uint8Array} bytes
   * @param {number} cx the cell of the last Area
   * @param {number} cz
   */
  constructor(bytes, cx, cz) {
    if (bytes.length % 8) throw new WireError(`body: expected a multiple of 8 bytes, got ${bytes.length}`);
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    this.#atX = cx;
    this.#atZ = cz;
  }

  /** On to the next block, whatever was read of this one. @returns {boolean} false: there is none; throws WireError */
  next() {
    const view = this.#view;
    const at = this.#end;
    if (at >= view.byteLength) return false;
    const low = view.getUint32(at, true);
    const high = view.getUint32(at + 4, true);
    const kind = low & 0xff;
    const count = (high >>> 8) & 0xffff;
    if (kind < 1 || kind > 4 || high >>> 24) throw new WireError(`body: expected a block header, got kind ${kind}`);
    this.kind = kind;
    this.cx = this.#atX + ((low << 16) >> 24);
    this.cz = this.#atZ + ((low << 8) >> 24);
    this.layer = (low >>> 24) | ((high & 0xff) << 8);
    this.#entries = this.#at = at + 8;
    this.#end = this.#at + count * (kind === BlockKind.ENTER || kind === BlockKind.SNAPSHOT ? 16 : 8);
    if (this.#end > view.byteLength) throw new WireError(`body: expected ${count} entries, got fewer`);
    return true;
  }

  /** On to the next entry of the block. @returns {boolean} false: there is none */
  nextEntry() {
    const at = this.#at;
    if (at >= this.#end) return false;
    const low = this.#view.getUint32(at, true);
    const high = this.#view.getUint32(at + 4, true);
    this.slot = low & 0xfff;
    if (this.kind === BlockKind.LEAVE) {
      this.direction = (low >>> 12) & 15;
      this.#at = at + 8;
    } else if (this.kind === BlockKind.WORDS) {
      this.#word(low, high);
      this.#at = at + 8;
    } else {
      this.avatar = (low >>> 12) + (high & 0xfff) * 0x100000;
      this.#word(this.#view.getUint32(at + 8, true), this.#view.getUint32(at + 12, true));
      this.#at = at + 16;
    }
    return true;
  }

  /** To the first entry of the block again. */
  rewind() {
    this.#at = this.#entries;
  }

  /** @param {number} low @param {number} high */
  #word(low, high) {
    // Words reach 16 m, 1024 steps, out of their cell.
    this.x = this.cx * 2048 - 1024 + ((low >>> 12) & 0xfff);
    this.z = this.cz * 2048 - 1024 + ((low >>> 24) | ((high & 0xf) << 8));
    this.y = ((high >>> 4) & 0x3fff) - 4096;
    this.yaw = (high >>> 18) & 0xff;
    this.gesture = high >>> 26;
  }
}
