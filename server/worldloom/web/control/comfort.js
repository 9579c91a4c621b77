/** What a person may want otherwise of looking and moving. */

/** @param {import("../app/settings.js").Settings} settings */
export function defineSettings(settings) {
  const calm = matchMedia("(prefers-reduced-motion: reduce)").matches;
  settings.define({
    name: "fieldOfView", title: "Field of view", hint: "Degrees from the bottom of the picture to its top.",
    group: "picture", kind: "range", from: 45, to: 95, step: 1, initial: 60,
  });
  settings.define({
    name: "lookSpeed", title: "Look speed", group: "comfort", kind: "range", from: 0.3, to: 3, step: 0.1, initial: 1,
  });
  settings.define({
    name: "invertLook", title: "Turn up and down about", hint: "Dragging down looks up.", group: "comfort",
    kind: "switch", initial: false,
  });
  settings.define({
    name: "headBob", title: "Head moves with the steps", hint: "Only from your own eyes.", group: "comfort",
    kind: "switch", initial: !calm,
  });
  settings.define({
    name: "holdPointer", title: "The mouse always looks", hint: "A click takes the pointer, Escape gives it back.",
    group: "comfort", kind: "switch", initial: false,
  });
  settings.define({
    name: "clickToWalk", title: "Walk to where I click", group: "comfort", kind: "switch", initial: true,
  });
}
