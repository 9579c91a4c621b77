/** What an owner does with an estate: offer it, change it, part with it. */
import { newKey } from "worldloom/dealer.js";
import { h } from "../app/dom.js";
import { confirmed, field, form, tick } from "../ui/forms.js";
import { MONEY } from "../ui/money.js";
import { landOf } from "./data.js";
import { feeWords } from "./deal.js";
import { parcelGrid } from "./grid.js";
import { PARCELS, parcelsOf, runsOf } from "./parcels.js";
import { ENDS, amount, askedFold, choice, fold } from "./tabs.js";

/** @typedef {import("../app/app.js").App} App @typedef {import("./data.js").Estate} Estate @typedef {import("./coins.js").Coins} Coins */
/** Seconds. @type {[number, string][]} */
const PERIODS = [[3_600, "an hour"], [86_400, "a day"], [7 * 86_400, "a week"], [30 * 86_400, "30 days"]];

/** @param {App} app @param {string} done @returns {string} */
function told(app, done) {
  landOf(app).stale();
  app.toasts.tell(done, { kind: "good" });
  return "";
}

/** @param {string} label @param {string} [hint] */
function whom(label, hint) {
  const input = h("input", { maxLength: 64, autocomplete: "off", spellcheck: false });
  return { input, element: field(label, input, hint), fields: () => (input.value.trim() ? { name: input.value.trim() } : {}) };
}

/** @param {App} app @param {Estate} estate @param {Coins} coins @returns {HTMLElement} */
export function sellForms(app, { estate }, coins) {
  const { trade } = app.world;
  const unit = coins.unit;
  const price = amount();
  const fee = MONEY.fee > 0 && h("p", { class: "soft" }, feeWords(MONEY.fee));
  const only = whom("Only to", "A name; empty: to everybody.");
  const until = choice("Until", [[0, "I withdraw it"], ...ENDS], 0);
  const [first, step] = [amount(), amount()];
  const end = choice("Ends after", ENDS, 86_400);
  return fold("Sell", form({ button: "Offer it for sale", run: async () => {
    const offer = await trade.market("sell", { key: newKey(), estate, price: coins.read(price.value), seconds: until.seconds(), ...only.fields() });
    return told(app, `It is for sale for ${coins.write(offer.price)}.`);
  } }, field(`Price, in ${unit}`, price), fee, until.element, only.element),
  h("h3", {}, "Or auction it"), form({ button: "Begin the auction", kind: "", run: async () => {
    await trade.market("auction", { key: newKey(), estate, price: coins.read(first.value), step: coins.read(step.value), seconds: end.seconds() });
    return told(app, "The auction has begun.");
  } }, field(`Least bid, in ${unit}`, first), field(`Each bid higher by, in ${unit}`, step), end.element));
}

/** @param {App} app @param {Estate} estate @param {Coins} coins @returns {HTMLElement} */
export function letForm(app, { estate }, coins) {
  const rent = amount();
  const period = choice("For each", PERIODS, 86_400);
  const most = h("input", { type: "number", min: "1", max: "1000", value: "30", required: true });
  const renewable = h("input", { checked: true });
  const only = whom("Only to", "A name; empty: to everybody.");
  return fold("Let", form({ button: "Offer it to let", run: async () => {
    await app.world.trade.market("offer_lease", { key: newKey(), estate, price: coins.read(rent.value),
      seconds: period.seconds(), periods: Number(most.value), renewable: renewable.checked, ...only.fields() });
    return told(app, "It is to let.");
  } }, field(`Rent, in ${coins.unit}`, rent), period.element,
  field("Periods of one lease at most", most), tick("A tenant may renew", renewable), only.element));
}

