// The golden bytes that every client shares.
import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { test } from "node:test";
import { decodeMessage, encodeMessage } from "../src/messages.js";
import { sha256, sha256Plain } from "../src/sha256.js";
import { readTile } from "../src/tiles.js";
import { fromHex, toHex } from "./hex.js";

const folder = new URL("../../../tests/golden/", import.meta.url);
const skip = existsSync(folder) ? false : "the golden files are only in the repository";
const load = (/** @type {string} */ name) => JSON.parse(readFileSync(new URL(name, folder), "utf8"));

/** Binary stands in the file as {"hex": ...}. @param {any} value @returns {any} */
function revive(value) {
  if (Array.isArray(value)) return value.map(revive);
  if (value === null || typeof value !== "object") return value;
  if (typeof value.hex === "string") return fromHex(value.hex);
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, revive(inner)]));
}

test("every golden message is read and written", { skip }, async (t) => {
  for (const { name, message, fields, hex } of load("messages.json")) {
    await t.test(name, () => {
      const expected = { type: message, ...revive(fields) };
      assert.deepEqual(decodeMessage(fromHex(hex)), expected);
      assert.equal(toHex(encodeMessage(expected)), hex);
    });
  }
});

test("the golden tile is read", { skip }, async () => {
  const golden = load("tiles.json");
  const bytes = Uint8Array.from(Buffer.from(golden.tile_base64, "base64"));
  const tile = await readTile(bytes);
  assert.deepEqual([tile.rx, tile.rz], [golden.rx, golden.rz]);
  for (let z = 0; z < 129; z++) {
    for (let x = 0; x < 129; x++) {
      assert.equal(tile.heights[z * 129 + x], ((3 * x * x + 5 * z * z + 7 * x * z) % 2000) - 300);
      if (x < 128 && z < 128) {
        assert.equal(tile.surface[z * 128 + x], (Math.floor(x / 8) + Math.floor(z / 16)) % 11);
      }
    }
  }
  const things = tile.things.map(({ kind, x, z, scale, yaw }) => (
    [kind, x * 64, z * 64, scale * 64, Math.round((yaw / (2 * Math.PI)) * 256)]
  ));
  assert.deepEqual(things, golden.things);
  assert.deepEqual(tile.provenance, golden.provenance);
  for (const [x, z, height] of golden.ground) {
    assert.equal(tile.ground(256 * tile.rx + x, 256 * tile.rz + z), height);
  }
  assert.equal(sha256Plain(bytes), await sha256(bytes));
});
