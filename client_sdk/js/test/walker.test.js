import assert from "node:assert/strict";
import { test } from "node:test";
import { comesBack, isSentOut, mayResume, waitMs } from "../src/comeback.js";
import { Clock } from "../src/clock.js";
import { CorrectionReason, Gesture, ON_GROUND } from "../src/units.js";
import { Silence } from "../src/silence.js";
import { Standing } from "../src/standing.js";
import { Walker } from "../src/walker.js";

const LIMITS = { speed: 768, climb: 320, moves_per_s: 30 };
const AIM = { y: null, yaw: null, gesture: null };

function started() {
  const walker = new Walker();
  walker.start({ x: 0, z: 0, y: 160, yaw: 0, limits: LIMITS }, 0);
  return walker;
}

/** Steps of 25 ms, as the pilot makes them. @param {Walker} walker @param {number} from @param {number} until */
function walk(walker, from, until) {
  const moves = [];
  for (let now = from; now <= until; now += 25) {
    const { bytes, arrived } = walker.step(now);
    if (bytes) {
      const view = new DataView(bytes.buffer);
      moves.push({
        now, seq: view.getUint32(0, true), x: view.getInt32(4, true), z: view.getInt32(8, true),
        y: view.getInt16(12, true), yaw: bytes[14], gesture: bytes[15],
      });
    }
    if (arrived) return { moves, arrived: now };
  }
  return { moves, arrived: null };
}

test("a walk goes ten times a second, at its speed, and ends standing", () => {
  const walker = started();
  walker.aim({ ...AIM, x: 192, z: 0, speed: 96 });
  const { moves, arrived } = walk(walker, 100, 5000);
  assert.ok(arrived && arrived >= 2000 && arrived <= 2300, `arrived ${arrived}`);
  assert.deepEqual(moves.map(({ seq }) => seq), moves.map((_, i) => i + 1));
  const last = moves[moves.length - 1];
  assert.deepEqual([last.x, last.z, last.y, last.yaw, last.gesture], [192, 0, ON_GROUND, 64, Gesture.STAND]);
  assert.equal(moves[0].gesture, Gesture.WALK);
  assert.ok(moves.every(({ now }, i) => i === 0 || now - moves[i - 1].now >= 95));
  assert.equal(walker.busy, false);
});

test("no aim is faster than the server's limits", () => {
  const walker = started();
  walker.aim({ ...AIM, x: 6400, z: -6400, y: 800, speed: Infinity });
  const { moves } = walk(walker, 100, 3000);
  for (const start of moves) {
    for (const end of moves) {
      if (end.now <= start.now) continue;
      const seconds = (end.now - start.now) / 1000;
      assert.ok(Math.hypot(end.x - start.x, end.z - start.z) <= LIMITS.speed * seconds + 1);
      assert.ok(Math.abs(end.y - start.y) <= LIMITS.climb * seconds + 1);
    }
  }
  assert.ok(moves[moves.length - 1].x > 1000);
});

test("a very slow walk comes on, too", () => {
  const walker = started();
  walker.aim({ ...AIM, x: 5, z: 0, speed: 2 });
  assert.ok(walk(walker, 100, 5000).arrived);
});

test("who stood still for long does not leap", () => {
  const walker = started();
  walker.aim({ ...AIM, x: 640, z: 0, speed: 96 });
  assert.ok(walk(walker, 60_000, 60_000).moves[0].x <= 10);
});

test("a correction sets the body down, and the walk goes on or ends by its reason", () => {
  const walker = started();
  const place = { x: 10, z: 20, y: 30, yaw: 40 };
  walker.aim({ ...AIM, x: 640, z: 0, speed: 96 });
  walk(walker, 100, 500);
  assert.equal(walker.correct({ ...place, reason: CorrectionReason.SPEED }, 500), true);
  assert.deepEqual([walker.x, walker.z, walker.y, walker.yaw], [10, 20, 30, 40]);
  assert.ok(walk(walker, 525, 1000).moves.length > 2);
  // Where no land is, it waits for land.
  assert.equal(walker.correct({ ...place, reason: CorrectionReason.UNWOVEN }, 1000), true);
  assert.equal(walk(walker, 1025, 2000).moves.length, 0);
  // Moves that were on their way are judged from there: one more says where we are, even if we stand still.
  assert.equal(new DataView(/** @type {any} */ (walker.confirm({ seq: 1, reason: 5 })).buffer).getInt32(4, true), 10);
  assert.equal(walker.confirm({ seq: 1000, reason: 5 }), null);
  walker.woven();
  assert.ok(walk(walker, 2025, 2500).moves.length > 0);
  assert.equal(walker.correct({ ...place, reason: CorrectionReason.FULL }, 2500), false);
  assert.equal(walker.busy, false);
});

