/** The map of the known world, and the minimap. */
import { atlasOf } from "./atlas.js";
import { Minimap } from "./minimap.js";
import { MapPanel } from "./panel.js";

const ICON = "M3.5 6.5 9 4l6 2.5L20.5 4v13.5L15 20l-6-2.5L3.5 20zM9 4v13.5M15 6.5V20";

/** @param {import("../app/app.js").App} app */
export function install(app) {
  app.settings.define({ name: "minimap", title: "Minimap", group: "picture", kind: "switch", initial: true });
  app.settings.define({ name: "landOnMap", title: "Who owns what, on the map", group: "picture", kind: "switch", initial: true });
  app.panels.add({
    id: "map", title: "Map", icon: ICON, key: "m", wide: true, open: (root, about) => new MapPanel(app, about).open(root),
  });
  // It takes down what is seen, whether or not somebody looks at a map.
  atlasOf(app);
  // Without WebGL 2 all of the page is a map.
  if (app.stage) new Minimap(app);
}
