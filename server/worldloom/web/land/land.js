/** Land and money: the panels about them, the land layer in the world, and whose land one stands on. */
import { openClaim } from "./claim.js";
import { openEstate } from "./estate.js";
import { openHere } from "./here.js";
import { openMarket } from "./market.js";
import { openMine } from "./mine.js";
import { openWallet } from "./wallet.js";
import { whereabouts } from "./whereabouts.js";

const LAND = "M3 10.5 12 4l9 6.5M5.5 9v10h13V9M10 19v-5h4v5";
const MARKET = "M4 9h16l-1.5 11h-13zM8 9a4 4 0 0 1 8 0";
const WALLET = "M4 7h16v12H4zM4 7l11-3v3M15 13h2";

/** @param {import("../app/app.js").App} app */
export async function install(app) {
  app.settings.define({ name: "landLayer", title: "Borders of land in the world", group: "picture", kind: "switch", initial: false });
  app.panels.add({ id: "land", title: "Land", icon: LAND, key: "g", open: (root, about) => {
    if (about?.estate) return openEstate(app, root, about.estate);
    if (about?.claim) return openClaim(app, root, about.claim);
    return about?.tab === "mine" ? openMine(app, root) : openHere(app, root);
  } });
  // Both are reached from the panel of land: the bar of a phone has no room for more.
  app.panels.add({ id: "market", title: "Market", icon: MARKET, key: "b", wide: true, hidden: true, within: "land", open: (root) => openMarket(app, root) });
  app.panels.add({ id: "wallet", title: "Wallet", icon: WALLET, hidden: true, within: "land", open: (root) => openWallet(app, root) });
  whereabouts(app);
  if (!app.stage) return;
  const { LandLayer } = await import("./layer.js");
  new LandLayer(app);
  addEventListener("keydown", (event) => {
    if (event.key.toLowerCase() !== "l" || event.defaultPrevented || event.ctrlKey || event.altKey || event.metaKey) return;
    if (event.target instanceof Element && event.target.closest("input, textarea, select, dialog, [role=dialog], .map-canvas")) return;
    toggle(app);
  });
}

/** @param {import("../app/app.js").App} app */
function toggle({ settings, toasts }) {
  const on = !settings.get("landLayer");
  settings.set("landLayer", on);
  toasts.tell(on ? "Borders of land are shown." : "Borders of land are hidden.", { seconds: 3 });
}
