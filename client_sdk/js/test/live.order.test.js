// Accounts and staff in a real world; WORLDLOOM_STAFF_TOKEN is the token of an owner there.
import assert from "node:assert/strict";
import { test } from "node:test";
import { Scope, World, defaultLook } from "../src/index.js";
import { WITHIN, enter, mark, sees, skip, url } from "./live.js";

const token = process.env.WORLDLOOM_STAFF_TOKEN ?? "";
const noStaff = skip || (token ? false : "WORLDLOOM_STAFF_TOKEN is no owner's token");

/** @param {World} world @param {string} type */
const next = (world, type) => world.next(type, WITHIN);

test("an account: codes, tokens, bots", { skip, timeout: 30_000 }, async () => {
  const { world: kim } = await enter(`Kim ${mark}`, { keep: true });
  assert.deepEqual([kim.role, kim.scopes, kim.recovery.length], ["resident", null, 32]);

  // Pairing: the other device takes the session over, and has a token of its own.
  const pairing = await kim.account.pairingCode();
  assert.equal(pairing.account, kim.me.id);
  assert.ok(pairing.until_ms > Date.now() && pairing.until_ms < Date.now() + 11 * 60_000);
  const replaced = next(kim, "closed");
  const { world: phone } = await enter("", { code: pairing.text.toLowerCase() });
  assert.equal((await replaced).code, 4001);
  assert.deepEqual([phone.me.id, phone.me.name, phone.recovery], [kim.me.id, kim.me.name, ""]);
  assert.ok(phone.token && phone.token !== kim.token);

  // A recovery code is good once; the Welcome has the next one.
  const code = (await phone.account.recoveryCode()).text;
  const { world: found } = await enter("", { code });
  assert.deepEqual([found.me.id, found.recovery.length], [kim.me.id, 32]);
  assert.notEqual(found.recovery, code);
  await assert.rejects(new World(url, { code }).connect(), { name: "RefusedError", code: "token" });

  const key = await found.account.botKey(`Hilda ${mark}`, [Scope.TALK]);
  const { world: bot } = await enter("", { token: key.text });
  assert.deepEqual([bot.scopes, bot.me.id], [["talk"], key.account]);
  await assert.rejects(bot.walkTo(bot.me.x + 1, bot.me.z), { name: "RefusedError", code: "forbidden" });
  await bot.say("I am a bot.");
  await assert.rejects(bot.account.tokens(), { name: "RefusedError", code: "forbidden" });
  const look = defaultLook(bot.me.id);
  assert.deepEqual(await found.whoIs(bot.me.id), { name: bot.me.name, kind: "bot", of: found.me.name, look });

  const tokens = await found.account.tokens();
  assert.equal(tokens.length, 4);
  const current = tokens.filter((one) => one.current);
  assert.deepEqual(current.map(({ name, scopes, label }) => [name, scopes, label]), [
    [kim.me.name, null, "worldloom-js/0.1"],
  ]);
  const botKey = tokens.find(({ name }) => name === bot.me.name);
  assert.deepEqual(botKey?.scopes, ["talk"]);
  const botOut = next(bot, "sentOut");
  await found.account.revoke(botKey?.id ?? "");
  assert.equal((await botOut).code, "revoked");
  assert.deepEqual([bot.closed, bot.token], [true, null]);
  await assert.rejects(found.account.revoke("0".repeat(16)), { name: "RefusedError", code: "not_found" });
  await found.leave();
  const { world: guest } = await enter("");
  await assert.rejects(guest.account.pairingCode(), { name: "RefusedError", code: "forbidden" });
  await assert.rejects(guest.staff.list(), { name: "RefusedError", code: "forbidden" });
  await guest.leave();
});

