/** A code or key that is told once: to be copied, or written down. */
import { fill, h } from "../app/dom.js";

/**
 * @param {string} text
 * @param {string} label what it is
 * @returns {HTMLElement}
 */
export function secret(text, label) {
  const said = h("span", { class: "soft", role: "status" });
  const code = h("output", { class: "secret", tabIndex: 0, "aria-label": label }, text);
  const copy = h("button", { type: "button", on: { click: async () => {
    fill(said, (await copied(text)) ? "Copied." : "Select it and copy it by hand.");
    if (said.textContent !== "Copied.") getSelection()?.selectAllChildren(code);
  } } }, "Copy");
  return h("div", { class: "secret-box" }, code, h("div", { class: "row" }, copy, said));
}

/** @param {string} text @returns {Promise<boolean>} false: this browser does not let us */
export async function copied(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return false;
  }
}
