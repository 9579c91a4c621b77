/** Keys to your account: of your devices, and of your bots. */
import { Scope } from "worldloom";
import { fill, h } from "../app/dom.js";
import { confirmed, field, form, tick, wordsOf } from "./forms.js";
import { ago } from "./format.js";
import { secret } from "./secret.js";

/** @type {Record<string, string>} */
const SCOPES = {
  [Scope.MOVE]: "Walk", [Scope.TALK]: "Speak", [Scope.SIGNAL]: "Send signals to other programs",
  [Scope.TRADE]: "Pay and trade with your money", [Scope.ORDER]: "Keep order, as you may",
};

/** @param {import("../app/app.js").App} app */
export function devices(app) {
  const list = h("ul", { class: "plain-list" });
  const show = async () => {
    fill(list, h("li", { class: "soft" }, "…"));
    try {
      const tokens = await app.world.account.tokens();
      fill(list, tokens.sort((a, b) => b.used_ms - a.used_ms).map((token) => row(app, token, show)));
    } catch (error) {
      fill(list, h("li", {}, wordsOf(error)));
    }
  };
  return h("details", { on: { toggle: (/** @type {any} */ event) => event.target.open && show() } },
    h("summary", {}, "Devices and keys"), list);
}

/** @param {import("../app/app.js").App} app @param {import("worldloom/results.js").TokenInfo} token @param {() => void} again */
function row(app, token, again) {
  const isBot = token.name !== app.world.me.name;
  const what = [isBot ? `bot ${token.name}` : token.label || "a program", token.current ? "this one" : `used ${ago(token.used_ms)}`];
  const revoke = async () => {
    const sure = await confirmed({ title: "Take this key back?", yes: "Take it back", danger: true,
      text: "Whoever is here with it is sent out." });
    if (!sure) return;
    await app.attempt(app.world.account.revoke(token.id), "The key is void.");
    again();
  };
  return h("li", { class: "row" }, h("span", { class: "grow" }, what[0], " ", h("small", {}, what[1])),
    !token.current && h("button", { type: "button", class: "danger", "aria-label": `Take back the key of ${what[0]}`,
      on: { click: revoke } }, "Take back"));
}

/** @param {import("../app/app.js").App} app */
export function botKeys({ world }) {
  const name = h("input", { maxLength: 24, required: true, autocomplete: "off", spellcheck: false });
  const boxes = Object.entries(SCOPES).map(([scope, text]) => ({
    scope, box: h("input", { checked: scope === Scope.MOVE || scope === Scope.TALK }), text }));
  const told = h("div", {});
  return h("details", {}, h("summary", {}, "A key for a bot"),
    h("p", { class: "soft" }, "A bot is a program of yours that walks here under your name. What it does is yours to answer for."),
    form({ button: "Make a key", run: async () => {
      const scopes = boxes.filter(({ box }) => box.checked).map(({ scope }) => scope);
      const { text } = await world.account.botKey(name.value.trim(), scopes);
      fill(told, h("p", {}, `The key of ${name.value.trim()}. It is shown this once.`), secret(text, "Key of the bot"));
    } }, field("The bot's name", name),
    h("fieldset", {}, h("legend", {}, "What the key is good for"), boxes.map(({ box, text }) => tick(text, box)))), told);
}
