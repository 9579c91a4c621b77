/** How this world's money is written. */

const { coin = "", coins = "", digits = "2", fee = "0" } = document.documentElement.dataset;
/** What a coin is called, and several; digits after the point; hundredths of a percent of a sale that go to the treasury. */
export const MONEY = { name: coin, plural: coins, digits: Number(digits), fee: Number(fee) };

/** @param {number} minor @returns {string} */
export function money(minor) {
  const whole = 10 ** MONEY.digits;
  const shown = (minor / whole).toLocaleString(undefined, { minimumFractionDigits: minor % whole ? MONEY.digits : 0 });
  return `${shown} ${Math.abs(minor) === whole ? MONEY.name : MONEY.plural}`.trim();
}
