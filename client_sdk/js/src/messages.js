/**
 * Messages and their bytes. Pure: no socket, no clock.
 *
 * A message is a plain object with a `type` and its fields, named as in the protocol page.
 */
import { decode as unpack, encode as pack } from "@msgpack/msgpack";
import { readFields, writeFields } from "./codec.js";
import { WireError } from "./errors.js";
import { MESSAGES } from "./protocol.generated.js";

/** @typedef {{ type: string, [field: string]: any }} Message */

const BY_TAG = new Map(Object.entries(MESSAGES).map(([type, { tag, fields }]) => [tag, { type, fields }]));

/**
 * @param {Message} message
 * @returns {Uint8Array<ArrayBuffer>}
 */
export function encodeMessage(message) {
  const entry = MESSAGES[message.type];
  if (!entry) throw new WireError(`there is no message ${message.type}`);
  const strange = Object.keys(message).find((key) => key !== "type" && !entry.fields.some(([name]) => name === key));
  if (strange) throw new WireError(`${message.type}: expected one of its fields, got ${strange}`);
  return pack([entry.tag, ...writeFields(entry.fields, message, message.type)], { useBigInt64: true });
}

/**
 * @param {Uint8Array} bytes one whole WebSocket message
 * @returns {Message | null} null for a tag that this version does not know
 */
export function decodeMessage(bytes) {
  /** @type {any} */
  let raw;
  try {
    raw = unpack(bytes);
  } catch (error) {
    throw new WireError(`not MessagePack: ${/** @type {Error} */ (error).message}`);
  }
  if (!Array.isArray(raw) || !Number.isSafeInteger(raw[0])) throw new WireError("expected an array with a tag");
  const entry = BY_TAG.get(raw[0]);
  return entry ? { type: entry.type, ...readFields(entry.fields, raw, 1, entry.type) } : null;
}

/**
 * The 16 bytes of a Move, in units of the wire.
 *
 * @param {{ seq: number, x: number, z: number, y: number, yaw: number, gesture: number }} state
 * @returns {Uint8Array}
 */
export function packMove({ seq, x, z, y, yaw, gesture }) {
  const view = new DataView(new ArrayBuffer(16));
  view.setUint32(0, seq, true);
  view.setInt32(4, x, true);
  view.setInt32(8, z, true);
  view.setInt16(12, y, true);
  view.setUint8(14, yaw);
  view.setUint8(15, gesture);
  return new Uint8Array(view.buffer);
}
