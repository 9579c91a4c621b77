/** What is offered of an estate, and taking it: buying, bidding, leasing. */
import { newKey } from "worldloom/dealer.js";
import { Role } from "worldloom";
import { h } from "../app/dom.js";
import { confirmed, field, form } from "../ui/forms.js";
import { duration, when } from "../ui/format.js";
import { landOf } from "./data.js";
import { amount } from "./tabs.js";

/** @typedef {import("./coins.js").Coins} Coins */

/** @param {number} ms Unix time @returns {string} */
export function leftWords(ms) {
  return ms ? `${duration(Math.max(0, ms - Date.now()))} left` : "no end";
}

/** @param {number} fee hundredths of a percent @returns {string} */
export function feeWords(fee) {
  return fee ? `${(fee / 100).toLocaleString()} % of it goes to the treasury.` : "";
}

/**
 * A button that does something once, and says what became of it.
 *
 * @param {import("../app/app.js").App} app
 * @param {string} label
 * @param {{ sure?: Parameters<typeof confirmed>[0], done: string, kind?: string, run: () => Promise<any> }} doing
 */
export function actButton(app, label, { sure, done, kind = "", run }) {
  const button = h("button", { type: "button", class: kind, on: { click: async () => {
    if (button.disabled || (sure && !(await confirmed(sure)))) return;
    button.disabled = true;
    await app.attempt(run(), done);
    button.disabled = false;
    landOf(app).stale();
  } } }, label);
  return button;
}

/** @param {import("../app/app.js").App} app @returns {HTMLElement} for guests, who own nothing: what to do */
function guestWay({ panels }) {
  return h("div", {}, h("p", {}, "Land belongs to accounts, and you are a guest."),
    h("button", { type: "button", class: "main", on: { click: () => panels.open("account") } }, "Choose a name"));
}

/**
 * @param {import("../app/app.js").App} app
 * @param {Coins} coins
 * @param {import("./data.js").Offer} offer for sale or auctioned
 * @param {string} purse what one has, in words
 * @returns {HTMLElement}
 */
export function offerBox(app, coins, offer, purse) {
  const { trade, role } = app.world;
  const name = offer.name || `Estate ${offer.estate}`;
  const isMine = landOf(app).account !== 0 && offer.seller === landOf(app).account;
  const until = offer.ends_ms ? `until ${when(offer.ends_ms)} (${leftWords(offer.ends_ms)})` : "until it is withdrawn";
  const withdraw = isMine && !offer.top && actButton(app, "Withdraw the offer", { done: "It is not offered any more.",
    run: () => trade.market("withdraw", { key: newKey(), listing: offer.listing }) });
  const only = offer.only ? h("p", { class: "soft" }, isMine ? "Offered to one account alone." : "Offered to you alone.") : null;
  if (offer.kind === "sale") {
    return h("div", { class: "boxed offer" }, h("p", { class: "land-price" }, coins.write(offer.price)),
      h("p", {}, `For sale ${until}. ${feeWords(isMine ? offer.fee : 0)}`), only,
      !isMine && purse && h("p", {}, purse),
      isMine ? withdraw : role === Role.GUEST ? guestWay(app) : actButton(app, `Buy for ${coins.write(offer.price)}`, { kind: "main", done: `${name} is yours.`,
        sure: { title: `Buy ${name}?`, yes: `Pay ${coins.write(offer.price)}`,
          text: `It costs ${coins.write(offer.price)}. ${purse} If price, size or lease have changed since this was shown, nothing is bought.` },
        run: () => trade.buy(/** @type {any} */ (offer)) }));
  }
  const ahead = offer.top && offer.top === landOf(app).account;
  const bid = amount(coins.plain(offer.asked));
  return h("div", { class: "boxed offer" }, h("p", { class: "land-price" }, coins.write(offer.top ? offer.top_bid : offer.price)),
    h("p", {}, `${offer.top ? (ahead ? "Your bid is the highest." : "The highest bid.") : "Nobody has bid yet: the least bid."} Auctioned ${until}.`), only,
    !isMine && purse && h("p", {}, purse),
    isMine ? withdraw : role === Role.GUEST ? guestWay(app) : form({ button: "Bid", run: async () => {
      const minor = coins.read(bid.value);
      const sure = await confirmed({ title: `Bid ${coins.write(minor)} for ${name}?`, yes: "Bid",
        text: "The money is held until somebody bids more, or the auction ends and the land is yours." });
      if (!sure) return "";
      await trade.bid(/** @type {any} */ (offer), minor);
      landOf(app).stale();
      app.toasts.tell(`Your bid of ${coins.write(minor)} is the highest now.`, { kind: "good" });
      return "";
    } }, field(`Your bid, in ${coins.unit}`, bid, `At least ${coins.write(offer.asked)}.`)));
}