test("staff keeps order", { skip: noStaff, timeout: 30_000 }, async (t) => {
  const { world: ann } = await enter("", { token });
  const { world: mal } = await enter(`Mal ${mark}`, { keep: true });
  t.after(() => Promise.all([ann.leave(), mal.leave()]));
  assert.equal(ann.role, "owner");
  const { staff } = ann;
  const who = mal.me.name;
  await ann.walkTo(mal.me.x + 1, mal.me.z, { speed: 1000 });
  await sees(ann, mal.me.id);

  await t.test("mute, and its end", async () => {
    const told = next(mal, "standing");
    await staff.mute(mal.me.id, "shouting", { minutes: 10 });
    const { role, muted_ms, reason, hidden } = await told;
    assert.deepEqual([role, reason, hidden], ["resident", "shouting", false]);
    assert.ok(muted_ms > 590_000 && muted_ms <= 600_000 && mal.mutedMs > 590_000 && mal.mutedFor === "shouting");
    await assert.rejects(mal.say("!"), { name: "RefusedError", code: "muted" });
    const person = await staff.show(who);
    assert.deepEqual([person.avatar, person.role, person.here, person.is_bot], [mal.me.id, "resident", true, false]);
    assert.ok(person.address && person.made_ms > Date.now() - 60_000);
    assert.deepEqual(person.sanctions.map(({ kind, reason: why, by }) => [kind, why, by]), [
      ["mute", "shouting", ann.me.name],
    ]);
    const free = next(mal, "standing");
    await staff.unmute(who);
    await free;
    assert.equal(mal.mutedMs, 0);
    await mal.say("Sorry.");
  });

  await t.test("roles and hiding", async () => {
    const risen = next(mal, "standing");
    await staff.role(who, "moderator");
    await risen;
    assert.equal(mal.role, "moderator");
    assert.ok((await mal.staff.list(mark)).some(({ name, here }) => name === who && here));
    await assert.rejects(mal.staff.audit(), { name: "RefusedError", code: "forbidden" });
    await staff.role(who, "resident");
    const hidden = next(ann, "standing");
    const gone = mal.next("left", { ...WITHIN, where: ({ avatar }) => avatar.id === ann.me.id });
    await staff.hide();
    await Promise.all([hidden, gone]);
    assert.equal(ann.hidden, true);
    await staff.appear();
    await sees(mal, ann.me.id);
  });

  await t.test("invitations, reports, the log", async () => {
    const invitation = await staff.invite({ uses: 3, minutes: 5 });
    assert.match(invitation.text, /^[0-9A-Z]{4}(-[0-9A-Z]{4}){3}$/);
    assert.equal(invitation.account, 0);
    // A body that has just come into view is not in what the server keeps of it yet; words are.
    const heard = mal.next("spoke", { ...WITHIN, where: ({ avatar }) => avatar === ann.me.id });
    await ann.say("Here I am.");
    await heard;
    const number = await mal.report(ann.me.id, "hides");
    const report = (await staff.reports()).find((one) => one.number === number);
    assert.deepEqual([report?.by, report?.about, report?.text], [mal.me.name, ann.me.name, "hides"]);
    await staff.closeReport(number, "she may");
    assert.ok(!(await staff.reports()).some((one) => one.number === number));
    const acts = (await staff.audit()).filter(({ about }) => about === who).map(({ act }) => act);
    for (const act of ["mute", "unmute", "role"]) assert.ok(acts.includes(act), `${acts}`);
  });

  await t.test("who is sent out stays out", async () => {
    const { world: guest } = await enter(`Gus ${mark}`);
    const lost = /** @type {any[]} */ ([]);
    guest.on("lost", (event) => lost.push(event));
    const kicked = next(guest, "sentOut");
    const closed = next(guest, "closed");
    await staff.kick(guest.me.id, "enough");
    assert.deepEqual(await kicked, { code: "kicked", text: "enough", retry_after_ms: 0 });
    const { code, error } = await closed;
    assert.deepEqual([code, error.name, error.why], [4002, "SentOutError", "kicked"]);
    assert.deepEqual([lost, guest.closed, guest.resume], [[], true, null]);

    const banned = next(mal, "sentOut");
    await staff.ban(who, "a raid", { minutes: 60 });
    const { code: why, retry_after_ms } = await banned;
    assert.equal(why, "banned");
    assert.ok(retry_after_ms > 3_590_000 && retry_after_ms <= 3_600_000);
    await assert.rejects(new World(url, { token: mal.token }).connect(), (/** @type {any} */ error_) => (
      error_.code === "banned" && error_.retryAfterMs > 3_590_000
    ));
    await staff.unban(who);
    await assert.rejects(staff.unban(who), { name: "RefusedError", code: "not_found" });
    await staff.ban({ network: "192.0.2.7" }, "a raid", { minutes: 1 });
    await staff.unban({ network: "192.0.2.7" });
    const { world: again } = await enter("", { token: mal.token });
    await again.leave();
  });
});

test("edited terrain is the same for all, and for who comes late", { skip: noStaff, timeout: 60_000 }, async () => {
  const { world: olga, cut } = await enter("", { token });
  const { world: ben } = await enter(`Digger ${mark}`);
  const x = 2 * Math.round(ben.me.x / 2) + 20;
  const z = 2 * Math.round(ben.me.z / 2) + 20;
  const before = await ben.groundAt(x, z);
  assert.ok(before !== null);
  await olga.groundAt(x, z);
  await assert.rejects(ben.editTerrain(x, z, [[5]]), { name: "RefusedError", code: "forbidden" });
  const edited = ben.next("edited", WITHIN);
  await olga.editTerrain(x, z, [[40, 41], [null, 42.5]]);
  assert.equal(olga.ground(x, z), 40, "right after the edit");
  const { heights, version } = await edited;
  assert.deepEqual([...heights], [1280, 1312, -32768, 1360]);
  assert.deepEqual([ben.ground(x, z), ben.ground(x + 2, z), ben.ground(x + 2, z + 2)], [40, 41, 42.5]);

  const { world: cy } = await enter(`Late ${mark}`);
  assert.deepEqual([await cy.groundAt(x, z), await cy.groundAt(x + 2, z + 2)], [40, 42.5]);
  // What happens while a connection is lost is known once it is resumed.
  const lost = olga.next("lost", WITHIN);
  const resumed = olga.next("resumed", WITHIN);
  cut();
  await lost;
  await resumed;
  await olga.editTerrain(x, z, [[null, null], [null, null]]);
  assert.equal(await olga.groundAt(x, z), before);
  if (cy.ground(x, z) !== before) await cy.next("edited", { ...WITHIN, where: (event) => event.version > version });
  assert.equal(cy.ground(x, z), before);
  await Promise.all([olga.leave(), ben.leave(), cy.leave()]);
});
