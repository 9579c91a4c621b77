// Coming back, against a WebSocket that is played.
import assert from "node:assert/strict";
import { test } from "node:test";
import { World } from "../src/index.js";
import { decodeMessage, encodeMessage } from "../src/messages.js";

const LIMITS = { speed: 768, climb: 320, moves_per_s: 30, text_chars: 500, view_cells: 2, resume_ms: 100 };
const WITHIN = { timeoutMs: 5000 };

/** A world whose sockets wait in `sockets` to be played. @param {Record<string, any>} [options] */
function played(options) {
  const sockets = /** @type {Played[]} */ ([]);
  class Played {
    readyState = 0;
    bufferedAmount = 0;
    sent = /** @type {any[]} */ ([]);
    closedWith = /** @type {number | undefined} */ (undefined);
    onopen = () => {};
    onmessage = (/** @type {any} */ _) => {};
    onclose = (/** @type {any} */ _) => {};
    constructor() {
      sockets.push(this);
      setTimeout(() => {
        this.readyState = 1;
        this.onopen();
        world.emit("opened", this);
      }, 1);
    }
    /** @param {Uint8Array} bytes */
    send(bytes) { this.sent.push(decodeMessage(bytes)); }
    /** @param {number} [code] */
    close(code) { this.closedWith = code ?? 1005; }
    /** @param {import("../src/messages.js").Message} message */
    tell(message) { this.onmessage({ data: encodeMessage(message).slice().buffer }); }
    /** @param {number} code */
    end(code) {
      this.readyState = 3;
      this.onclose({ code, reason: "" });
    }
    /** @param {number} you @param {boolean} [resumed] @param {Record<string, any>} [more] */
    welcome(you, resumed = false, more = {}) {
      this.tell({
        type: "Welcome", version: 1, you, name: "Ada", world: "w", world_id: "w", server_ms: 1000, x: 64, z: 128, y: 16,
        yaw: 0, resume: `resume-of-welcome-${sockets.length}`, limits: LIMITS, token: null, resumed, ...more,
      });
    }
  }
  const world = new World("ws://h/ws", { WebSocket: Played, ...options });
  const opened = () => /** @type {Promise<Played>} */ (world.next("opened", WITHIN));
  return { world, opened };
}

/** @param {Record<string, any>} [options] */
async function entered(options) {
  const { world, opened } = played(options);
  const first = opened();
  const connected = world.connect();
  const socket = await first;
  socket.welcome(7);
  return { world, opened, socket, me: await connected };
}

test("the first way in", async () => {
  const { world, socket, me } = await entered({ name: "ada" });
  assert.deepEqual([me.id, me.name, me.x, me.y, me.z], [7, "Ada", 1, 1, 2]);
  assert.deepEqual(socket.sent.map(({ type }) => type), ["Hello", "Ping"]);
  assert.deepEqual([socket.sent[0].name, socket.sent[0].resume], ["ada", null]);
  const left = world.leave();
  assert.equal(socket.sent[2].type, "Leave");
  socket.end(1000);
  await left;
  assert.equal(world.closed, true);
});

test("who is lost comes back with the last resume token, and the name that was asked for", async () => {
  const { world, opened, socket } = await entered({ name: "ada" });
  const said = world.say("hello");
  const next = opened();
  const lost = world.next("lost", WITHIN);
  const resumed = world.next("resumed", WITHIN);
  socket.end(1006);
  await assert.rejects(said, { name: "LostError" });
  await assert.rejects(world.say("anybody?"), { name: "NotSentError" });
  assert.ok((await lost).waitMs <= 250);
  const second = await next;
  assert.deepEqual([second.sent[0].name, second.sent[0].resume], ["ada", "resume-of-welcome-1"]);
  second.welcome(7, true);
  assert.equal((await resumed).same, true);
  assert.equal(world.resume, "resume-of-welcome-2");
  const closed = world.next("closed", WITHIN);
  second.end(4001);
  assert.equal((await closed).code, 4001);
});

test("Goodbye says how long to wait", async () => {
  const { world, socket } = await entered();
  const lost = world.next("lost", WITHIN);
  socket.tell({ type: "Goodbye", code: "restart", text: "", retry_after_ms: 5000 });
  socket.end(1012);
  assert.ok((await lost).waitMs >= 5000);
  await world.leave();
});

test("what is no message of a server ends the connection, not the session", async () => {
  const { world, socket } = await entered();
  const lost = world.next("lost", WITHIN);
  socket.onmessage({ data: "text" });
  assert.match((await lost).reason, /no message/);
  assert.ok(socket.closedWith !== undefined && socket.closedWith >= 4000);
  await world.leave();
});

