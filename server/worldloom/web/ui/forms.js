/** Fields with labels, and forms that do something that the server may refuse. */
import { fill, h } from "../app/dom.js";

let count = 0;

/**
 * @param {string} label
 * @param {HTMLInputElement | HTMLSelectElement | HTMLTextAreaElement} control
 * @param {string} [hint]
 * @returns {HTMLElement}
 */
export function field(label, control, hint = "") {
  control.id ||= `field-${++count}`;
  const about = hint ? h("small", { id: `${control.id}-hint` }, hint) : null;
  if (about) control.setAttribute("aria-describedby", about.id);
  return h("div", { class: "field" }, h("label", { for: control.id }, label), control, about);
}

/** @param {string} label @param {HTMLInputElement} box @param {string} [hint] @returns {HTMLElement} */
export function tick(label, box, hint = "") {
  box.type = "checkbox";
  box.id ||= `field-${++count}`;
  const about = hint ? h("small", { id: `${box.id}-hint` }, hint) : null;
  if (about) box.setAttribute("aria-describedby", about.id);
  return h("div", { class: "tick" }, box, h("label", { for: box.id }, label), about);
}

/**
 * A form with one button. While it is at it, the button waits; what goes wrong is said below it.
 *
 * @param {{ button: string, kind?: string, beside?: import("../app/dom.js").Child, run: () => Promise<string | void> }} doing
 *   beside: what stands beside that button. `run` gives what to say then
 * @param {...import("../app/dom.js").Child} children
 * @returns {HTMLFormElement}
 */
export function form({ button, kind = "main", beside = null, run }, ...children) {
  const said = h("p", { class: "said", role: "status" });
  const send = h("button", { type: "submit", class: kind }, button);
  return h("form", { class: "form", on: { submit: async (/** @type {Event} */ event) => {
    event.preventDefault();
    send.disabled = true;
    said.className = "said";
    fill(said);
    try {
      fill(said, (await run()) ?? "");
    } catch (error) {
      said.className = "said bad";
      fill(said, wordsOf(error));
    }
    send.disabled = false;
  } } }, ...children, h("div", { class: "row" }, send, beside), said);
}

/** What went wrong, as the server says it to people. @param {any} error @returns {string} */
export function wordsOf(error) {
  const text = error?.text ?? error?.message ?? String(error);
  const hint = error?.hint ? ` (${error.hint})` : "";
  return text.charAt(0).toUpperCase() + text.slice(1) + hint;
}

/**
 * A question that has to be answered first.
 *
 * @param {{ title: string, text?: string, yes: string, danger?: boolean }} question
 * @returns {Promise<boolean>}
 */
export function confirmed({ title, text = "", yes, danger = false }) {
  return new Promise((resolve) => {
    const close = (/** @type {boolean} */ answer) => {
      dialog.remove();
      resolve(answer);
    };
    // The second half of a double click on what asked is no answer.
    const sure = (/** @type {MouseEvent} */ event) => { if (event.detail < 2) close(true); };
    const unsure = (/** @type {MouseEvent} */ event) => { if (event.detail < 2) close(false); };
    const dialog = h("dialog", { class: "card", "aria-labelledby": "confirm-title", on: { cancel: () => close(false) } },
      h("h2", { id: "confirm-title" }, title), text && h("p", {}, text),
      h("div", { class: "row end" },
        h("button", { type: "button", on: { click: unsure } }, "No"),
        h("button", { type: "button", class: danger ? "danger" : "main", on: { click: sure } }, yes)));
    document.body.append(dialog);
    dialog.showModal();
  });
}
