/**
 * The way in and back: WebSocket, Hello, Welcome, and what to do when it ends.
 */
import { REMOVED, comesBack, isSentOut, mayResume, waitMs } from "./comeback.js";
import { ClosedError, RefusedError, SentOutError } from "./errors.js";
import { decodeMessage, encodeMessage } from "./messages.js";
import { Silence } from "./silence.js";
import { HORIZONTAL, VERSION } from "./units.js";

const WELCOME_MS = 20_000;
const LEAVE_MS = 3_000;
/** A connection that lasted so long was a good one: begin waiting anew. */
const GOOD_MS = 30_000;
const MOST_UNSENT = 256 * 1024;
const MOST_MESSAGE = 1024 * 1024;
/** Ours, for what the server should not have sent. With 1000 the session would be over. */
const BAD_MESSAGE = 4900;

/**
 * @typedef {import("./messages.js").Message} Message
 * @typedef {"new" | "connecting" | "in" | "waiting" | "closed"} State
 * @typedef {{ url: string, client: string, name: string, token: string | null, resume: string | null, keep: boolean,
 *   access: string, code: string, bot: boolean, at: { x: number, z: number } | null,
 *   WebSocket: typeof WebSocket }} Options
 * @typedef {{
 *   welcome: (welcome: Message) => void,
 *   message: (message: Message) => void,
 *   lost: (lost: { code: number, reason: string, waitMs: number, attempt: number }) => void,
 *   closed: (error: Error) => void,
 * }} Handlers
 */

export class Connection {
  /** @type {State} */
  state = "new";
  /** The account's. @type {string | null} */
  token;
  /** Of the last Welcome. @type {string | null} */
  resume;
  #options;
  #handlers;
  #socket = /** @type {WebSocket | null} */ (null);
  #timer = /** @type {ReturnType<typeof setTimeout> | undefined} */ (undefined);
  #refused = /** @type {RefusedError | null} */ (null);
  /** That sends us out. @type {{ code: string, text: string, retry_after_ms: number } | null} */
  #goodbye = null;
  #problem = "";
  #retryAfterMs = 0;
  #attempt = 0;
  #wasIn = false;
  #resumeMs = 0;
  #leaving = false;
  #since = 0;
  /** When it was in the world last. */
  #lastIn = 0;
  #silence = new Silence();

  /** @param {Options} options @param {Handlers} handlers */
  constructor(options, handlers) {
    this.#options = options;
    this.#handlers = handlers;
    this.token = options.token;
    this.resume = options.resume;
  }

  open() {
    if (this.state !== "new") throw new Error(`expected a new connection, this one is ${this.state}`);
    // Options that are none are told at once.
    this.#hello();
    this.#dial();
  }

  /**
   * @param {Message} message
   * @param {number} [mostUnsent] bytes that may wait before this one
   * @returns {boolean} false: not in the world, or too much is unsent
   */
  send(message, mostUnsent = MOST_UNSENT) {
    const socket = this.#socket;
    if (this.state !== "in" || !socket || socket.readyState !== 1 || socket.bufferedAmount > mostUnsent) return false;
    socket.send(encodeMessage(message));
    return true;
  }

  /** Leave for good. Where there is no connection, the server learns of it by time. */
  leave() {
    const socket = this.#socket;
    this.#leaving = true;
    if (this.state !== "in" || !socket) {
      this.#end(1000, "left");
      return;
    }
    this.send({ type: "Leave" }, Infinity);
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#end(1000, "left"), LEAVE_MS);
  }

  #dial() {
    this.state = "connecting";
    this.#refused = null;
    this.#problem = "";
    this.#retryAfterMs = 0;
    /** @type {WebSocket} */
    let socket;
    try {
      socket = new this.#options.WebSocket(this.#options.url);
    } catch (error) {
      this.#end(1006, /** @type {Error} */ (error).message);
      return;
    }
    this.#socket = socket;
    socket.binaryType = "arraybuffer";
    // Events of a socket that was given up come late, and mean nothing.
    const mine = () => this.#socket === socket;
    socket.onopen = () => mine() && socket.send(this.#hello());
    socket.onmessage = ({ data }) => mine() && this.#receive(data);
    socket.onclose = ({ code, reason }) => mine() && this.#ended(code, reason);
    // A close follows, but not in Node 20 where the connection was never made. One of the two is enough.
    socket.onerror = () => mine() && this.state === "connecting" && this.#giveUp("no connection");
    this.#timer = setTimeout(() => this.#giveUp("no Welcome in time"), WELCOME_MS);
  }

