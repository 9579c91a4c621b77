// Overlays: what is no overlay, what is no edit, and ground that follows whatever comes when.
import assert from "node:assert/strict";
import { test } from "node:test";
import { deflateSync } from "node:zlib";
import { Ground } from "../src/ground.js";
import { Land } from "../src/land.js";
import { GIVEN_BACK, emptyOverlay, overlaid, patched, readEdit, readOverlay, writeEdit } from "../src/overlay.js";
import { sha256 } from "../src/sha256.js";
import { Tile } from "../src/tiles.js";

/** @typedef {import("../src/overlay.js").Overlay} Overlay */

/** @param {Overlay} overlay @param {number} [extra] bytes too many */
function overlayBytes({ rx, rz, version, samples }, extra = 0) {
  const payload = new Uint8Array(33298 + extra);
  const view = new DataView(payload.buffer);
  view.setInt32(0, rx, true);
  view.setInt32(4, rz, true);
  view.setUint32(8, version, true);
  samples.forEach((height, i) => {
    payload[16 + i] = height & 0xff;
    payload[16657 + i] = (height >> 8) & 0xff;
  });
  return wrapped("WLO", payload, 33298);
}

/** @param {string} name @param {Uint8Array} payload @param {number} size */
function wrapped(name, payload, size) {
  const packed = deflateSync(payload);
  const bytes = new Uint8Array(8 + packed.length);
  bytes.set([...[...name].map((letter) => letter.charCodeAt(0)), 1]);
  new DataView(bytes.buffer).setUint32(4, size, true);
  bytes.set(packed, 8);
  return bytes;
}

/** A flat tile of region (0, 0). */
function tileBytes() {
  const payload = new Uint8Array(49684);
  new DataView(payload.buffer).setUint16(10, 2, true);
  payload.set([0x7b, 0x7d], 49682);
  return wrapped("WLT", payload, 49684);
}

const flat = () => new Tile(0, 0, new Int16Array(16641), new Uint8Array(16384), [], {});

/** @param {number} version @param {number} [height] @param {number} [x] */
const edit = (version, height = version, x = 1) => ({
  rx: 0, rz: 0, version, x, z: 1, width: 1, depth: 1, heights: Int16Array.of(height),
});

test("an overlay is read, what is none is refused", async () => {
  const overlay = patched(emptyOverlay(-3, 5), { ...edit(7, -7680, -3 * 128 + 4), rx: -3, rz: 5, z: 5 * 128 + 6 });
  const bytes = overlayBytes(overlay);
  const read = await readOverlay(bytes);
  assert.deepEqual([read.rx, read.rz, read.version], [-3, 5, 7]);
  assert.equal(read.samples[6 * 129 + 4], -7680);
  assert.deepEqual(read.samples, overlay.samples);
  const changed = (/** @type {number} */ at) => bytes.map((byte, i) => (i === at ? byte ^ 0xff : byte));
  const bad = [new Uint8Array(0), bytes.slice(0, 11), changed(0), changed(3), changed(4), changed(9)];
  bad.push(overlayBytes(overlay, 1), overlayBytes({ ...overlay, rx: 40_000 }), Uint8Array.from([...bytes, 0, 0, 0, 0]));
  bad.push(overlayBytes({ ...overlay, samples: overlay.samples.map(() => 23_041) }), new Uint8Array(34_817));
  for (const one of bad) await assert.rejects(readOverlay(one), { name: "WireError" });
});

test("edits are written in samples and 1/32 m, and what is none is not sent", () => {
  const { x, z, width, depth, heights } = writeEdit(-6, 256, [[1.5, null], [720, -240]]);
  assert.deepEqual([x, z, width, depth], [-3, 128, 2, 2]);
  const view = new DataView(heights.buffer);
  assert.deepEqual([0, 2, 4, 6].map((at) => view.getInt16(at, true)), [48, GIVEN_BACK, 23_040, -7_680]);
  const wrong = /** @type {[number, number, any][]} */ ([
    [1, 0, [[0]]], [0, NaN, [[0]]], [0, 0, []], [0, 0, [[]]], [0, 0, [[0], [0, 0]]], [0, 0, [[721]]], [0, 0, [[NaN]]],
    [0, 0, [Array(33).fill(0)]], [0, 0, Array(33).fill([0])],
  ]);
  for (const given of wrong) assert.throws(() => writeEdit(...given), RangeError);
  const told = /** @type {[RegExp, ...any[]][]} */ ([
    [/^x: expected a multiple of 2 m, got -3.2$/, -3.2, 0, [[0]]],
    [/^z: .* got Infinity$/, 0, Infinity, [[0]]],
    [/^rows: expected rows of one length, got 1 and 2 heights$/, 0, 0, [[0], [0, 0]]],
    [/^rows: expected arrays of heights$/, 0, 0, "hill"],
    [/^rows: .* or null, got NaN$/, 0, 0, [[null, NaN]]],
    [/^rows: .* or null, got -Infinity$/, 0, 0, [[-Infinity]]],
    [/^rows: .* or null, got undefined$/, 0, 0, [Array(2)]],
  ]);
  for (const [message, x, z, rows] of told) assert.throws(() => writeEdit(x, z, rows), { name: "RangeError", message });
});

