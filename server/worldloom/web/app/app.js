/** The parts of the client, and what they offer each other. */
import { WalkError } from "worldloom";

/**
 * Parts are modules with `install(app)`: it adds what they are (layers to `stage`, panels to `panels`, settings to
 * `settings`) and puts what others use of them on the App. They are installed in the order of `main.js`.
 *
 * @typedef {{ install: (app: App) => void | Promise<void> }} Part
 *
 * @typedef {object} Pose metres and radians: y is the height of the feet
 * @property {number} x
 * @property {number} y
 * @property {number} z
 * @property {number} yaw
 * @property {number} gesture
 *
 * @typedef {"there" | "stopped" | "held"} Ended how a walk did. stopped: by the person. held: there was no going on
 *
 * @typedef {object} Body your own, ahead of the server [control]
 * @property {Pose} pose
 * @property {(x: number, z: number) => Promise<Ended>} walkTo by itself, until a key is pressed
 * @property {() => void} stop walk by itself no more
 * @property {(gesture: number) => void} gesture sit, wave: until you move
 *
 * @typedef {object} Place where you are, as a link [control]
 * @property {() => string} link an address that opens here
 *
 * @typedef {object} View the camera [control]
 * @property {"first" | "third"} mode
 * @property {number} yaw radians, as of a body
 * @property {number} pitch radians, up is positive
 *
 * @typedef {import("worldloom/tiles.js").Tile} Tile
 *
 * @typedef {object} Tiles the land that is here, as it comes and goes [scene]: an Emitter of `come` {rx, rz, tile},
 *   `changed` {rx, rz, tile} (somebody edited it), `go` {rx, rz} and `state` {rx, rz, state}
 * @property {(rx: number, rz: number) => Tile | undefined} tile
 * @property {(x: number, z: number) => number | undefined} ground metres, undefined where no tile is here
 * @property {() => Iterable<Tile>} all
 * @property {(kind: string, listener: (event: any) => void) => () => void} on
 *
 * @typedef {object} Somebody
 * @property {number} avatar its id
 * @property {string} name empty until it is known
 * @property {string} kind a Role, or "bot"
 * @property {string} of a bot's owner
 * @property {number} distance metres from you
 * @property {number} x
 * @property {number} y
 * @property {number} z
 *
 * @typedef {object} People who is in view [people]: an Emitter of `changed` {} (who is there, or a name)
 * @property {() => Somebody[]} list nearest first, without you
 * @property {(avatar: number) => Somebody | undefined} get
 * @property {(avatar: number, text: string) => void} bubble shows words over a head
 * @property {(ray: import("three").Ray, most?: number) => Somebody | undefined} pick who stands in a line of sight
 * @property {(kind: string, listener: (event: any) => void) => () => void} on
 */

export class App {
  /** As the server has it, until control sets a better one. @type {Body} */
  body;
  /** @type {View} */
  // @ts-expect-error set by its part
  view;
  /** @type {Place} */
  // @ts-expect-error set by its part
  place;
  /** @type {Tiles} */
  // @ts-expect-error set by its part
  tiles;
  /** @type {People} */
  // @ts-expect-error set by its part
  people;

  /** Whether the page is about to come anew: that the connection ends is no news. */
  goes = false;
  /** Set by ui/chat.js. @type {import("../ui/chat.js").Chat | undefined} */
  chat;
  /** Set by ui/chat.js. @type {import("../ui/sound.js").Sound | undefined} */
  sound;

  /**
   * @param {object} parts
   * @param {import("worldloom").World} parts.world
   * @param {import("./settings.js").Settings} parts.settings
   * @param {HTMLElement} parts.ui
   * @param {import("./panels.js").Panels} parts.panels
   * @param {import("./toasts.js").Toasts} parts.toasts
   * @param {import("./stage.js").Stage | null} parts.stage null: without WebGL 2
   */
  constructor({ world, settings, ui, panels, toasts, stage }) {
    this.world = world;
    this.body = {
      get pose() { return world.me; },
      walkTo: (x, z) => world.walkTo(x, z).then(() => /** @type {Ended} */ ("there"), endOf),
      stop: () => world.stop(),
      gesture: (gesture) => world.move({ gesture }),
    };
    this.settings = settings;
    /** What lies over the picture. */
    this.ui = ui;
    this.panels = panels;
    this.toasts = toasts;
    this.stage = stage;
  }

  /** @returns {import("./stage.js").Stage} for parts that are only there with one */
  get drawn() {
    if (!this.stage) throw new Error("expected WebGL 2");
    return this.stage;
  }

  /**
   * Do something that the server may refuse; tell the person if it does.
   *
   * @template T
   * @param {Promise<T>} doing
   * @param {string} [done] what to say then
   * @returns {Promise<T | undefined>} undefined: it went wrong
   */
  async attempt(doing, done = "") {
    try {
      const result = await doing;
      if (done) this.toasts.tell(done, { kind: "good" });
      return result;
    } catch (error) {
      this.toasts.fault(error);
      return undefined;
    }
  }
}

/** @param {unknown} error of a walk @returns {Ended} */
function endOf(error) {
  if (!(error instanceof WalkError)) throw error;
  return error.reason ? "held" : "stopped";
}
