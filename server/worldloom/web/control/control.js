/** Your own body and the view of it: `app.body`, `app.view` and `app.place`. */
import { Body } from "./body.js";
import { View } from "./camera.js";
import { Intent } from "./intent.js";
import { listenToKeys } from "./keyboard.js";
import { Place } from "./place.js";
import { listenToMouse } from "./pointer.js";
import { defineSettings } from "./comfort.js";
import { listenToFingers } from "./touch.js";

const TURN_PER_S = 2.2;
const TILT_PER_S = 1.1;
/** A body moves in steps no longer than this, and after a pause no further than it would in MOST_S. */
const STEP_S = 0.05;
const MOST_S = 0.4;

/** @param {import("../app/app.js").App} app */
export function install(app) {
  defineSettings(app.settings);
  const intent = new Intent();
  const body = app.body = new Body(app);
  const view = app.view = new View(app, body.pose.yaw);
  app.place = new Place(app);
  let last = performance.now();
  listenToKeys(app, intent, view);
  listenToMouse(app, view);
  listenToFingers(app, intent, view);
  app.drawn.add({
    name: "control",
    frame: ({ dt, now }) => {
      // Where pictures come slowly one walks as fast as elsewhere: the stage's own dt is shortened.
      const passed = Math.min(Math.max(now - last, 0) / 1000, MOST_S);
      last = now;
      const { keys } = intent.settle();
      const speed = app.settings.get("lookSpeed") * passed;
      view.look(
        (Number(keys.turnLeft) - Number(keys.turnRight)) * TURN_PER_S * speed,
        (Number(keys.up) - Number(keys.down)) * TILT_PER_S * speed,
      );
      const busy = intent.forward || intent.right || keys.turnLeft || keys.turnRight;
      if (busy || body.speed > 0) app.stage?.stir();
      const faces = view.mode === "first" && !body.walks;
      for (let left = passed; left > 0; left -= STEP_S) body.step(intent, view.yaw, faces, Math.min(left, STEP_S), now);
      if (body.walks) view.follow(body.pose.yaw, passed);
      else view.free();
      view.frame(dt, body.speed);
    },
  });
}
