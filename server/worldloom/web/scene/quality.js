/** How much is drawn: the setting, and what each choice of it means. */

/**
 * @typedef {"low" | "medium" | "high"} Level
 * @typedef {object} Quality
 * @property {boolean} rich light and detail for each pixel, not for each corner
 * @property {number} near metres up to which ground is drawn with all of its samples
 * @property {number} trees metres up to which trees have their fine shape
 * @property {number} far metres up to which there are trees at all
 * @property {number} small metres up to which there is grass
 * @property {number} grass blades that grow around you beyond what tiles tell, tufts in a square metre
 * @property {boolean} clouds
 * @property {number} scale of pixels, at most that of the screen
 */

/** @type {Record<Level, Quality>} */
const LEVELS = {
  low: { rich: false, near: 24, trees: 20, far: 230, small: 26, grass: 0, clouds: false, scale: 0.66 },
  medium: { rich: true, near: 70, trees: 70, far: 800, small: 70, grass: 0.5, clouds: true, scale: 1.5 },
  high: { rich: true, near: 130, trees: 110, far: 1_200, small: 100, grass: 0.9, clouds: true, scale: 2 },
};

/** @param {string} renderer what the graphics driver calls itself @returns {boolean} it computes without a card */
export function isSoftware(renderer) {
  return /swiftshader|llvmpipe|softpipe|software|basic render/i.test(renderer);
}

/** @returns {boolean} whether pictures are made here without a graphics card */
export function drawsBySoftware() {
  const gl = document.createElement("canvas").getContext("webgl2");
  if (!gl) return true;
  const told = gl.getExtension("WEBGL_debug_renderer_info");
  const software = isSoftware(String(gl.getParameter(told ? told.UNMASKED_RENDERER_WEBGL : gl.RENDERER)));
  gl.getExtension("WEBGL_lose_context")?.loseContext();
  return software;
}

/** @returns {Level} */
function initial() {
  if (drawsBySoftware()) return "low";
  return matchMedia("(pointer: coarse)").matches ? "medium" : "high";
}

/** @param {import("../app/app.js").App} app */
export function defineQuality(app) {
  app.settings.define({
    name: "quality", title: "Picture", hint: "Lower is smoother on a slow device", group: "picture", kind: "choice",
    choices: { low: "Simple", medium: "Good", high: "Best" }, initial: initial(),
  });
  app.settings.define({
    name: "pictures", title: "Pictures a second", hint: "Fewer spare the battery", group: "picture", kind: "choice",
    choices: { all: "As many as the screen shows", 30: "30", 15: "15", 5: "5" }, initial: "all",
  });
  const limit = () => { app.drawn.most = Number(app.settings.get("pictures")) || Infinity; };
  app.settings.on("changed", ({ name }) => { if (name === "pictures") limit(); });
  limit();
}

/** @param {import("../app/app.js").App} app @returns {Quality} as it is set now */
export function qualityOf(app) {
  return LEVELS[/** @type {Level} */ (app.settings.get("quality"))];
}
