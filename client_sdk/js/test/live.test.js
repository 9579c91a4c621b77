// Two clients in a real world: WORLDLOOM_URL=ws://127.0.0.1:8420/ws npm test
import assert from "node:assert/strict";
import { test } from "node:test";
import { BlockReach, World, defaultLook } from "../src/index.js";
import { WITHIN, enter, mark, sees, skip, url } from "./live.js";


test("two clients see each other, walk, talk and come back", { skip, timeout: 90_000 }, async (t) => {
  const { world: ada, cut } = await enter(`Ada ${mark}`);
  const { world: bo } = await enter(`Bo ${mark}`);
  t.after(() => Promise.all([ada.leave(), bo.leave()]));

  await t.test("they see each other and learn names", async () => {
    // The world lets people in apart from each other.
    await ada.walkTo(bo.me.x + 1, bo.me.z, { speed: 1000 });
    await sees(ada, bo.me.id);
    await sees(bo, ada.me.id);
    assert.equal(await ada.nameOf(bo.me.id), bo.me.name);
    assert.equal(await bo.nameOf(ada.me.id), ada.me.name);
    assert.equal(await bo.nameOf(4294967294), null);
  });

  await t.test("one walks, the other sees where", async () => {
    const { x, z } = ada.me;
    await ada.walkTo(x + 3, z + 4, { speed: 10 });
    assert.deepEqual([ada.me.x, ada.me.z], [x + 3, z + 4]);
    const body = await sees(bo, ada.me.id);
    const arrived = () => body.x === x + 3 && body.z === z + 4 && body.gesture === 0;
    if (!arrived()) await bo.next("moved", { ...WITHIN, where: ({ avatar }) => avatar === body && arrived() });
    const ground = await ada.groundAt(ada.me.x, ada.me.z);
    assert.ok(ground !== null && Math.abs(Math.max(ground, 0) - body.y) <= 0.1, `ground ${ground}, body ${body.y}`);
    ada.move({ yaw: Math.PI, gesture: 5 });
    await bo.next("moved", { ...WITHIN, where: ({ avatar }) => avatar.yaw === Math.PI && avatar.gesture === 5 });
  });

  await t.test("who goes too fast is held to the limits", async () => {
    const corrections = /** @type {any[]} */ ([]);
    const off = ada.on("corrected", (event) => corrections.push(event));
    await ada.walkTo(ada.me.x + 12, ada.me.z, { speed: 1000 });
    off();
    assert.deepEqual(corrections, []);
  });

  await t.test("they talk", async () => {
    // The same place is in the same region, wherever its border is; others may be talking here, too.
    await ada.walkTo(bo.me.x, bo.me.z, { speed: 1000 });
    const heard = bo.next("spoke", { ...WITHIN, where: ({ avatar }) => avatar === ada.me.id });
    await ada.say("Grüß dich 👋");
    const { avatar, name, kind, text } = await heard;
    assert.deepEqual([avatar, name, kind, text], [ada.me.id, ada.me.name, 0, "Grüß dich 👋"]);
    for (const [way, number] of /** @type {const} */ ([["shout", 1], ["region", 2]])) {
      const mine = (/** @type {any} */ event) => event.kind === number && event.avatar === ada.me.id;
      const line = bo.next("spoke", { ...WITHIN, where: mine });
      await ada[way](way);
      assert.equal((await line).text, way);
    }
    const whispered = ada.next("whispered", WITHIN);
    await bo.whisper(ada.me.id, "psst");
    assert.deepEqual(await whispered, { avatar: bo.me.id, name: bo.me.name, text: "psst" });
    const signalled = bo.next("signalled", WITHIN);
    await ada.signal(0, "chess", Uint8Array.of(1, 2));
    assert.deepEqual(await signalled, { avatar: ada.me.id, channel: "chess", data: Uint8Array.of(1, 2) });
    await assert.rejects(ada.whisper(4294967294, "x"), { name: "RefusedError", code: "not_found" });
    await assert.rejects(ada.say("  "), { name: "RefusedError", code: "invalid" });
  });

  await t.test("a block works both ways, as far as it reaches", async () => {
    const left = (/** @type {World} */ world, /** @type {World} */ other) => (
      world.next("left", { ...WITHIN, where: ({ avatar }) => avatar.id === other.me.id })
    );
    const gone = Promise.all([left(ada, bo), left(bo, ada)]);
    await ada.block(bo.me.id);
    await gone;
    assert.equal(await ada.nameOf(bo.me.id), null);
    await assert.rejects(ada.whisper(bo.me.id, "x"), { name: "RefusedError", code: "not_found" });
    await assert.rejects(bo.whisper(ada.me.id, "x"), { name: "RefusedError", code: "not_found" });
    // A new one replaces the reach: bodies come back, words do not.
    await ada.block(bo.me.id, { reach: BlockReach.SPEECH });
    await Promise.all([sees(ada, bo.me.id), sees(bo, ada.me.id)]);
    const heard = /** @type {any[]} */ ([]);
    const off = ada.on("whispered", (event) => heard.push(event));
    await bo.whisper(ada.me.id, "unheard");
    await ada.unblock(bo.me.id);
    const whispered = ada.next("whispered", WITHIN);
    await bo.whisper(ada.me.id, "heard");
    assert.equal((await whispered).text, "heard");
    off();
    assert.deepEqual(heard.map(({ text }) => text), ["heard"]);
  });

  await t.test("the clocks agree", async () => {
    assert.ok(Number.isFinite(ada.roundTripMs) && Number.isFinite(bo.roundTripMs));
    assert.ok(Math.abs(ada.serverMs - bo.serverMs) < 250);
  });

  await t.test("a lost connection is resumed, and nobody is seen to leave", async () => {
    const { id, x, z } = ada.me;
    const left = /** @type {any[]} */ ([]);
    for (const world of [ada, bo]) {
      world.on("left", ({ avatar }) => [ada.me.id, bo.me.id].includes(avatar.id) && left.push(avatar));
    }
    const lost = ada.next("lost", WITHIN);
    const resumed = ada.next("resumed", WITHIN);
    const whole = ada.next("whole", WITHIN);
    cut();
    await lost;
    assert.equal((await resumed).same, true);
    await whole;
    assert.deepEqual([ada.me.id, ada.me.x, ada.me.z], [id, x, z]);
    assert.ok(ada.mirror.avatars.has(bo.me.id));
    assert.deepEqual(left, []);
    await ada.walkTo(x + 1, z);
    await ada.say("Here again.");
  });
});

