/** Short words to the person, which go by themselves, or with what they tell of. */
import { fill, h } from "./dom.js";

const MOST = 4;

export class Toasts {
  #root = h("div", { class: "toasts", role: "status", "aria-live": "polite" });

  /** @param {HTMLElement} ui */
  constructor(ui) {
    ui.append(this.#root);
  }

  /**
   * @param {string} text
   * @param {{ kind?: "info" | "good" | "bad", seconds?: number, act?: { label: string, run: () => void } }} [options]
   */
  tell(text, { kind = "info", seconds = 6, act } = {}) {
    const toast = h("div", { class: `toast ${kind}` }, h("span", {}, text));
    if (act) toast.append(h("button", { type: "button", on: { click: () => { toast.remove(); act.run(); } } }, act.label));
    for (const old of [...this.#root.querySelectorAll(":scope > :not(.stays)")].slice(0, 1 - MOST)) old.remove();
    this.#root.append(toast);
    setTimeout(() => toast.remove(), (act ? 2 : 1) * seconds * 1000);
  }

  /**
   * Of what goes on; who hears the page is told the text once, and not each detail.
   *
   * @param {string} text
   * @param {{ label: string, run: () => void }} act
   * @returns {{ detail: (text: string) => void, end: () => void }} a detail takes the place of the one before
   */
  stay(text, { label, run }) {
    const detail = h("small", { "aria-live": "off" });
    const toast = h("div", { class: "toast stays" }, h("span", {}, text, " ", detail), h("button", { type: "button", on: { click: run } }, label));
    this.#root.prepend(toast);
    return { detail: (now) => { if (detail.textContent !== now) fill(detail, now); }, end: () => toast.remove() };
  }

  /** What went wrong, in the server's words where it has some. @param {unknown} error */
  fault(error) {
    const { message, hint } = /** @type {{ message?: string, hint?: string }} */ (error ?? {});
    this.tell([message ?? String(error), hint].filter(Boolean).join(" "), { kind: "bad", seconds: 9 });
  }
}