/** @param {App} app @param {Estate} estate @returns {HTMLElement} */
export function describeForm(app, estate) {
  const title = h("input", { maxLength: 64, value: estate.name, autocomplete: "off" });
  const text = h("textarea", { rows: 3, maxLength: 500, value: estate.description });
  const describe = (/** @type {object} */ fields) => app.world.trade.estate("describe", { key: newKey(), estate: estate.estate, ...fields });
  return fold("Name, description, landing", form({ button: "Save", run: async () => {
    await describe({ title: title.value.trim(), text: text.value.trim() });
    return told(app, "It is saved.");
  } }, field("Name", title), field("Description", text)),
  h("p", { class: "soft" }, estate.landing
    ? `Visitors arrive at ${Math.round(estate.landing.x / 64)}, ${Math.round(estate.landing.z / 64)}.` : "It has no landing point for visitors."),
  form({ button: "Visitors arrive where I stand", kind: "", run: async () => {
    const { x, z } = app.body?.pose ?? app.world.me;
    await describe({ landing: { x: Math.round(x * 64), z: Math.round(z * 64) } });
    return told(app, "Visitors arrive here from now on.");
  } }));
}

/** @param {App} app @param {Estate} estate @returns {HTMLElement} */
export function shapeForms(app, estate) {
  return askedFold("Join and split", async () => {
    const { trade } = app.world;
    const { estates } = await trade.estate("holdings");
    const others = estates.filter((/** @type {Estate} */ one) => one.estate !== estate.estate);
    const other = choice("Estate beside it", others.map((/** @type {Estate} */ one) => [one.estate, one.name || `Estate ${one.estate}`]), "");
    const region = /** @type {[number, number]} */ ([Math.floor(estate.runs[0].px / PARCELS), Math.floor(estate.runs[0].pz / PARCELS)]);
    const chosen = /** @type {Set<string>} */ (new Set());
    const own = new Set(parcelsOf(estate.runs).map(({ px, pz }) => `${px},${pz}`));
    const name = h("input", { maxLength: 64, autocomplete: "off" });
    const count = h("p", { role: "status" }, "Choose the parcels that are to be an estate of their own.");
    const grid = parcelGrid(app, { region, chosen, may: (px, pz) => own.has(`${px},${pz}`), changed: () => {
      count.textContent = `${chosen.size} chosen of ${own.size}.`;
    } });
    return [others.length ? form({ button: "Join", kind: "", run: async () => {
      await trade.estate("join", { key: newKey(), estate: estate.estate, other: Number(other.select.value) });
      return told(app, "The two are one now.");
    } }, other.element) : h("p", {}, "You have no other estate to join with it."),
    estate.parcels > 1 && form({ button: "Split off", kind: "", run: async () => {
      const parcels = [...chosen].map((key) => key.split(",").map(Number)).map(([px, pz]) => ({ px, pz }));
      await trade.estate("split", { key: newKey(), estate: estate.estate, parcels: runsOf(parcels), title: name.value.trim() });
      return told(app, "It is an estate of its own now.");
    } }, h("h3", {}, "Split"), count, grid, field("Name of the new estate", name))];
  });
}

/** @param {App} app @param {Estate} estate @returns {HTMLElement} */
export function partForms(app, estate) {
  const { trade } = app.world;
  const name = estate.name || `Estate ${estate.estate}`;
  const to = whom("Give it to");
  to.input.required = true;
  return fold("Give away, abandon", form({ button: "Give away", kind: "danger", run: async () => {
    const sure = await confirmed({ title: `Give ${name} to ${to.input.value.trim()}?`, yes: "Give it away", danger: true,
      text: "It is theirs then, and you get nothing for it." });
    if (!sure) return "";
    await trade.estate("give", { key: newKey(), estate: estate.estate, ...to.fields() });
    return told(app, "It is given.");
  } }, to.element),
  form({ button: "Abandon", kind: "danger", run: async () => {
    const sure = await confirmed({ title: `Abandon ${name}?`, yes: "Abandon it", danger: true,
      text: "The world has it again, and you get nothing for it. Anybody may claim it." });
    if (!sure) return "";
    await trade.estate("abandon", { key: newKey(), estate: estate.estate });
    told(app, "It is the world's again.");
    app.panels.open("land", { tab: "mine" });
    return "";
  } }, h("p", {}, "Or give it back to the world, for nothing.")));
}

