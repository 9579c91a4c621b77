/** Amounts: coins for people, whole minor units for the server. */
import { Role } from "worldloom";
import { MONEY, money } from "../ui/money.js";

/**
 * @typedef {object} Coins
 * @property {string} unit in which they are asked for
 * @property {(minor: number) => string} write
 * @property {(minor: number) => string} plain without the coin's name, as it is typed
 * @property {(text: string) => number} read throws RangeError what is no amount
 */

/** This world's. @returns {Coins} */
export function coinsHere() {
  const { digits, plural } = MONEY;
  const like = new RegExp(`^(\\d{1,12})(?:[.,](\\d{1,${Math.max(digits, 1)}}))?$`);
  return {
    unit: plural || "coins",
    write: money,
    plain: (minor) => (minor / 10 ** digits).toFixed(digits),
    read: (text) => {
      const [, whole, part = ""] = like.exec(text.trim()) ?? [];
      if (whole === undefined || (part && !digits)) throw new RangeError(`expected an amount such as ${digits ? "12.50" : "12"}, got “${text.trim()}”`);
      return Number(whole) * 10 ** digits + Number(part.padEnd(digits, "0") || 0);
    },
  };
}

/**
 * @param {import("../app/app.js").App} app
 * @param {boolean} [claiming] granted money counts, too
 * @returns {Promise<string>} what one has, in words; empty: guests have nothing
 */
export async function purseWords(app, claiming = false) {
  if (app.world.role === Role.GUEST) return "";
  const { own, granted } = await app.world.trade.money("balance");
  return `You have ${money(own)}${claiming && granted ? `, and ${money(granted)} granted` : ""}.`;
}