test("an edit that is none of its region is refused", () => {
  const told = { ...edit(1), heights: Uint8Array.of(1, 0) };
  assert.deepEqual(readEdit(told), { ...edit(1), heights: Int16Array.of(1) });
  for (const wrong of [{ x: -1 }, { x: 129 }, { z: 129 }, { width: 2 }, { width: 0 }, { rx: 1 }]) {
    assert.throws(() => readEdit({ ...told, ...wrong }), { name: "WireError" });
  }
  assert.throws(() => readEdit({ ...told, heights: Uint8Array.of(0, 127) }), { name: "WireError" });
});

test("the ground is the server's, whatever comes when", () => {
  let state = 1;
  const random = (/** @type {number} */ below) => {
    state = (Math.imul(state, 1103515245) + 12345) & 0x7fffffff;
    return (state >> 8) % below;
  };
  for (let run = 0; run < 60; run++) {
    const versions = [emptyOverlay(0, 0)];
    const stream = /** @type {ReturnType<typeof edit>[]} */ ([]);
    const change = () => {
      const next = edit(versions.length, random(3) ? random(999) : GIVEN_BACK, random(3));
      versions.push(patched(versions[versions.length - 1], next));
      stream.push(next);
    };
    for (let n = random(3); n > 0; n--) change();
    stream.length = 0;
    const ground = new Ground(flat());
    ground.woven(versions.length - 1);
    let asked = -1;
    const fetched = () => ground.fetched(versions[asked + random(versions.length - asked)]);
    for (let step = 0; step < 60; step++) {
      const what = random(6);
      if (what < 2) change();
      else if (what < 4 && stream.length) ground.edited(/** @type {any} */ (stream.shift()));
      else if (asked >= 0) {
        fetched();
        asked = -1;
      } else if (!ground.current) asked = versions.length - 1;
    }
    if (asked >= 0) fetched();
    for (const next of stream) ground.edited(next);
    if (!ground.current) ground.fetched(versions[versions.length - 1]);
    const expected = overlaid(new Int16Array(16641), versions[versions.length - 1]);
    assert.deepEqual(ground.tile?.heights, expected, `run ${run}`);
  }
});

test("land is tile and overlay, follows edits, and asks anew where it missed some", async () => {
  const bytes = tileBytes();
  const hash = await sha256(bytes);
  let stored = patched(emptyOverlay(0, 0), edit(1, 320));
  const urls = /** @type {string[]} */ ([]);
  const land = new Land("http://h", async (url) => {
    urls.push(String(url).replace(hash, "HASH"));
    return new Response(String(url).includes("/content/") ? bytes : overlayBytes(stored));
  });
  const region = { rx: 0, rz: 0, state: 0, sha256: hash, source: "noise", overlay: 1 };
  land.tell(region);
  assert.equal((await land.tile(0, 0))?.ground(2, 2), 10);
  land.edited({ ...edit(2, 640), heights: Int16Array.of(640) });
  assert.equal(land.known(0, 0)?.ground(2, 2), 20);
  assert.deepEqual(land.regions.get("0,0")?.overlay, 2);
  assert.deepEqual(urls, ["http://h/content/HASH", "http://h/overlay/0/0"]);
  // Told otherwise, or in a new session: asked anew, but for the tile.
  stored = patched(emptyOverlay(0, 0), edit(9, 96));
  land.tell({ ...region, overlay: 9 });
  assert.equal(land.known(0, 0), undefined);
  assert.equal((await land.tile(0, 0))?.ground(2, 2), 3);
  land.startAnew();
  assert.equal(land.known(0, 0), undefined);
  assert.equal(await land.tile(0, 0), null);
  land.tell({ ...region, overlay: 9 });
  assert.equal((await land.tile(0, 0))?.ground(2, 2), 3);
  assert.deepEqual(urls.slice(2), ["http://h/overlay/0/0", "http://h/overlay/0/0"]);
  // Another region's is not taken, and an old one not for a new one.
  stored = { ...stored, rx: 1 };
  land.tell({ ...region, overlay: 10 });
  await assert.rejects(land.tile(0, 0), /expected the overlay of/);
  stored = { ...stored, rx: 0 };
  await assert.rejects(land.tile(0, 0), /expected version 10/);
});

test("who edited waits until the news are here, and not for land that it is told nothing of", async () => {
  const land = new Land("http://h", async () => new Response(""));
  await land.told([{ rx: 7, rz: 7, version: 3 }]);
  land.tell({ rx: 0, rz: 0, state: 0, sha256: "0".repeat(64), source: "noise", overlay: 2 });
  await land.told([{ rx: 0, rz: 0, version: 2 }]);
  let done = false;
  const told = land.told([{ rx: 0, rz: 0, version: 4 }]).then(() => { done = true; });
  land.edited(edit(3));
  await Promise.resolve();
  assert.equal(done, false);
  land.edited(edit(4));
  await told;
});
