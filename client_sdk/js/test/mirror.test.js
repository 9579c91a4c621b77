import assert from "node:assert/strict";
import { test } from "node:test";
import { BodyReader } from "../src/body.js";
import { CROSSING_MS, Mirror, poseAt } from "../src/mirror.js";
import { fromHex } from "./hex.js";

/** @param {number} low @param {number} high @returns {number[]} */
const pair = (low, high) => [...new Uint8Array(Uint32Array.of(low, high).buffer)];

const KINDS = { leave: 1, enter: 2, words: 3, snapshot: 4 };

/**
 * @param {keyof typeof KINDS} kind
 * @param {[number, number]} cell its offset
 * @param {any[]} entries
 * @param {number} [layer]
 */
function block(kind, [dx, dz], entries, layer = 0) {
  const head = pair(
    KINDS[kind] | ((dx & 255) << 8) | ((dz & 255) << 16) | (layer << 24),
    (layer >> 8) | (entries.length << 8),
  );
  return head.concat(...entries.map((entry) => {
    const { slot, avatar, direction = 0, x = 1024, z = 1024, y = 4096, yaw = 0, gesture = 0 } = entry;
    if (kind === "leave") return pair(slot | (direction << 12), 0);
    const word = pair(slot | (x << 12) | (z << 24), (z >> 8) | (y << 4) | (yaw << 18) | (gesture << 26));
    return kind === "words" ? word : pair(slot | (avatar << 12), avatar >>> 20).concat(word);
  }));
}

/** @typedef {Parameters<typeof block>} Block */
const body = (/** @type {Block[]} */ ...blocks) => Uint8Array.from(blocks.flatMap((given) => block(...given)));

/** Every block of a body with its entries, as objects. @param {Uint8Array} bytes */
function blocksOf(bytes) {
  const blocks = [];
  for (const block = new BodyReader(bytes, 0, 0); block.next();) {
    const { kind, cx, cz, layer } = block;
    const entries = [];
    while (block.nextEntry()) {
      const { slot, direction, avatar, x, z, y, yaw, gesture } = block;
      const word = { slot, x, z, y, yaw, gesture };
      entries.push(kind === 1 ? { slot, direction } : kind === 3 ? word : { avatar, ...word });
    }
    blocks.push({ kind, cx, cz, layer, entries });
  }
  return blocks;
}

/** @param {...Block} blocks */
function area(...blocks) {
  return { tick: 1, cx: 0, cz: 0, radius: 1, layers: [0], body: body(...blocks) };
}

/** @param {...Block} blocks */
function frame(...blocks) {
  return { tick: 2, body: body(...blocks) };
}

/** @param {import("../src/mirror.js").Change[]} changes */
function told(changes) {
  return changes.map(({ type, avatar }) => `${type} ${avatar.id}`);
}

/** @param {Mirror} mirror @param {number} now @param {...Block} blocks */
function see(mirror, now, ...blocks) {
  return told(mirror.applyFrame(frame(...blocks), now));
}

/** @param {Mirror} mirror @param {...Block} blocks */
function survey(mirror, ...blocks) {
  return told(mirror.applyArea(area(...blocks), 0));
}

/** One with avatar 7 in slot 0 and 8 in slot 1 of the cell in the middle. */
function started() {
  const mirror = new Mirror();
  mirror.welcome(false);
  const there = [{ slot: 0, avatar: 7 }, { slot: 1, avatar: 8 }];
  assert.deepEqual(survey(mirror, ["snapshot", [0, 0], there]), ["entered 7", "entered 8"]);
  assert.equal(mirror.whole, false);
  mirror.applyAreaComplete();
  assert.equal(mirror.whole, true);
  return mirror;
}

test("the bodies of the protocol page", () => {
  const areaBody = fromHex(`
    04 00 00 00 00 02 00 00  00 c0 00 00 00 00 00 00  00 00 6c 40 99 02 01 02
    01 10 00 00 00 08 00 00  01 00 68 00 89 02 01 01  04 ff 00 00 00 00 00 00`);
  assert.deepEqual(blocksOf(areaBody), [
    {
      kind: 4, cx: 0, cz: 0, layer: 0,
      entries: [
        { avatar: 12, slot: 0, x: 704, z: 1344, y: 41, yaw: 128, gesture: 0 },
        { avatar: 2147483649, slot: 1, x: 640, z: 1280, y: 40, yaw: 64, gesture: 0 },
      ],
    },
    { kind: 4, cx: -1, cz: 0, layer: 0, entries: [] },
  ]);
  const frameBody = fromHex(`
    01 01 00 00 00 01 00 00  05 20 00 00 00 00 00 00  02 00 00 00 00 01 00 00
    02 00 17 11 00 00 00 00  02 60 b7 2c 65 02 01 07  03 00 00 00 00 01 00 00
    00 90 6c 40 99 02 01 05`);
  assert.deepEqual(blocksOf(frameBody), [
    { kind: 1, cx: 1, cz: 0, layer: 0, entries: [{ slot: 5, direction: 2 }] },
    {
      kind: 2, cx: 0, cz: 0, layer: 0,
      entries: [{ avatar: 70000, slot: 2, x: 1910, z: 300, y: 38, yaw: 192, gesture: 1 }],
    },
    { kind: 3, cx: 0, cz: 0, layer: 0, entries: [{ slot: 0, x: 713, z: 1344, y: 41, yaw: 64, gesture: 1 }] },
  ]);
});