test("a refused Hello rejects; later, a name that our own lost body has is tried again", async () => {
  const refusal = { type: "Refused", id: 0, code: "name_taken", text: "t", hint: "h", retry_after_ms: 0 };
  const { world, opened } = played({ name: "ada" });
  const first = opened();
  const connected = world.connect();
  const socket = await first;
  socket.tell(refusal);
  socket.end(1008);
  await assert.rejects(connected, { name: "RefusedError", code: "name_taken" });

  const later = await entered({ name: "ada" });
  later.socket.end(1006);
  for (let tries = 0; tries < 2; tries++) {
    const ended = await later.opened();
    const lost = later.world.next("lost", WITHIN);
    ended.tell(refusal);
    ended.end(1008);
    assert.ok((await lost).waitMs <= 1000);
  }
  await later.world.leave();
});

test("who is sent out does not come back, and says why", async () => {
  for (const code of [4002, 1006]) {
    const { world, socket } = await entered({ token: "0123456789abcdef" });
    const sentOut = world.next("sentOut", WITHIN);
    const closed = world.next("closed", WITHIN);
    socket.tell({ type: "Goodbye", code: "banned", text: "a raid", retry_after_ms: 60_000 });
    socket.end(code);
    assert.deepEqual(await sentOut, { code: "banned", text: "a raid", retry_after_ms: 60_000 });
    const { error } = await closed;
    assert.deepEqual([error.name, error.why, error.message, error.code], [
      "SentOutError", "banned", "banned: a raid", code,
    ]);
    assert.deepEqual([world.closed, world.resume, world.token], [true, null, "0123456789abcdef"]);
  }
  const { world, socket } = await entered({ token: "0123456789abcdef" });
  socket.tell({ type: "Goodbye", code: "revoked", text: "" });
  socket.end(4002);
  assert.deepEqual([world.closed, world.token], [true, null]);
});

test("what Hello sends, at first and again", async () => {
  const secrets = { name: "Ada", access: "open sesame", code: "7KQ2", keep: true, bot: true };
  const { world, opened } = played(secrets);
  const first = opened();
  const connected = world.connect();
  const socket = await first;
  const { keep, access, code, bot } = socket.sent[0];
  assert.deepEqual([keep, access, code, bot], [false, "open sesame", "7KQ2", true]);
  socket.welcome(7, false, { token: "0123456789abcdef", recovery: "AAAA-BBBB", role: "resident" });
  await connected;
  assert.deepEqual([world.token, world.recovery, world.role], ["0123456789abcdef", "AAAA-BBBB", "resident"]);
  const next = opened();
  socket.end(1006);
  const again = (await next).sent[0];
  assert.deepEqual([again.token, again.keep, again.access, again.code, again.bot], [
    "0123456789abcdef", false, "", "", true,
  ]);
  await world.leave();
  // A guest's password is asked for again.
  const guest = await entered({ access: "open sesame" });
  const back = guest.opened();
  guest.socket.end(1006);
  assert.equal((await back).sent[0].access, "open sesame");
  await guest.world.leave();
});

test("options that cannot be sent reject at once", async () => {
  for (const options of [{ token: "short" }, { name: "x".repeat(65) }, { access: "x".repeat(129) }]) {
    const { world } = played(options);
    await assert.rejects(world.connect(), { name: "WireError" });
  }
});

test("a key without the scope sends no Move; standing is told", async () => {
  const { world, opened } = played({ token: "0123456789abcdef" });
  const first = opened();
  const connected = world.connect();
  const socket = await first;
  socket.welcome(7, false, { scopes: ["talk"], role: "resident" });
  await connected;
  await assert.rejects(world.walkTo(9, 9), { name: "RefusedError", code: "forbidden" });
  assert.throws(() => world.move({ yaw: 1 }), { name: "RefusedError", code: "forbidden" });
  world.stop();
  assert.deepEqual(socket.sent.map(({ type }) => type), ["Hello", "Ping"]);
  const told = world.next("standing", WITHIN);
  socket.tell({ type: "Standing", role: "resident", muted_ms: 60_000, reason: "shouting", hidden: false });
  assert.deepEqual(await told, { role: "resident", muted_ms: 60_000, reason: "shouting", hidden: false });
  assert.ok(world.mutedMs > 50_000 && world.mutedFor === "shouting");
  socket.end(1000);
  assert.equal(world.closed, true);
});
