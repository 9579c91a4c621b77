// Commands, names, tiles: what waits for the server.
import assert from "node:assert/strict";
import { test } from "node:test";
import { deflateSync } from "node:zlib";
import { Commands } from "../src/commands.js";
import { Land } from "../src/land.js";
import { defaultLook, readLook, writeLook } from "../src/looks.js";
import { Names } from "../src/names.js";
import { sha256 } from "../src/sha256.js";
import { readTile } from "../src/tiles.js";

const pause = (/** @type {number} */ ms) => new Promise((resolve) => setTimeout(resolve, ms));

test("commands end by Done, Refused, or the connection's end", async () => {
  const sent = /** @type {any[]} */ ([]);
  const commands = new Commands((message) => sent.push(message) > 0);
  const runs = [1, 2, 3].map(() => commands.run({ type: "Say", kind: 0, text: "" }));
  assert.deepEqual(sent.map(({ id }) => id), [1, 2, 3]);
  commands.done(1);
  assert.equal(commands.refused({ id: 2, code: "rate", text: "t", hint: "h", retry_after_ms: 7 }), true);
  assert.equal(commands.refused({ id: 0, code: "rate", text: "t", hint: "h", retry_after_ms: 7 }), false);
  commands.lost();
  await runs[0];
  await assert.rejects(runs[1], { name: "RefusedError", code: "rate", hint: "h", retryAfterMs: 7 });
  await assert.rejects(runs[2], { name: "LostError" });
});

test("commands that cannot be sent, or are too many, are told so at once", async () => {
  await assert.rejects(new Commands(() => false).run({ type: "Say" }), { name: "NotSentError" });
  const commands = new Commands(() => true);
  const runs = Array.from({ length: 64 }, () => commands.run({ type: "Say" }));
  await assert.rejects(commands.run({ type: "Say" }), { name: "NotSentError" });
  commands.lost();
  assert.equal((await Promise.allSettled(runs)).length, 64);
});

test("what the server asks its database for is sent four at a time", async () => {
  const sent = /** @type {any[]} */ ([]);
  const commands = new Commands((message) => sent.push(message) > 0);
  const runs = Array.from({ length: 7 }, () => commands.run({ type: "Account", act: "pair" }));
  const said = commands.run({ type: "Say", kind: 0, text: "" });
  assert.deepEqual(sent.map(({ type }) => type), ["Account", "Account", "Account", "Account", "Say"]);
  commands.done(2, ["7KQ2-M4XW-9C", 5, 6]);
  assert.deepEqual(await runs[1], { text: "7KQ2-M4XW-9C", until_ms: 5, account: 6 });
  commands.refused({ id: 1, code: "rate", text: "t", hint: "h", retry_after_ms: 7 });
  assert.deepEqual(sent.slice(5).map(({ type, id }) => [type, id]), [["Account", 6], ["Account", 7]]);
  commands.lost();
  const ends = await Promise.allSettled([...runs, said]);
  const names = ends.map((end) => (end.status === "rejected" ? end.reason.name : "done"));
  assert.deepEqual(names, [
    "RefusedError", "done", "LostError", "LostError", "LostError", "LostError", "NotSentError", "LostError",
  ]);
});

test("what Done carries has the names of the page; what is none of it rejects", async () => {
  const commands = new Commands(() => true);
  const order = (/** @type {string} */ act) => commands.run({ type: "Order", act });
  const shown = order("show");
  commands.done(1, [
    12, "Bo", "resident", true, "", false, 1, 2, "192.0.2.7", [["mute", "loud", 3, 0, "operator"]], false, "new",
  ]);
  assert.deepEqual(await shown, {
    avatar: 12, name: "Bo", role: "resident", here: true, of: "", hidden: false, made_ms: 1, seen_ms: 2,
    address: "192.0.2.7", is_bot: false,
    sanctions: [{ kind: "mute", reason: "loud", made_ms: 3, until_ms: 0, by: "operator", network: "" }],
  });
  const kicked = order("kick");
  commands.done(2, null);
  assert.equal(await kicked, undefined);
  const audit = order("audit");
  commands.done(3, [[1, 2, "operator", "role", "Bo", "moderator"]]);
  assert.deepEqual(await audit, [
    { number: 1, at_ms: 2, by: "operator", act: "role", about: "Bo", text: "moderator", until_ms: 0 },
  ]);
  const reported = commands.run({ type: "Report", avatar: 1, text: "" });
  commands.done(4, 3);
  assert.equal(await reported, 3);
  const invited = order("invite");
  commands.done(5, null);
  await assert.rejects(invited, { name: "WireError" });
});

