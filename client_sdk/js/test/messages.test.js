// The examples of the protocol page, and what the codec refuses.
import assert from "node:assert/strict";
import { test } from "node:test";
import { decodeMessage, encodeMessage, packMove } from "../src/messages.js";
import { fromHex, toHex } from "./hex.js";

const SHA = "5f".repeat(32);
const AREA_BODY = `
  04 00 00 00 00 02 00 00  00 c0 00 00 00 00 00 00  00 00 6c 40 99 02 01 02
  01 10 00 00 00 08 00 00  01 00 68 00 89 02 01 01  04 ff 00 00 00 00 00 00`;
const FRAME_BODY = `
  01 01 00 00 00 01 00 00  05 20 00 00 00 00 00 00  02 00 00 00 00 01 00 00
  02 00 17 11 00 00 00 00  02 60 b7 2c 65 02 01 07  03 00 00 00 00 01 00 00
  00 90 6c 40 99 02 01 05`;
const LIMITS = { speed: 768, climb: 320, moves_per_s: 30, text_chars: 500, view_cells: 2, resume_ms: 30000 };

/** @type {[Record<string, any> & { type: string }, string][]} */
const EXAMPLES = [
  [
    {
      type: "Hello", version: 1, client: "my-client/1", name: "Ada", token: null, resume: null, keep: false, access: "",
      code: "", bot: false,
    },
    "9a 01 01 ab 6d 79 2d 63 6c 69 65 6e 74 2f 31 a3 41 64 61 c0 c0 c2 a0 a0 c2",
  ],
  [
    {
      type: "Hello", version: 1, client: "my-client/1", name: "", token: null, resume: null, keep: false, access: "",
      code: "7KQ2-M4XW-9C", bot: false,
    },
    "9a 01 01 ab 6d 79 2d 63 6c 69 65 6e 74 2f 31 a0 c0 c0 c2 a0 ac 37 4b 51 32 2d 4d 34 58 57 2d 39 43 c2",
  ],
  [
    { type: "Move", state: packMove({ seq: 1, x: 656, z: 1280, y: -32768, yaw: 64, gesture: 1 }) },
    "92 02 c4 10 01 00 00 00 90 02 00 00 00 05 00 00 00 80 40 01",
  ],
  [{ type: "Ping", client_ms: 123456 }, "92 03 ce 00 01 e2 40"],
  [{ type: "Say", id: 1, kind: 0, text: "Grüß dich" }, "94 04 01 00 ab 47 72 c3 bc c3 9f 20 64 69 63 68"],
  [{ type: "Whisper", id: 2, to: 12, text: "psst" }, "94 05 02 0c a4 70 73 73 74"],
  [
    { type: "Signal", id: 3, to: 0, channel: "chess", data: fromHex("65326534") },
    "95 06 03 00 a5 63 68 65 73 73 c4 04 65 32 65 34",
  ],
  [{ type: "Who", ids: [12, 70000] }, "92 07 92 0c ce 00 01 11 70"],
  [{ type: "Block", id: 4, avatar: 12, on: true }, "94 08 04 0c c3"],
  [{ type: "Block", id: 4, avatar: 12, on: true, reach: 0 }, "95 08 04 0c c3 00"],
  [{ type: "Leave" }, "91 09"],
  [
    {
      type: "Order", id: 5, act: "mute", avatar: 12, name: "", network: "", minutes: 10, text: "shouting", number: 0,
      uses: 1,
    },
    "9a 0a 05 a4 6d 75 74 65 0c a0 a0 0a a8 73 68 6f 75 74 69 6e 67 00 01",
  ],
  [
    {
      type: "Order", id: 6, act: "ban", avatar: 0, name: "", network: "192.0.2.7", minutes: 1440, text: "a raid",
      number: 0, uses: 1,
    },
    "9a 0a 06 a3 62 61 6e 00 a0 a9 31 39 32 2e 30 2e 32 2e 37 cd 05 a0 a6 61 20 72 61 69 64 00 01",
  ],
  [{ type: "Account", id: 7, act: "pair", name: "", scopes: [], token: "" }, "96 0b 07 a4 70 61 69 72 a0 90 a0"],
  [
    { type: "Account", id: 8, act: "bot", name: "Hilda", scopes: ["move", "talk"], token: "" },
    "96 0b 08 a3 62 6f 74 a5 48 69 6c 64 61 92 a4 6d 6f 76 65 a4 74 61 6c 6b a0",
  ],
  [
    { type: "Report", id: 9, avatar: 12, text: "says vile things" },
    "94 0c 09 0c b0 73 61 79 73 20 76 69 6c 65 20 74 68 69 6e 67 73",
  ],
  [
    {
      type: "Welcome", version: 1, you: 2147483649, name: "Ada", world: "Worldloom", world_id: "w1",
      server_ms: 86400123, x: 640, z: 1280, y: 40, yaw: 64, resume: "resume-0123456789", limits: LIMITS, token: null,
      resumed: false, greeting: "", role: "guest", scopes: null, recovery: "", hidden: false,
    },
    `dc 00 14 20 01 ce 80 00 00 01 a3 41 64 61 a9 57 6f 72 6c 64 6c 6f 6f 6d a2 77 31 ce 05 26 5c 7b cd 02 80 cd 05 00
     28 40 b1 72 65 73 75 6d 65 2d 30 31 32 33 34 35 36 37 38 39 96 cd 03 00 cd 01 40 1e cd 01 f4 02 cd 75 30 c0 c2
     a0 a5 67 75 65 73 74 c0 a0 c2`,
  ],
  [
    { type: "Refused", id: 1, code: "rate", text: "too many lines", hint: "ask less often", retry_after_ms: 1250 },
    `96 21 01 a4 72 61 74 65 ae 74 6f 6f 20 6d 61 6e 79 20 6c 69 6e 65 73
     ae 61 73 6b 20 6c 65 73 73 20 6f 66 74 65 6e cd 04 e2`,
  ],
  [{ type: "Done", id: 1 }, "92 22 01"],
  [{ type: "Done", id: 1, result: null }, "93 22 01 c0"],
  [
    { type: "Done", id: 7, result: ["7KQ2-M4XW-9C", 1800000600000, 1001] },
    "93 22 07 93 ac 37 4b 51 32 2d 4d 34 58 57 2d 39 43 cf 00 00 01 a3 18 65 77 c0 cd 03 e9",
  ],
  [{ type: "Pong", client_ms: 123456, server_ms: 86400200 }, "93 23 ce 00 01 e2 40 ce 05 26 5c c8"],
  [
    { type: "Frame", tick: 1728004, body: fromHex(FRAME_BODY), lines: [] },
    `94 24 ce 00 1a 5e 04 c4 38 ${FRAME_BODY} 90`,
  ],
  [
    {
      type: "Frame", tick: 1728005, body: new Uint8Array(),
      lines: [{ avatar: 12, name: "Bo", kind: 0, text: "Hello" }],
    },
    "94 24 ce 00 1a 5e 05 c4 00 91 94 0c a2 42 6f 00 a5 48 65 6c 6c 6f",
  ],
  [
    { type: "Area", tick: 1728003, cx: 0, cz: 0, radius: 2, layers: [0], body: fromHex(AREA_BODY) },
    `97 25 ce 00 1a 5e 03 00 00 02 91 00 c4 30 ${AREA_BODY}`,
  ],
  [{ type: "AreaComplete", tick: 1728003 }, "92 26 ce 00 1a 5e 03"],
  [
    { type: "Correction", seq: 17, x: 640, z: 1280, y: 40, yaw: 64, reason: 5 },
    "97 27 11 cd 02 80 cd 05 00 28 40 05",
  ],
  [
    {
      type: "People",
      people: [
        { avatar: 12, name: "Bo", kind: "resident", of: "" }, { avatar: 70000, name: "Cy", kind: "bot", of: "Bo" },
      ],
    },
    `92 28 92 94 0c a2 42 6f a8 72 65 73 69 64 65 6e 74 a0
     94 ce 00 01 11 70 a2 43 79 a3 62 6f 74 a2 42 6f`,
  ],
  [{ type: "Whispered", avatar: 12, name: "Bo", text: "psst" }, "94 29 0c a2 42 6f a4 70 73 73 74"],
  [
    { type: "Signalled", avatar: 12, channel: "chess", data: fromHex("65376535") },
    "94 2a 0c a5 63 68 65 73 73 c4 04 65 37 65 35",
  ],
  [
    { type: "Region", rx: 0, rz: 0, state: 0, sha256: SHA, source: "noise" },
    `96 2b 00 00 00 d9 40 ${"3566".repeat(32)} a5 6e 6f 69 73 65`,
  ],
  [{ type: "Region", rx: -1, rz: 0, state: 1, sha256: "", source: "" }, "96 2b ff 00 01 a0 a0"],
  [
    { type: "Goodbye", code: "restart", text: "the server is stopping", retry_after_ms: 5000 },
    `94 2c a7 72 65 73 74 61 72 74 b6 74 68 65 20 73 65 72 76 65 72 20 69 73 20 73 74 6f 70 70 69 6e 67 cd 13 88`,
  ],
  [
    { type: "Goodbye", code: "kicked", text: "shouting", retry_after_ms: 0 },
    "94 2c a6 6b 69 63 6b 65 64 a8 73 68 6f 75 74 69 6e 67 00",
  ],
  [
    { type: "Standing", role: "guest", muted_ms: 600000, reason: "shouting", hidden: false },
    "95 2d a5 67 75 65 73 74 ce 00 09 27 c0 a8 73 68 6f 75 74 69 6e 67 c2",
  ],
];