test("what is no frame body is refused", () => {
  for (const hex of ["00", "0500000000000000", "0300000000010000", "0300000000000001", "0000000000000000"]) {
    assert.throws(() => blocksOf(fromHex(hex)), { name: "WireError" }, hex);
  }
});

test("a block can be read twice, or not at all", () => {
  const bytes = body(["words", [0, 0], [{ slot: 1 }, { slot: 2 }]], ["leave", [0, 0], [{ slot: 3 }]]);
  const block = new BodyReader(bytes, 0, 0);
  assert.ok(block.next() && block.nextEntry() && block.nextEntry() && !block.nextEntry());
  block.rewind();
  assert.ok(block.nextEntry());
  assert.equal(block.slot, 1);
  assert.ok(block.next() && block.nextEntry());
  assert.deepEqual([block.kind, block.slot], [1, 3]);
  assert.ok(!block.next());
});

test("words move; those of unknown slots are ignored", () => {
  const mirror = started();
  const words = [{ slot: 0, x: 1088, yaw: 64, gesture: 1 }, { slot: 9 }];
  assert.deepEqual(see(mirror, 0, ["words", [0, 0], words]), ["moved 7"]);
  const avatar = /** @type {any} */ (mirror.avatars.get(7));
  assert.deepEqual([avatar.x, avatar.y, avatar.z, avatar.yaw, avatar.gesture], [1, 0, 0, Math.PI / 2, 1]);
  assert.equal(poseAt(avatar, 1.5).x, 0.5);
  assert.equal(poseAt(avatar, 9).x, 1);
});

test("who leaves for a cell in view is kept until the enter, or 250 ms", () => {
  const mirror = started();
  assert.deepEqual(see(mirror, 1000, ["leave", [0, 0], [0, 1].map((slot) => ({ slot, direction: 8 }))]), []);
  assert.equal(mirror.nextExpiry, 1000 + CROSSING_MS);
  assert.deepEqual(see(mirror, 1100, ["enter", [1, 0], [{ slot: 4, avatar: 7, x: 900 }]]), ["moved 7"]);
  assert.equal(mirror.avatars.get(7)?.cell?.cx, 1);
  assert.deepEqual(told(mirror.expire(1000 + CROSSING_MS)), ["left 8"]);
  assert.equal(mirror.nextExpiry, Infinity);
});

test("who leaves for nowhere, or out of view, is gone at once", () => {
  const mirror = started();
  assert.deepEqual(see(mirror, 0, ["leave", [0, 0], [{ slot: 0, direction: 0 }, { slot: 5 }]]), ["left 7"]);
  mirror.applyFrame(frame(["enter", [1, 0], [{ slot: 0, avatar: 8 }]]), 0);
  // East of the last cell in view.
  assert.deepEqual(see(mirror, 0, ["leave", [1, 0], [{ slot: 0, direction: 8 }]]), ["left 8"]);
  assert.equal(mirror.avatars.size, 0);
});

test("one avatar is in one place, and one slot has one avatar", () => {
  const mirror = started();
  assert.deepEqual(see(mirror, 0, ["enter", [0, 0], [{ slot: 1, avatar: 7 }]]), ["left 8"]);
  assert.deepEqual(see(mirror, 0, ["words", [0, 0], [{ slot: 0, x: 9 }]]), []);
  assert.deepEqual(see(mirror, 0, ["words", [0, 0], [{ slot: 1, x: 9 }]]), ["moved 7"]);
});

test("an Area forgets the cells out of view, and keeps the others", () => {
  const mirror = started();
  mirror.applyFrame(frame(["enter", [-1, 0], [{ slot: 0, avatar: 9 }]]), 0);
  const changes = mirror.applyArea({ ...area(["snapshot", [1, 0], []]), cx: 1 }, 0);
  assert.deepEqual(told(changes), ["left 9"]);
  assert.deepEqual([...mirror.avatars.keys()], [7, 8]);
  // Offsets count from the new cell now.
  assert.deepEqual(see(mirror, 0, ["words", [-1, 0], [{ slot: 0, x: 9 }]]), ["moved 7"]);
});

test("a snapshot replaces a cell; who is in the snapshot of another stays", () => {
  const mirror = started();
  assert.deepEqual(survey(mirror, ["snapshot", [0, 0], []]), []);
  assert.deepEqual(survey(mirror, ["snapshot", [1, 0], [{ slot: 0, avatar: 7, x: 900 }]]), ["moved 7"]);
  assert.deepEqual(told(mirror.applyAreaComplete()), ["left 8"]);
});

test("after a resume the old picture stays until the new one is whole", () => {
  const mirror = started();
  assert.deepEqual(told(mirror.welcome(true)), []);
  assert.equal(mirror.avatars.size, 2);
  // Frames follow only after the first Area.
  assert.deepEqual(see(mirror, 0, ["words", [0, 0], [{ slot: 0, x: 9 }]]), []);
  assert.deepEqual(survey(mirror, ["snapshot", [0, 0], [{ slot: 3, avatar: 8 }]]), []);
  assert.deepEqual(told(mirror.applyAreaComplete()), ["left 7"]);
  assert.deepEqual(told(mirror.welcome(false)), ["left 8"]);
});
