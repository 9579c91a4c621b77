/**
 * Messages and their bytes. Pure: no socket, no clock.
 *
 * A message is a plain object with a `type` and its fields, named as in the protocol page.
 */
import { decode as unpack, encode as pack } from "@msgpack/msgpack";
import {
  U32, anything, array, binary, boolean, int, oneOf, orNil, readFields, struct, text, writeFields,
} from "./codec.js";
import { WireError } from "./errors.js";
import { ACCOUNT_ACTS, ORDER_ACTS, SCOPES } from "./roles.js";

/**
 * @typedef {{ type: string, [field: string]: any }} Message
 * @typedef {import("./codec.js").Field} Field
 */

const id = int(0, U32);
const avatar = int(1, U32);
const any = int();
const coordinate = int(-0x80000000, 0x7fffffff);
const secret = orNil(text(128, 16));

const limits = struct(
  ["speed", any], ["climb", any], ["moves_per_s", any], ["text_chars", any], ["view_cells", any], ["resume_ms", any],
);
const line = struct(["avatar", any], ["name", text()], ["kind", any], ["text", text()]);
const named = struct(["avatar", any], ["name", text()], ["kind", text()], ["of", text(), ""]);
const scopes = array(text());

/** @type {Record<string, { tag: number, fields: Field[] }>} */
const SCHEMA = {
  Hello: {
    tag: 1,
    fields: [
      ["version", int(0, 65535)], ["client", text(64), ""], ["name", text(64), ""], ["token", secret, null],
      ["resume", secret, null], ["keep", boolean, false], ["access", text(128), ""], ["code", text(64), ""],
      ["bot", boolean, false],
    ],
  },
  Move: { tag: 2, fields: [["state", binary(16, 16)]] },
  Ping: { tag: 3, fields: [["client_ms", int(0)]] },
  Say: { tag: 4, fields: [["id", id], ["kind", int(0, 2)], ["text", text(500)]] },
  Whisper: { tag: 5, fields: [["id", id], ["to", avatar], ["text", text(500)]] },
  Signal: { tag: 6, fields: [["id", id], ["to", id], ["channel", text(32, 1)], ["data", binary(0, 1024)]] },
  Who: { tag: 7, fields: [["ids", array(avatar, 1, 64)]] },
  Block: { tag: 8, fields: [["id", id], ["avatar", avatar], ["on", boolean], ["reach", int(0, 1), 0]] },
  Leave: { tag: 9, fields: [] },
  Order: {
    tag: 10,
    fields: [
      ["id", id], ["act", oneOf(ORDER_ACTS)], ["avatar", id, 0], ["name", text(64), ""], ["network", text(49), ""],
      ["minutes", int(0, 52_560_000), 0], ["text", text(500), ""], ["number", int(0, 0x7fffffff), 0],
      ["uses", int(1, 1000), 1],
    ],
  },
  Account: {
    tag: 11,
    fields: [
      ["id", id], ["act", oneOf(ACCOUNT_ACTS)], ["name", text(64), ""], ["scopes", array(oneOf(SCOPES), 0, 8), []],
      ["token", text(16), ""],
    ],
  },
  Report: { tag: 12, fields: [["id", id], ["avatar", avatar], ["text", text(500)]] },
  EditTerrain: {
    tag: 13,
    fields: [
      ["id", id], ["x", coordinate], ["z", coordinate], ["width", int(1, 32)], ["depth", int(1, 32)],
      ["heights", binary(2, 2048)],
    ],
  },
  Welcome: {
    tag: 32,
    fields: [
      ["version", any], ["you", any], ["name", text()], ["world", text()], ["world_id", text()], ["server_ms", any],
      ["x", any], ["z", any], ["y", any], ["yaw", any], ["resume", text()], ["limits", limits],
      ["token", orNil(text()), null], ["resumed", boolean, false], ["greeting", text(), ""], ["role", text(), "guest"],
      ["scopes", orNil(scopes), null], ["recovery", text(), ""], ["hidden", boolean, false],
    ],
  },
  Refused: {
    tag: 33,
    fields: [["id", any], ["code", text()], ["text", text()], ["hint", text(), ""], ["retry_after_ms", any, 0]],
  },
  Done: { tag: 34, fields: [["id", any], ["result", anything, null]] },
  Pong: { tag: 35, fields: [["client_ms", any], ["server_ms", any]] },
  Frame: { tag: 36, fields: [["tick", any], ["body", binary()], ["lines", array(line), []]] },
  Area: {
    tag: 37,
    fields: [["tick", any], ["cx", any], ["cz", any], ["radius", any], ["layers", array(any)], ["body", binary()]],
  },
  AreaComplete: { tag: 38, fields: [["tick", any]] },
  Correction: { tag: 39, fields: [["seq", any], ["x", any], ["z", any], ["y", any], ["yaw", any], ["reason", any]] },
  People: { tag: 40, fields: [["people", array(named)]] },
  Whispered: { tag: 41, fields: [["avatar", any], ["name", text()], ["text", text()]] },
  Signalled: { tag: 42, fields: [["avatar", any], ["channel", text()], ["data", binary()]] },
  Region: {
    tag: 43,
    fields: [
      ["rx", any], ["rz", any], ["state", any], ["sha256", text(), ""], ["source", text(), ""], ["overlay", any, 0],
    ],
  },
  Goodbye: { tag: 44, fields: [["code", text()], ["text", text()], ["retry_after_ms", any, 0]] },
  Standing: {
    tag: 45,
    fields: [["role", text()], ["muted_ms", any], ["reason", text()], ["hidden", boolean]],
  },
  TerrainEdited: {
    tag: 46,
    fields: [
      ["rx", any], ["rz", any], ["version", any], ["x", any], ["z", any], ["width", any], ["depth", any],
      ["heights", binary()],
    ],
  },
};

const BY_TAG = new Map(Object.entries(SCHEMA).map(([type, { tag, fields }]) => [tag, { type, fields }]));

/**
 * @param {Message} message
 * @returns {Uint8Array<ArrayBuffer>}
 */
export function encodeMessage(message) {
  const entry = SCHEMA[message.type];
  if (!entry) throw new WireError(`there is no message ${message.type}`);
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