test("names are asked for together, 64 at a time, and once", async () => {
  const asked = /** @type {number[][]} */ ([]);
  const names = new Names((ids) => asked.push(ids) > 0);
  const all = Array.from({ length: 70 }, (_, i) => names.ask(i + 1));
  const again = names.ask(1);
  await pause(60);
  assert.deepEqual(asked.map(({ length }) => length), [64]);
  const look = Uint8Array.of(2, 1, 4, 18, 3);
  const ada = { avatar: 1, name: "Ada", kind: "guest", of: "", look };
  const seen = { body: 2, skin: 1, hair: 4, top: 18, legs: 3 };
  assert.deepEqual(names.answered([ada]), [{ avatar: 1, look: seen }]);
  assert.equal((await again)?.name, "Ada");
  assert.equal(await all[1], null);
  assert.equal((await names.ask(1))?.name, "Ada");
  await pause(100);
  assert.equal(asked.length, 1, "too soon after the first");
  await pause(300);
  assert.deepEqual(asked[1], [65, 66, 67, 68, 69, 70]);
  // Refused, or lost: asked for once more.
  names.refused(0);
  await pause(350);
  names.connected();
  await pause(60);
  assert.equal(asked.length, 4);
  names.close(new Error("over"));
  const ends = await Promise.allSettled(all);
  assert.deepEqual(ends.map(({ status }) => status).filter((status) => status === "rejected").length, 6);
});

test("who was out of view is asked for again, and what is another is told", async () => {
  const asked = /** @type {number[][]} */ ([]);
  const names = new Names((ids) => asked.push(ids) > 0);
  const ada = { avatar: 1, name: "Ada", kind: "guest", of: "", look: new Uint8Array() };
  assert.deepEqual(names.answered([ada]), [{ avatar: 1, look: defaultLook(1) }]);
  assert.deepEqual(names.answered([ada]), []);
  names.doubt([1, 2]);
  await pause(400);
  assert.deepEqual(asked, [[1]], "of 2 nothing is known that could be wrong");
  assert.equal(names.answered([{ ...ada, look: Uint8Array.of(0, 0, 0, 0, 0) }]).length, 1);
  assert.equal(names.known(1)?.look.body, 0);
  names.dress(1, { ...defaultLook(1), body: 3 });
  assert.equal(names.known(1)?.look.body, 3);
  names.close(new Error("over"));
});

test("looks that follow from avatar ids are those of the server; an unknown number is shown as a known one", () => {
  const numbers = (/** @type {number} */ id) => Object.values(defaultLook(id));
  assert.deepEqual([1, 70000, 4294967295].map(numbers), [[7, 4, 10, 19, 20], [0, 2, 10, 18, 17], [7, 1, 5, 5, 15]]);
  assert.deepEqual(Object.values(readLook(Uint8Array.of(8, 255, 12, 23, 24, 99), 1)), [0, 7, 0, 23, 0]);
  assert.deepEqual(writeLook(defaultLook(1)), Uint8Array.of(7, 4, 10, 19, 20));
  assert.deepEqual(writeLook(null), new Uint8Array());
  assert.throws(() => writeLook({ ...defaultLook(1), body: 8 }), RangeError);
});

/** A flat tile of region (rx, 0). @param {number} rx @param {number} [extra] bytes too many */
function tileBytes(rx, extra = 0) {
  const payload = new Uint8Array(49684 + extra);
  const view = new DataView(payload.buffer);
  view.setInt32(0, rx, true);
  view.setUint16(10, 2, true);
  payload.set([0x7b, 0x7d], 49682);
  const packed = deflateSync(payload);
  const bytes = new Uint8Array(8 + packed.length);
  bytes.set([0x57, 0x4c, 0x54, 1]);
  new DataView(bytes.buffer).setUint32(4, 49684, true);
  bytes.set(packed, 8);
  return bytes;
}

test("what is no tile is refused", async () => {
  const good = tileBytes(3);
  assert.equal((await readTile(good)).ground(3 * 256 + 7, 9), 0);
  const changed = (/** @type {number} */ at) => good.map((byte, i) => (i === at ? byte ^ 0xff : byte));
  const bad = [good.slice(0, 4), good.slice(0, 40), changed(0), changed(3), changed(4), changed(9), tileBytes(3, 1)];
  bad.push(tileBytes(40_000));
  bad.push(Uint8Array.from([...good, 0, 0, 0, 0]));
  for (const bytes of bad) await assert.rejects(readTile(bytes), { name: "WireError" });
  await assert.rejects(readTile(new Uint8Array(98305)), { name: "WireError" });
});

test("tiles are fetched once, tried again when the server is busy, and held to their hash", async () => {
  const bytes = tileBytes(1);
  const hash = await sha256(bytes);
  const answers = [new Response("busy", { status: 503 }), new Response(bytes), new Response(bytes)];
  const urls = /** @type {string[]} */ ([]);
  const land = new Land("http://h", async (url) => {
    urls.push(String(url));
    return /** @type {Response} */ (answers.shift());
  });
  assert.equal(await land.tile(1, 0), null);
  land.tell({ rx: 1, rz: 0, state: 1, sha256: "", source: "", overlay: 0 });
  assert.equal(await land.tile(1, 0), null);
  land.tell({ rx: 1, rz: 0, state: 0, sha256: hash, source: "noise", overlay: 0 });
  const [one, two] = await Promise.all([land.tile(1, 0), land.tile(1, 0)]);
  assert.ok(one && one === two && one === land.known(1, 0));
  assert.deepEqual(urls, [`http://h/content/${hash}`, `http://h/content/${hash}`]);
  land.tell({ rx: 2, rz: 0, state: 0, sha256: "0".repeat(64), source: "noise", overlay: 0 });
  await assert.rejects(land.tile(2, 0), /expected content/);
});
