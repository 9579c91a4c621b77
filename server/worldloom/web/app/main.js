/** Comes into the world, and puts the client together. */
import { enter } from "../ui/entrance.js";
import { App } from "./app.js";
import { h } from "./dom.js";
import { Panels } from "./panels.js";
import { Settings } from "./settings.js";
import { Toasts } from "./toasts.js";

/** Of a world in pictures; in this order. */
const DRAWN = [
  "../scene/tiles.js", "../scene/sky.js", "../scene/terrain.js", "../scene/water.js", "../scene/things.js",
  "../scene/mist.js", "../control/control.js", "../people/people.js",
];
/** Of a world without. */
const FLAT = ["../scene/tiles.js", "../flat/flat.js"];
/** Of both. */
const PANELS = [
  "../ui/chat.js", "../ui/people.js", "../map/map.js", "../land/land.js", "../ui/account.js", "../ui/settings.js",
  "../ui/staff.js", "../ui/connection.js", "../ui/help.js", "../ui/hello.js",
];

const canvas = /** @type {HTMLCanvasElement} */ (document.getElementById("stage"));
const ui = /** @type {HTMLElement} */ (document.getElementById("ui"));

/** @returns {Storage | null} null: this browser keeps nothing for us */
function store() {
  try {
    return localStorage;
  } catch {
    return null;
  }
}

/** @returns {Promise<typeof import("./stage.js").Stage | null>} null: there is no WebGL 2 here */
async function stageClass() {
  const forced = new URLSearchParams(location.search).has("flat");
  if (forced || !document.createElement("canvas").getContext("webgl2")) return null;
  return (await import("./stage.js")).Stage;
}

/** @param {App} app @param {string[]} paths */
async function install(app, paths) {
  const parts = await Promise.all(paths.map((path) => import(path).catch((error) => failed(app, path, error))));
  for (const [number, part] of parts.entries()) {
    try {
      await part?.install(app);
    } catch (error) {
      failed(app, paths[number], error);
    }
  }
}

/** A part fails alone. @param {App} app @param {string} path @param {unknown} error @returns {null} */
function failed(app, path, error) {
  console.error(`${path} does not work`, error);
  app.toasts.tell("A part of this page does not work in this browser. The rest goes on.", { kind: "bad" });
  return null;
}

async function main() {
  ui.setAttribute("role", "main");
  ui.append(h("h1", { class: "visually-hidden" }, document.title));
  const settings = new Settings(store());
  const toasts = new Toasts(ui);
  const [Stage, world] = await Promise.all([stageClass(), enter({ ui, settings, toasts })]);
  const app = new App({ world, settings, ui, toasts, panels: new Panels(ui), stage: null });
  if (Stage) {
    app.stage = new Stage(canvas, () => ({ tick: world.tick, me: app.body?.pose ?? world.me }));
    app.stage.on("fault", ({ layer, error }) => failed(app, layer, error));
  }
  await install(app, [...(Stage ? DRAWN : FLAT), ...PANELS]);
  app.stage?.start();
  document.documentElement.dataset.state = "in";
  // For tests, and for whoever is curious in the console.
  /** @type {any} */ (globalThis).app = app;
}

main().catch((error) => {
  console.error(error);
  document.getElementById("arriving")?.remove();
  ui.textContent = `This page could not start: ${error.message}`;
});
