/** Notices: what happened to your money and land. Told once when it happens, and kept in a list. */
import { Role } from "worldloom";
import { fill, h } from "../app/dom.js";
import { wordsOf } from "./forms.js";
import { ago, when } from "./format.js";
import { money } from "./money.js";
import { landOf } from "../land/data.js";

const ICON = "M6 16.5V11a6 6 0 0 1 12 0v5.5l1.5 2h-15zM10 21h4";
const MOST_AT_ONCE = 2;
const GATHER_MS = 400;

/** @typedef {Record<string, any>} Notice fields of NoticeInfo */

export class Notices {
  #app;
  #new = /** @type {Notice[]} */ ([]);
  #timer = /** @type {ReturnType<typeof setTimeout> | undefined} */ (undefined);

  /** @param {import("../app/app.js").App} app */
  constructor(app) {
    this.#app = app;
    app.panels.add({ id: "notices", title: "News", icon: ICON, key: "n", shown: () => app.world.role !== Role.GUEST,
      open: (root) => { this.#list(root); } });
    app.world.on("notice", (notice) => this.#heard(notice));
  }

  /** Those that waited come all at once. @param {Notice} notice */
  #heard(notice) {
    this.#new.push(notice);
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#tell(), GATHER_MS);
  }

  async #tell() {
    const { toasts, panels } = this.#app;
    const notices = this.#new.splice(0);
    const named = await this.#named(notices);
    const act = { label: "Show", run: () => panels.open("notices") };
    this.#app.sound?.chime("notice");
    if (notices.length > MOST_AT_ONCE) toasts.tell(`${notices.length} things happened to your money and land.`, { act });
    else for (const notice of named) toasts.tell(noticeText(notice, money), { act, seconds: 8 });
    if (panels.current === "notices") panels.open("notices");
  }

  /** The server tells an estate's number; people know its name. @param {Notice[]} notices @returns {Promise<Notice[]>} */
  async #named(notices) {
    const { estates } = landOf(this.#app);
    const names = /** @type {Map<number, string>} */ (new Map());
    await Promise.all([...new Set(notices.map(({ estate }) => estate).filter(Boolean))].map(async (estate) => {
      // One that is gone, or cannot be asked for now, goes by its number.
      const known = estates.get(estate) ?? await this.#app.world.trade.estate("show", { estate }).catch(() => null);
      names.set(estate, known?.name ?? "");
    }));
    return notices.map((notice) => ({ ...notice, title: notice.title || names.get(notice.estate) }));
  }

  /** @param {HTMLElement} root */
  async #list(root) {
    fill(root, h("p", { class: "soft" }, "…"));
    try {
      const notices = await this.#named(await this.#app.world.trade.money("notices"));
      fill(root, notices.length ? h("ol", { class: "plain-list" }, notices.map((/** @type {Notice} */ notice) => h("li", { class: "boxed" },
        h("p", {}, noticeText(notice, money)), h("small", { title: when(notice.at_ms) }, ago(notice.at_ms)))))
        : h("p", {}, "Nothing has happened to your money or land yet."));
    } catch (error) {
      fill(root, h("p", { class: "said bad" }, wordsOf(error)));
    }
  }
}

/** @param {Notice} notice @param {import("./money.js").Write} money @returns {string} */
export function noticeText({ kind, name, amount, back, fee, estate, title, text, until_ms: until }, money) {
  const who = name || "Somebody";
  const land = title ? `“${title}”` : `estate ${estate}`;
  const price = money(amount);
  const auction = estate ? `the auction of ${land}` : "an auction";
  switch (kind) {
    case "sold": return `You sold ${land} to ${who} for ${price}${fee ? `, ${money(fee)} of it as fee` : ""}.`;
    case "won": return `You won the auction of ${who} for ${price}: ${land} is yours.`;
    case "bid": return `${who} bids ${price} in ${auction}.`;
    case "outbid": return `${who} bids ${price} in ${auction}, more than you. ${money(back)} are back in your purse.`;
    case "over": return `Your offer${estate ? ` of ${land}` : ""} has ended, and nobody had bought.`;
    case "refunded": return `The auction of ${who} ended without a sale. Your bid of ${price} is paid back.`;
    case "leased": return `${who} has leased ${land}, and paid ${price}.`;
    case "renewed": return `${who} has paid ${price} for more of the lease.`;
    case "rent_due": return `Your lease${estate ? ` of ${land}` : ""} from ${who} ends ${when(until)}. Going on costs ${price}.`;
    case "lease_ended": return `The lease of ${land} is over.${back ? ` ${money(back)} are paid back.` : ""}`;
    case "given": return `${who} gave you ${land}.`;
    case "taken": return `The operator took ${land} back.${text ? ` The reason: ${text}` : ""}`;
    case "paid": return `${who} paid you ${price}.${text ? ` “${text}”` : ""}`;
    default: return [`${who}: ${kind}`, amount ? price : "", text].filter(Boolean).join(", ");
  }
}
