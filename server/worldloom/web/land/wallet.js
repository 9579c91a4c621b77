/** The wallet: what you have, paying somebody, and what came and went. */
import { Role } from "worldloom";
import { newKey } from "worldloom/dealer.js";
import { fill, h } from "../app/dom.js";
import { confirmed, field, form } from "../ui/forms.js";
import { when } from "../ui/format.js";
import { money } from "../ui/money.js";
import { coinsHere, purseWords } from "./coins.js";
import { landOf } from "./data.js";
import { amount, guestNote, shown, tabs } from "./tabs.js";

const PAGE = 100;
/** @type {Record<string, string>} */
const KINDS = {
  grant: "Granted to newcomers", mint: "From the operator", burn: "Taken by the operator", pay: "Payment", claim: "Land claimed", sale: "Land sold",
  bid: "Bid, held", outbid: "Bid, back", settle: "Auction settled", rent: "Rent", refund: "Paid back", correct: "Correction",
};

/** @param {import("../app/app.js").App} app @param {HTMLElement} root @returns {import("../app/panels.js").Opened} */
export function openWallet(app, root) {
  if (app.world.role === Role.GUEST) {
    fill(root, tabs(app, "Wallet"), guestNote(app));
    return {};
  }
  const [purse, list] = [h("div", {}, h("p", { class: "soft" }, "…")), h("div", {})];
  fill(root, tabs(app, "Wallet"), purse, payForm(app), h("h3", {}, "What came and went"), list);
  const show = () => {
    void shown(purse, balance(app));
    void shown(list, statement(app));
  };
  show();
  return { close: landOf(app).on("stale", show) };
}

/** @param {import("../app/app.js").App} app */
async function balance(app) {
  const { own, granted } = await app.world.trade.money("balance");
  return [h("p", { class: "balance" }, money(own)), granted > 0 && h("p", {}, `And ${money(granted)} granted, to claim land with.`)];
}

/** @param {import("../app/app.js").App} app */
function payForm(app) {
  const to = h("input", { maxLength: 64, required: true, autocomplete: "off", spellcheck: false });
  const much = amount();
  const memo = h("input", { maxLength: 200, autocomplete: "off" });
  return h("details", {}, h("summary", {}, "Pay somebody"), form({ button: "Pay", run: async () => {
    const coins = coinsHere();
    const minor = coins.read(much.value);
    const name = to.value.trim();
    if (!(await confirmed({ title: `Pay ${coins.write(minor)} to ${name}?`, text: await purseWords(app), yes: "Pay" }))) return "";
    await app.world.trade.pay(name, minor, { memo: memo.value.trim(), key: newKey() });
    much.value = memo.value = "";
    landOf(app).stale();
    return `${name} has ${coins.write(minor)} of you.`;
  } }, field("To", to, "The name of somebody who has an account."), field("Amount", much), field("Memo", memo, "Both of you see it for good.")));
}

/** @param {import("../app/app.js").App} app */
async function statement(app) {
  const { trade } = app.world;
  const coins = coinsHere();
  const list = h("ol", { class: "plain-list statement" });
  const add = (/** @type {any[]} */ entries) => list.append(...entries.map((entry) => entryShown(entry, coins)));
  let entries = await trade.money("statement");
  if (!entries.length) return h("p", {}, "Nothing yet.");
  add(entries);
  const more = h("button", { type: "button", hidden: entries.length < PAGE, on: { click: async () => {
    const next = await app.attempt(trade.money("statement", { before: entries[entries.length - 1].transfer }));
    if (!next) return;
    entries = next;
    add(entries);
    more.hidden = entries.length < PAGE;
  } } }, "Earlier");
  return [list, more];
}

/** @param {any} entry @param {import("./coins.js").Coins} coins */
function entryShown({ at_ms: at, kind, amount: minor, granted, memo, others }, coins) {
  const names = others.map((/** @type {any} */ { name }) => name).filter(Boolean).join(", ");
  return h("li", { class: "entry" },
    h("span", { class: "grow" }, [KINDS[kind] ?? kind, names && `${minor > 0 ? "from" : "to"} ${names}`, granted && "(granted)"].filter(Boolean).join(" "),
      memo && h("small", { class: "memo" }, memo), h("small", {}, when(at))),
    h("span", { class: minor > 0 ? "came" : "went" }, `${minor > 0 ? "+" : "−"}${coins.write(Math.abs(minor))}`));
}