/** That all of what is expected is there; newer fields have values, too. */
function holds(/** @type {any} */ found, /** @type {any} */ expected) {
  if (expected === null || typeof expected !== "object" || expected instanceof Uint8Array) {
    assert.deepEqual(found, expected);
    return;
  }
  if (Array.isArray(expected)) assert.equal(found.length, expected.length);
  for (const key of Object.keys(expected)) holds(found[key], expected[key]);
}

test("the examples of the protocol page", async (t) => {
  for (const [message, hex] of EXAMPLES) {
    await t.test(message.type, () => {
      assert.equal(toHex(encodeMessage(message)), toHex(fromHex(hex)));
      const read = /** @type {any} */ (decodeMessage(fromHex(hex)));
      holds(read, message);
    });
  }
});

test("what is left out at the end has its value", () => {
  const { name, token, keep } = /** @type {any} */ (decodeMessage(fromHex("920101")));
  assert.deepEqual([name, token, keep], ["", null, false]);
  assert.deepEqual(decodeMessage(fromHex("93 24 05 c4 00"))?.lines, []);
  assert.equal(toHex(encodeMessage({ type: "Hello", version: 1 })), "920101");
  assert.equal(toHex(encodeMessage({ type: "Hello", version: 1, name: "A" })), "940101a0a141");
});

