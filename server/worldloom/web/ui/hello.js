/** A card for whoever is here for the first time: where one is, how one moves, and a name. */
import { Role } from "worldloom";
import { h, icon } from "../app/dom.js";
import { keepForm } from "./account.js";
import { sayWho } from "./keeping.js";

const CLOSE = "M6 6 18 18M18 6 6 18";
const SEEN = "greeted";

/** @param {import("../app/app.js").App} app */
export function install(app) {
  const { world, settings, ui, panels } = app;
  sayWho(app);
  if (settings.recall(SEEN) || world.role !== Role.GUEST) return;
  const touch = matchMedia("(pointer: coarse)").matches;
  const away = () => {
    settings.keep(SEEN, true);
    card.remove();
  };
  const close = () => {
    away();
    document.getElementById("stage")?.focus();
  };
  const card = h("section", { class: "hello card", "aria-labelledby": "hello-title", on: {
    keydown: (/** @type {KeyboardEvent} */ event) => event.key === "Escape" && close(),
  } },
  h("header", {}, h("h2", { id: "hello-title" }, world.welcome?.world ?? ""), h("button", {
    type: "button", class: "plain", "aria-label": "Close the welcome", on: { click: close } }, icon(CLOSE))),
  world.welcome?.greeting && h("p", {}, world.welcome.greeting),
  h("p", {}, `You are in, as ${world.me.name}. `, touch ? "Left thumb walks, right thumb looks."
    : ["Walk with ", h("span", { class: "together" }, [..."WASD"].map((key) => h("kbd", {}, key))), ", drag to look, talk with ",
      h("kbd", {}, "Enter"), "."]),
  keepForm(app, [h("button", { type: "button", on: { click: close } }, "Just look round"),
    h("button", { type: "button", class: "plain", on: { click: () => panels.open("account", { code: true }) } }, "I have a code")]));
  // First of all, for those who go by the Tab key.
  ui.prepend(card);
  panels.on("opened", away);
}