  /** @returns {Uint8Array<ArrayBuffer>} throws WireError */
  #hello() {
    // The name as it was asked for: one that the server gave to a guest may not be asked for.
    const { client, name, keep, access, code, bot, at } = this.#options;
    const { token, resume } = this;
    // What makes an account, or is used up, is sent until there is an answer; the world's password with every Hello.
    const first = !token && !this.#wasIn;
    return encodeMessage({
      type: "Hello", version: VERSION, client, name, token, resume, keep: keep && first && !code,
      access: token ? "" : access, code: first ? code : "", bot,
      // Who comes back stays where it was.
      at: at && !this.#wasIn && !resume ? [Math.round(at.x * HORIZONTAL), Math.round(at.z * HORIZONTAL)] : undefined,
    });
  }

  /** @param {any} data */
  #receive(data) {
    this.#silence.hear(performance.now());
    /** @type {Message | null} */
    let message;
    try {
      if (!(data instanceof ArrayBuffer)) throw new Error("a text message");
      if (data.byteLength > MOST_MESSAGE) throw new Error(`a message of ${data.byteLength} bytes`);
      message = decodeMessage(new Uint8Array(data));
      if (!message) return;
      if (message.type === "Welcome") this.#welcome(message);
      else if (message.type === "Goodbye") this.#farewell(/** @type {any} */ (message));
      else if (this.state === "connecting" && message.type === "Refused") {
        this.#refused = new RefusedError(/** @type {any} */ (message));
        this.#retryAfterMs = message.retry_after_ms;
      } else if (this.state === "in") this.#handlers.message(message);
    } catch (error) {
      // The mirror is not to be trusted any more: begin again.
      this.#giveUp(`the server sent what is no message: ${/** @type {Error} */ (error).message}`);
    }
  }

  /** @param {Message} welcome */
  #welcome(welcome) {
    clearTimeout(this.#timer);
    this.state = "in";
    this.#since = performance.now();
    this.#wasIn = true;
    this.token = welcome.token ?? this.token;
    this.resume = welcome.resume;
    this.#resumeMs = welcome.limits.resume_ms;
    this.#watch();
    this.#handlers.welcome(welcome);
  }

  /** @param {{ code: string, text: string, retry_after_ms: number }} goodbye */
  #farewell(goodbye) {
    // One that follows a refused Hello has its code.
    if (this.state === "in" && isSentOut(goodbye.code)) this.#goodbye = goodbye;
    else this.#retryAfterMs = Math.max(this.#retryAfterMs, goodbye.retry_after_ms);
  }

  #watch() {
    const now = performance.now();
    const { lost, probe, againMs } = this.#silence.look(now);
    if (probe) this.send({ type: "Ping", client_ms: Math.floor(now) });
    if (lost) this.#giveUp("the server is silent");
    else this.#timer = setTimeout(() => this.#watch(), againMs);
  }

  /** @param {string} problem */
  #giveUp(problem) {
    const socket = this.#socket;
    this.#problem = problem;
    this.#socket = null;
    try {
      socket?.close(BAD_MESSAGE);
    } catch {
      // It was not open yet, or not any more.
    }
    this.#ended(1006, problem);
  }

  /** @param {number} code @param {string} reason */
  #ended(code, reason) {
    clearTimeout(this.#timer);
    this.#socket = null;
    if (this.state === "closed") return;
    const now = performance.now();
    if (this.state === "in") {
      this.#lastIn = now;
      if (now - this.#since > GOOD_MS) this.#attempt = 0;
      if (!mayResume(code) || this.#goodbye) this.resume = null;
      if (this.#goodbye?.code === "revoked") this.token = null;
    }
    const how = { refused: this.#refused?.code, lostMs: now - this.#lastIn, resumeMs: this.#resumeMs };
    if (!this.#wasIn || this.#leaving || this.#goodbye || !comesBack(code, how)) {
      this.#end(code, this.#problem || reason);
      return;
    }
    const wait = waitMs(this.#attempt++, code, this.#retryAfterMs, Math.random());
    this.state = "waiting";
    this.#timer = setTimeout(() => this.#dial(), wait);
    this.#handlers.lost({ code, reason: this.#problem || reason, waitMs: wait, attempt: this.#attempt });
  }

  /** @param {number} code @param {string} reason */
  #end(code, reason) {
    clearTimeout(this.#timer);
    const socket = this.#socket;
    this.#socket = null;
    const before = this.state;
    this.state = "closed";
    if (before === "closed") return;
    try {
      socket?.close(1000);
    } catch {
      // It was closed already.
    }
    this.#handlers.closed(this.#refused ?? this.#closing(code, reason));
  }

  /** @param {number} code @param {string} reason @returns {Error} */
  #closing(code, reason) {
    if (this.#goodbye) return new SentOutError(code, reason, this.#goodbye);
    // The Goodbye of before may be lost.
    if (code === REMOVED) return new SentOutError(code, reason, { code: "", text: reason, retry_after_ms: 0 });
    return new ClosedError(code, reason);
  }
}
