/** One line that says on whose land one is. A click tells more. */
import { fill, h } from "../app/dom.js";
import { offerWords } from "../map/estates.js";
import { money } from "../ui/money.js";
import { landOf, regionAt } from "./data.js";
import { parcelAt } from "./parcels.js";

const LOOK_MS = 1_000;

/** @param {import("../app/app.js").App} app */
export function whereabouts(app) {
  const land = landOf(app);
  const button = h("button", { type: "button", class: "whereabouts", hidden: true, on: { click: () => app.panels.open("land") } });
  let shown = "";
  const look = () => {
    if (document.hidden) return;
    const { x, z } = app.body?.pose ?? app.world.me;
    const { px, pz } = parcelAt(x, z);
    land.want(...regionAt(x, z));
    const estate = land.owned(px, pz);
    const name = estate ? estate.name || `Estate ${estate.estate}` : "";
    const words = estate ? [land.isMine(estate) ? "yours" : `of ${estate.owner_name}`, offerWords(estate, land, money)].filter(Boolean).join(" · ") : "";
    if (`${name}${words}` === shown) return;
    shown = `${name}${words}`;
    button.hidden = !estate;
    fill(button, h("span", { class: "visually-hidden" }, "You are on "), h("b", {}, name), h("small", {}, words));
  };
  app.ui.prepend(button);
  setInterval(look, LOOK_MS);
  look();
}
