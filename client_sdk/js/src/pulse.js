/** Pings in time, for the world's clock and as a sign of life. */
import { Clock } from "./clock.js";

const EVERY_MS = 5_000;
/** At first a few quick ones, still slower than the server allows: one trip may have been slow. */
const FIRST = 4;
const FIRST_MS = 600;

export class Pulse {
  #clock = new Clock();
  #timer = /** @type {ReturnType<typeof setTimeout> | undefined} */ (undefined);
  #count = 0;
  #send;

  /** @param {(clientMs: number) => void} send */
  constructor(send) {
    this.#send = send;
  }

  /** @param {number} serverMs of Welcome */
  start(serverMs) {
    this.#clock.start(serverMs, performance.now());
    this.#count = 0;
    this.#ping();
  }

  stop() {
    clearTimeout(this.#timer);
  }

  /** @param {any} pong */
  pong({ client_ms, server_ms }) {
    this.#clock.pong(client_ms, server_ms, performance.now());
  }

  /** World time, ms. */
  get serverMs() { return this.#clock.serverMs(performance.now()); }
  get roundTripMs() { return this.#clock.roundTripMs; }

  #ping() {
    this.stop();
    this.#send(Math.floor(performance.now()));
    this.#timer = setTimeout(() => this.#ping(), ++this.#count < FIRST ? FIRST_MS : EVERY_MS);
  }
}
