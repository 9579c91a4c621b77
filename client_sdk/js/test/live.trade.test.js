// Two accounts trade in a real world: one has claimed and lists, the other buys. WORLDLOOM_TRADERS: their tokens, a blank
// between them; they have money, and region 19, 19 is open for claiming.
import assert from "node:assert/strict";
import { test } from "node:test";
import { newKey } from "../src/index.js";
import { WITHIN, enter, skip } from "./live.js";

const tokens = (process.env.WORLDLOOM_TRADERS ?? "").split(" ");
const untried = skip || (tokens.length !== 2 && "WORLDLOOM_TRADERS says no two tokens");

test("one claims and lists, another buys, and each thing happens once", { skip: untried, timeout: 60_000 }, async (t) => {
  const { world: seller } = await enter("", { token: tokens[0] });
  const { world: buyer } = await enter("", { token: tokens[1] });
  t.after(() => Promise.all([seller.leave(), buyer.leave()]));
  const has = async (/** @type {import("../src/index.js").World} */ world) => (await world.trade.money("balance")).own;
  const before = await has(buyer);

  const claimed = newKey();
  const parcels = [{ px: 310, pz: 310, n: 2 }];
  const estate = await seller.trade.claim(parcels, { title: "Mill", key: claimed });
  const price = 2 * 1000;
  const again = await seller.trade.estate("claim", { key: claimed, parcels, price, title: "Mill" });
  assert.deepEqual(again, estate);

  const offer = await seller.trade.market("sell", { key: newKey(), estate: estate.estate, price: 700 });
  const { offers } = await buyer.trade.market("page", { sort: "price" });
  const shown = offers.find((/** @type {any} */ one) => one.listing === offer.listing);
  assert.equal(shown.fingerprint, offer.fingerprint);

  const told = seller.next("notice", { ...WITHIN, where: ({ kind }) => kind === "sold" });
  const key = newKey();
  const bought = await buyer.trade.buy(shown, { key });
  assert.deepEqual(await buyer.trade.buy(shown, { key }), bought);
  assert.equal(await has(buyer), before - 700);
  const { listing, amount, name } = await told;
  assert.deepEqual([listing, amount, name], [offer.listing, 700, buyer.me.name]);
  assert.equal((await seller.trade.estate("show", { estate: estate.estate })).owner_name, buyer.me.name);
  await assert.rejects(buyer.trade.buy(shown), { code: "sold" });
});