test("what is new at the end, and new tags, are not looked at", () => {
  assert.deepEqual(decodeMessage(fromHex("93 26 01 a1 61")), { type: "AreaComplete", tick: 1 });
  assert.equal(decodeMessage(fromHex("92 7f 01")), null);
});

test("wide integers are no floats", () => {
  assert.equal(toHex(encodeMessage({ type: "Ping", client_ms: 2 ** 53 - 1 })), "9203cf001fffffffffffff");
  // So is one that is left out, before a field that is not: the market's highest price.
  assert.match(toHex(encodeMessage({ type: "Market", id: 1, act: "page", near: [0, 0, 9] })), /cf00038d7ea4c68000/);
  assert.equal(decodeMessage(fromHex("9203cf001fffffffffffff"))?.client_ms, 2 ** 53 - 1);
});

test("what is no message is refused", () => {
  for (const hex of ["", "c1", "a1 61", "90", "91 22", "92 22 a1 61", "92 22 c0", "93 24 05 a0"]) {
    assert.throws(() => decodeMessage(fromHex(hex)), { name: "WireError" }, hex);
  }
});

test("what the server would refuse to read is not written", () => {
  const say = { type: "Say", id: 1, kind: 0 };
  // Characters are code points: 500 of two UTF-16 units each are good.
  encodeMessage({ ...say, text: "👋".repeat(500) });
  assert.throws(() => encodeMessage({ ...say, text: "👋".repeat(501) }), { name: "WireError" });
  assert.throws(() => encodeMessage({ ...say, text: 5 }), { name: "WireError" });
  assert.throws(() => encodeMessage({ type: "Ping", client_ms: 1.5 }), { name: "WireError" });
  assert.throws(() => encodeMessage({ type: "Who", ids: [] }), { name: "WireError" });
  assert.throws(() => encodeMessage({ type: "Whisper", id: 1, to: 0, text: "" }), { name: "WireError" });
  const bad = [
    { type: "Hello", version: 1, access: "x".repeat(129) },
    { type: "Hello", version: 1, code: "x".repeat(65) },
    { type: "Block", id: 1, avatar: 1, on: true, reach: 2 },
    { type: "Order", id: 1, act: "praise" },
    { type: "Order", id: 1, act: "ban", name: "x".repeat(65) },
    { type: "Order", id: 1, act: "ban", network: "x".repeat(50) },
    { type: "Order", id: 1, act: "ban", name: "Bo", minutes: 52560001 },
    { type: "Order", id: 1, act: "ban", name: "Bo", text: "x".repeat(501) },
    { type: "Order", id: 1, act: "close", number: 2 ** 31 },
    { type: "Order", id: 1, act: "invite", uses: 0 },
    { type: "Order", id: 1, act: "invite", uses: 1001 },
    { type: "Account", id: 1, act: "bot", name: "Hilda", scopes: ["fly"] },
    { type: "Account", id: 1, act: "revoke", token: "0".repeat(17) },
    { type: "Market", id: 1, act: "page", within: 100 },
    { type: "Report", id: 1, avatar: 1 },
    { type: "Report", id: 1, avatar: 1, text: "x".repeat(501) },
  ];
  for (const message of bad) {
    assert.throws(() => encodeMessage(message), { name: "WireError" }, JSON.stringify(message));
  }
  assert.throws(() => encodeMessage({ type: "Nothing" }), { name: "WireError" });
  assert.equal(decodeMessage(encodeMessage({ ...say, text: "a\ud800b" }))?.text, "a\ufffdb");
});
