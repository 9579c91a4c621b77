/** Mouse: drag to look, the wheel zooms, a click walks there or on to somebody. */
import { Raycaster, Vector2 } from "three";
import { lead } from "../ui/walk.js";

const RADIANS_PER_PX = 0.0042;
const CLICK_PX = 7;
const CLICK_MS = 400;
const REACH_M = 220;
/** Who goes so far by a click sees it at once: nothing is said of it. */
const SILENT_M = 40;

/**
 * @param {import("../app/app.js").App} app
 * @param {import("./camera.js").View} view
 */
export function listenToMouse(app, view) {
  const canvas = app.drawn.renderer.domElement;
  const { settings } = app;
  let down = /** @type {{ x: number, y: number, at: number, moved: boolean } | null} */ (null);
  canvas.addEventListener("pointerdown", (event) => {
    if (event.pointerType === "touch" || event.button > 2) return;
    canvas.focus({ preventScroll: true });
    if (settings.get("holdPointer") && document.pointerLockElement !== canvas) {
      canvas.requestPointerLock()?.catch?.(() => {});
      return;
    }
    down = { x: event.clientX, y: event.clientY, at: event.timeStamp, moved: false };
    canvas.setPointerCapture(event.pointerId);
  });
  canvas.addEventListener("pointermove", (event) => {
    const locked = document.pointerLockElement === canvas;
    if (event.pointerType === "touch" || (!down && !locked)) return;
    if (down && Math.hypot(event.clientX - down.x, event.clientY - down.y) > CLICK_PX) down.moved = true;
    if (locked || down?.moved) drag(app, view, event.movementX, event.movementY);
  });
  canvas.addEventListener("pointerup", (event) => {
    if (event.pointerType === "touch" || !down) return;
    const { at, moved } = down;
    down = null;
    if (!moved && event.button === 0 && event.timeStamp - at < CLICK_MS) point(app, event.clientX, event.clientY);
  });
  canvas.addEventListener("pointercancel", () => { down = null; });
  canvas.addEventListener("contextmenu", (event) => event.preventDefault());
  canvas.addEventListener("wheel", (event) => {
    event.preventDefault();
    if (event.ctrlKey) return;
    view.zoom(1.0016 ** Math.max(-240, Math.min(event.deltaY * (event.deltaMode ? 30 : 1), 240)));
  }, { passive: false });
  settings.on("changed", ({ name, value }) => { if (name === "holdPointer" && !value) document.exitPointerLock?.(); });
}

/** @param {import("../app/app.js").App} app @param {import("./camera.js").View} view @param {number} dx pixels @param {number} dy */
export function drag({ settings }, view, dx, dy) {
  const speed = RADIANS_PER_PX * settings.get("lookSpeed");
  view.look(-dx * speed, -dy * speed * (settings.get("invertLook") ? -1 : 1));
}

const caster = new Raycaster();
const spot = new Vector2();

/** Somebody was pointed at, or some ground. @param {import("../app/app.js").App} app @param {number} px @param {number} py */
export function point(app, px, py) {
  const { camera, renderer } = app.drawn;
  const { left, top, width, height } = renderer.domElement.getBoundingClientRect();
  spot.set(((px - left) / width) * 2 - 1, 1 - ((py - top) / height) * 2);
  caster.setFromCamera(spot, camera);
  const { ray } = caster;
  const far = groundAlong(app, ray);
  const somebody = app.people?.pick(ray, Math.min(far + 1, 40));
  if (somebody) app.panels.open("people", somebody);
  else if (far < REACH_M && app.settings.get("clickToWalk")) {
    const [x, z] = [ray.origin.x + far * ray.direction.x, ray.origin.z + far * ray.direction.z];
    if (far < SILENT_M) void app.body.walkTo(x, z);
    else void lead(app, { to: "the place that you pointed at", x, z });
  }
}

/** @param {import("../app/app.js").App} app @param {import("three").Ray} ray @returns {number} metres to the ground or the sea; Infinity: it meets neither */
function groundAlong({ tiles, world }, { origin, direction }) {
  for (let far = 0.5, before = 0; far < REACH_M; before = far, far *= 1.06) {
    if (isUnder(far)) {
      for (let i = 0; i < 10; i++) {
        const middle = (before + far) / 2;
        if (isUnder(middle)) far = middle;
        else before = middle;
      }
      return far;
    }
  }
  return Infinity;

  /** @param {number} far */
  function isUnder(far) {
    const x = origin.x + far * direction.x;
    const z = origin.z + far * direction.z;
    const ground = tiles?.ground(x, z) ?? world.ground(x, z);
    return ground !== undefined && origin.y + far * direction.y < Math.max(ground, 0);
  }
}