/**
 * @param {import("../app/app.js").App} app
 * @param {Coins} coins
 * @param {import("./data.js").LeaseOffer} offer
 * @param {string} purse what one has, in words
 * @returns {HTMLElement}
 */
export function leaseBox(app, coins, offer, purse) {
  const { trade, role } = app.world;
  const isMine = landOf(app).account !== 0 && offer.owner === landOf(app).account;
  const period = duration(offer.period_s * 1000);
  const periods = h("input", { type: "number", min: "1", max: String(offer.max_periods), value: "1", required: true });
  return h("div", { class: "boxed offer" }, h("p", { class: "land-price" }, `${coins.write(offer.rent)} for ${period}`),
    h("p", {}, "To let, ", `${offer.max_periods} ${offer.max_periods === 1 ? "period" : "periods"} at most, `,
      offer.renewable ? "renewable. " : "not renewable. ", "Rent is paid in advance."),
    isMine ? actButton(app, "Offer it no longer", { done: "It is not to let any more.",
      run: () => trade.market("end_lease_offer", { key: newKey(), estate: offer.estate }) })
      : role === Role.GUEST ? guestWay(app) : form({ button: "Lease it", run: async () => {
        const count = Number(periods.value);
        const sure = await confirmed({ title: `Lease ${offer.name || "this estate"}?`, yes: `Pay ${coins.write(count * offer.rent)}`,
          text: `${count} times ${period} for ${coins.write(count * offer.rent)}, paid now. ${purse}` });
        if (!sure) return "";
        await trade.lease(/** @type {any} */ (offer), count);
        landOf(app).stale();
        app.toasts.tell("It is leased to you.", { kind: "good" });
        return "";
      } }, field(`How many times ${period}`, periods)));
}

/**
 * @param {import("../app/app.js").App} app
 * @param {Coins} coins
 * @param {Record<string, any>} lease in force
 * @returns {HTMLElement}
 */
export function tenancy(app, coins, lease) {
  const { trade } = app.world;
  const isTenant = landOf(app).account !== 0 && lease.tenant === landOf(app).account;
  const period = duration(lease.period_s * 1000);
  const left = Math.floor((lease.latest_ms - lease.until_ms) / (lease.period_s * 1000));
  return h("div", { class: "boxed offer" }, h("p", {}, isTenant ? "You have leased it" : "Leased",
    ` until ${when(lease.until_ms)} (${leftWords(lease.until_ms)}), for ${coins.write(lease.rent)} each ${period}.`),
    isTenant && lease.renewable && left > 0 && actButton(app, `Renew by ${period} for ${coins.write(lease.rent)}`, { kind: "main", done: "The lease goes on.",
      sure: { title: "Renew the lease?", text: `${coins.write(lease.rent)} are paid now.`, yes: "Renew" },
      run: () => trade.market("renew", { key: newKey(), lease: lease.lease, periods: 1 }) }),
    isTenant && !(lease.renewable && left > 0) && h("p", { class: "soft" }, "It cannot be renewed any further."));
}