test("which closings call for coming back", () => {
  for (const code of [1001, 1005, 1006, 1011, 1012, 1013]) assert.equal(comesBack(code), true, `${code}`);
  for (const code of [1000, 1002, 1003, 1007, 1008, 1009, 4001, 4002, 4321]) {
    assert.equal(comesBack(code), false, `${code}`);
  }
  assert.equal(comesBack(1008, { refused: "token" }), false);
  // Our own lost body has the name for so long, and no longer.
  assert.equal(comesBack(1008, { refused: "name_taken", lostMs: 69_000, resumeMs: 30_000 }), true);
  assert.equal(comesBack(1008, { refused: "name_taken", lostMs: 71_000, resumeMs: 30_000 }), false);
  assert.deepEqual([1006, 1012, 4001].map(mayResume), [true, true, true]);
  assert.deepEqual([1000, 1008, 4002].map(mayResume), [false, false, false]);
  assert.deepEqual(["kicked", "banned", "revoked", "restart"].map(isSentOut), [true, true, true, false]);
});

test("waiting doubles, has a part by chance, and is never less than the server asks", () => {
  assert.deepEqual([0, 1, 2].map((attempt) => waitMs(attempt, 1006, 0, 1)), [250, 500, 1000]);
  assert.equal(waitMs(0, 1006, 0, 0), 125);
  assert.equal(waitMs(50, 1006, 0, 1), 30_000);
  assert.ok(waitMs(0, 1012, 5000, 0) > 5000);
  assert.ok(waitMs(0, 1013, 0, 0) > 3000 && waitMs(0, 1013, 1000, 0) < 2000);
});

test("the clock believes the quickest Ping", () => {
  const clock = new Clock();
  clock.start(10_000, 0);
  assert.equal(clock.serverMs(5), 10_005);
  clock.pong(100, 10_170, 200);
  clock.pong(300, 10_355, 310);
  clock.pong(400, 10_700, 700);
  assert.equal(clock.roundTripMs, 10);
  assert.equal(clock.serverMs(310), 10_360);
});

test("standing replaces what was; a mute runs out by itself", () => {
  const standing = new Standing();
  standing.welcome({ role: "moderator", scopes: ["talk"], hidden: true });
  const { role, hidden, mayMove } = standing;
  assert.deepEqual([role, hidden, mayMove, standing.mutedMs(0)], ["moderator", true, false, 0]);
  standing.tell({ role: "resident", muted_ms: 600, reason: "shouting", hidden: false }, 1000);
  assert.deepEqual([standing.role, standing.hidden, standing.reason], ["resident", false, "shouting"]);
  assert.deepEqual([standing.mutedMs(1200), standing.mutedMs(1600), standing.mutedMs(9000)], [400, 0, 0]);
  standing.tell({ role: "resident", muted_ms: 9007199254740991, reason: "", hidden: false }, 1000);
  assert.equal(standing.mutedMs(1e9), Infinity);
  standing.welcome({ role: "resident", scopes: null, hidden: false });
  assert.deepEqual([standing.mutedMs(1e9), standing.mayMove], [0, true]);
});

test("silence is a loss, but not where we slept ourselves", () => {
  const silence = new Silence();
  silence.hear(1000);
  assert.deepEqual(silence.look(1000), { lost: false, probe: false, againMs: 20_010 });
  silence.hear(6000);
  assert.deepEqual(silence.look(21_010), { lost: false, probe: false, againMs: 5000 });
  assert.equal(silence.look(26_020).lost, true);

  const slept = new Silence();
  slept.hear(0);
  slept.look(0);
  assert.deepEqual(slept.look(60_000), { lost: false, probe: true, againMs: 5000 });
  slept.hear(60_010);
  assert.equal(slept.look(65_000).lost, false);
  // A minute later again, and this time nobody answers.
  assert.equal(slept.look(125_000).probe, true);
  assert.equal(slept.look(185_000).lost, true);
});
