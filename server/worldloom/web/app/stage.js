/**
 * The stage: camera, renderer, and the layers of the world that are drawn by them.
 *
 * A world is 16,000 km wide, and what goes to the graphics card has 24 bits: geometry and instances are in metres from
 * the low corner of a region or some other anchor near by, and only the objects that hold them stand at world places.
 */
import { Emitter } from "worldloom/emitter.js";
import { PerspectiveCamera, Scene, WebGLRenderer } from "three";
import { drawsBySoftware } from "../scene/quality.js";

/**
 * @typedef {{ now: number, dt: number, tick: number, me: { x: number, y: number, z: number, yaw: number } }} Frame now:
 *   milliseconds of performance.now. dt: seconds since the frame before, at most 0.1. tick: world time in ticks, with a
 *   fraction. me: your own body, metres and radians
 * @typedef {{ name: string, frame?: (frame: Frame) => void, resize?: (width: number, height: number) => void,
 *   dispose?: () => void }} Layer what it shows it has added to `stage.scene` itself
 */

/** Frames a second where nothing moves and nobody does anything. */
const IDLE_FPS = 15;
const IDLE_AFTER_MS = 20_000;

/** Events: `fault` {layer, error}: a layer failed and is drawn no more. */
export class Stage extends Emitter {
  scene = new Scene();
  camera = new PerspectiveCamera(62, 1, 0.1, 4_000);
  /** Milliseconds that the layers' frame took, without drawing: the last 120. */
  spent = new Float32Array(120);
  /** Pictures drawn so far. */
  drawn = 0;
  /** Pictures a second, at most. What moves goes on between them. */
  most = Infinity;
  renderer;
  #frames = 0;
  #layers = /** @type {Layer[]} */ ([]);
  #frameOf;
  #last = 0;
  #painted = 0;
  #stirred = 0;

  /**
   * @param {HTMLCanvasElement} canvas
   * @param {(now: number) => { tick: number, me: Frame["me"] }} frameOf what time it is in the world, where you are
   */
  constructor(canvas, frameOf) {
    super();
    this.#frameOf = frameOf;
    // Without a card each point that is computed four times is paid for four times.
    const antialias = devicePixelRatio < 2 && !drawsBySoftware();
    this.renderer = new WebGLRenderer({ canvas, antialias, powerPreference: "high-performance" });
    this.renderer.setPixelRatio(Math.min(devicePixelRatio, 2));
    new ResizeObserver(() => this.#resize()).observe(canvas);
    this.#resize();
    for (const kind of ["keydown", "pointerdown", "pointermove", "wheel"]) {
      addEventListener(kind, () => this.stir(), { passive: true });
    }
  }

  /** @param {Layer} layer */
  add(layer) {
    this.#layers.push(layer);
    this.#resize();
  }

  /** @param {string} name */
  remove(name) {
    for (const layer of this.#layers.filter((one) => one.name === name)) layer.dispose?.();
    this.#layers = this.#layers.filter((one) => one.name !== name);
  }

  /** Something happens: draw at the full rate for a while. */
  stir() {
    this.#stirred = performance.now();
  }

  start() {
    // All that may be drawn: a shader that is first compiled when something comes into view holds up the walk.
    void this.renderer.compileAsync(this.scene, this.camera);
    this.renderer.setAnimationLoop((now) => this.#frame(now));
  }

  stop() {
    this.renderer.setAnimationLoop(null);
  }

  /** @param {number} now */
  #frame(now) {
    const idle = now - this.#stirred > IDLE_AFTER_MS;
    if (idle && isSoon(now - this.#last, IDLE_FPS)) return;
    const dt = Math.min((now - this.#last) / 1000, 0.1);
    this.#last = now;
    const frame = { now, dt, ...this.#frameOf(now) };
    const began = performance.now();
    for (const layer of [...this.#layers]) {
      try {
        layer.frame?.(frame);
      } catch (error) {
        this.#layers = this.#layers.filter((one) => one !== layer);
        this.emit("fault", { layer: layer.name, error });
      }
    }
    this.spent[this.#frames++ % this.spent.length] = performance.now() - began;
    if (isSoon(now - this.#painted, this.most)) return;
    this.#painted = now;
    this.drawn++;
    this.renderer.render(this.scene, this.camera);
  }

  #resize() {
    const { clientWidth: width, clientHeight: height } = this.renderer.domElement;
    if (!width || !height) return;
    this.renderer.setSize(width, height, false);
    this.camera.aspect = width / height;
    this.camera.updateProjectionMatrix();
    for (const layer of this.#layers) layer.resize?.(width, height);
  }
}

/** @param {number} ms since the one before @param {number} fps @returns {boolean} sooner than one is due */
function isSoon(ms, fps) {
  // Half a millisecond early, else every one that comes a little soon is left out, too.
  return ms < 1000 / fps - 0.5;
}