test("an account comes back with its token", { skip, timeout: 30_000 }, async () => {
  const { world } = await enter(`Kim ${mark}`, { keep: true });
  const { token, me } = world;
  assert.ok(token);
  await world.leave();
  const { world: again } = await enter("", { token });
  assert.deepEqual([again.me.id, again.me.name], [me.id, me.name]);
  await again.leave();
});

test("a refused Hello rejects with its code", { skip, timeout: 30_000 }, async () => {
  await assert.rejects(new World(url, { token: "no-account-has-this-token" }).connect(), {
    name: "RefusedError", code: "token",
  });
});

test("looks are seen, people are found, links lead to a place", { skip, timeout: 60_000 }, async (t) => {
  const { world: ida } = await enter(`Ida ${mark}`, { at: { x: 300, z: -200 } });
  const { world: jo } = await enter(`Jo ${mark}`, { at: { x: 301, z: -200 } });
  t.after(() => Promise.all([ida.leave(), jo.leave()]));
  assert.deepEqual([ida.me.x, ida.me.z, jo.me.x, jo.me.z], [300, -200, 301, -200]);
  await sees(jo, ida.me.id);
  assert.deepEqual((await jo.whoIs(ida.me.id))?.look, defaultLook(ida.me.id));
  const look = { body: 3, skin: 2, hair: 1, top: 20, legs: 4 };
  const seen = jo.next("look", { ...WITHIN, where: ({ avatar }) => avatar === ida.me.id });
  const own = ida.next("look", { ...WITHIN, where: ({ avatar }) => avatar === ida.me.id });
  await ida.look(look);
  assert.deepEqual([(await seen).look, (await own).look], [look, look]);
  assert.deepEqual([jo.knownPerson(ida.me.id)?.look, ida.knownPerson(ida.me.id)?.look], [look, look]);
  assert.deepEqual(await jo.find(`ida ${mark}`), [
    { avatar: ida.me.id, name: ida.me.name, kind: "guest", x: 304, z: -208 },
  ]);
  await ida.findable(false);
  assert.deepEqual(await jo.find(`ida ${mark}`), []);
});
