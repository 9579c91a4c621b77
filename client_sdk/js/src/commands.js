/** Commands that wait for their Done or Refused. */
import { LostError, NotSentError, RefusedError } from "./errors.js";
import { readResult } from "./results.js";

/** More unanswered ones than the server takes in a second or two are a mistake of the caller. */
const MOST_WAITING = 64;
const ANSWER_MS = 30_000;
/** The server asks its database for these, and refuses more of them at once. */
const SLOW = new Set(["Block", "Order", "Account", "Report", "EditTerrain", "Money", "Estate", "Market"]);
const MOST_SLOW = 4;

/**
 * @typedef {import("./messages.js").Message} Message
 * @typedef {{ message: Message, resolve: (result: any) => void, reject: (error: Error) => void }} Command
 * @typedef {Command & { timer: ReturnType<typeof setTimeout> }} Waiting
 */

export class Commands {
  #next = 1;
  #waiting = /** @type {Map<number, Waiting>} */ (new Map());
  /** Slow ones that are not sent yet. */
  #queue = /** @type {Command[]} */ ([]);
  #slow = 0;
  #send;

  /** @param {(message: Message) => boolean} send false: not connected, or too much unsent */
  constructor(send) {
    this.#send = send;
  }

  /**
   * @param {Message} message without its id
   * @returns {Promise<any>} what Done carries
   */
  run(message) {
    return new Promise((resolve, reject) => {
      if (this.#waiting.size + this.#queue.length >= MOST_WAITING) {
        throw new NotSentError(`${MOST_WAITING} commands wait for their answer`);
      }
      const command = { message, resolve, reject };
      if (SLOW.has(message.type) && this.#slow >= MOST_SLOW) this.#queue.push(command);
      else this.#issue(command);
    });
  }

  /** @param {number} id @param {any} [result] */
  done(id, result = null) {
    const waiting = this.#take(id);
    if (!waiting) return;
    try {
      waiting.resolve(readResult(waiting.message, result));
    } catch (error) {
      waiting.reject(/** @type {Error} */ (error));
    }
    this.#issueNext();
  }

  /**
   * @param {{ id: number, code: string, text: string, hint: string, retry_after_ms: number }} message
   * @returns {boolean} whether it answered a command
   */
  refused(message) {
    const waiting = this.#take(message.id);
    waiting?.reject(new RefusedError(message));
    this.#issueNext();
    return waiting !== undefined;
  }

  /** The connection ended: what was not answered will not be. */
  lost() {
    for (const { reject } of this.#queue.splice(0)) reject(new NotSentError("the connection ended before it was sent"));
    for (const id of [...this.#waiting.keys()]) {
      this.#take(id)?.reject(new LostError("the connection ended before the answer; the outcome is unknown"));
    }
  }

  /** @param {Command} command */
  #issue(command) {
    const id = this.#next;
    if (!this.#send({ ...command.message, id })) {
      throw new NotSentError("not connected, or too much waits to be sent");
    }
    this.#next = id === 0xffffffff ? 1 : id + 1;
    const timer = setTimeout(() => {
      this.#take(id)?.reject(new LostError(`no answer within ${ANSWER_MS} ms; the outcome is unknown`));
      this.#issueNext();
    }, ANSWER_MS);
    this.#waiting.set(id, { ...command, timer });
    if (SLOW.has(command.message.type)) this.#slow++;
  }

  #issueNext() {
    while (this.#slow < MOST_SLOW) {
      const command = this.#queue.shift();
      if (!command) return;
      try {
        this.#issue(command);
      } catch (error) {
        // Not connected, or a value that is none of that field.
        command.reject(/** @type {Error} */ (error));
      }
    }
  }

  /** @param {number} id */
  #take(id) {
    const waiting = this.#waiting.get(id);
    if (!waiting) return undefined;
    this.#waiting.delete(id);
    clearTimeout(waiting.timer);
    if (SLOW.has(waiting.message.type)) this.#slow--;
    return waiting;
  }
}
