// The golden bytes that every client shares.
import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { test } from "node:test";
import { Ground } from "../src/ground.js";
import { decodeMessage, encodeMessage } from "../src/messages.js";
import { GIVEN_BACK, readEdit, readOverlay } from "../src/overlay.js";
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

test("the golden overlay is read, and laid on the golden tile", { skip }, async () => {
  const golden = load("overlay.json");
  const overlay = await readOverlay(Uint8Array.from(Buffer.from(golden.overlay_base64, "base64")));
  assert.deepEqual([overlay.rx, overlay.rz, overlay.version], [golden.rx, golden.rz, golden.version]);
  for (let z = 0; z < 129; z++) {
    for (let x = 0; x < 129; x++) {
      const expected = (x + 2 * z) % 5 === 0 ? ((x * z + 11 * x) % 3000) - 500 : GIVEN_BACK;
      assert.equal(overlay.samples[z * 129 + x], expected);
    }
  }
  const tile = await readTile(Uint8Array.from(Buffer.from(load("tiles.json").tile_base64, "base64")));
  const ground = new Ground(tile);
  ground.woven(golden.version);
  ground.fetched(overlay);
  const heights = () => golden.ground.map((/** @type {number[]} */ [x, z]) => (
    ground.tile?.ground(256 * golden.rx + x, 256 * golden.rz + z)
  ));
  assert.deepEqual(heights(), golden.ground.map((/** @type {number[]} */ point) => point[2]));
  ground.edited(readEdit(/** @type {any} */ (decodeMessage(fromHex(golden.edited_hex)))));
  assert.deepEqual(heights(), golden.ground_after.map((/** @type {number[]} */ point) => point[2]));
  assert.equal(ground.made, tile);
});
