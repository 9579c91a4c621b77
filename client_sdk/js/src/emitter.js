/** A small emitter: nothing is queued, listeners are called at once and in order. */
export class Emitter {
  #listeners = /** @type {Map<string, Set<(event: any) => void>>} */ (new Map());

  /**
   * @param {string} type
   * @param {(event: any) => void} listener
   * @returns {() => void} takes the listener away again
   */
  on(type, listener) {
    let set = this.#listeners.get(type);
    if (!set) this.#listeners.set(type, (set = new Set()));
    set.add(listener);
    return () => this.off(type, listener);
  }

  /**
   * @param {string} type
   * @param {(event: any) => void} listener
   */
  off(type, listener) {
    this.#listeners.get(type)?.delete(listener);
  }

  /**
   * The next event of that type that passes the test.
   *
   * @param {string} type
   * @param {{ timeoutMs?: number, where?: (event: any) => boolean }} [options]
   * @returns {Promise<any>}
   */
  next(type, { timeoutMs = 0, where = () => true } = {}) {
    return new Promise((resolve, reject) => {
      /** @type {ReturnType<typeof setTimeout> | undefined} */
      let timer;
      const off = this.on(type, (event) => {
        if (!where(event)) return;
        clearTimeout(timer);
        off();
        resolve(event);
      });
      if (timeoutMs > 0) {
        timer = setTimeout(() => {
          off();
          reject(new Error(`expected "${type}" within ${timeoutMs} ms, got none`));
        }, timeoutMs);
      }
    });
  }

  /**
   * @param {string} type
   * @returns {boolean}
   */
  hears(type) {
    return (this.#listeners.get(type)?.size ?? 0) > 0;
  }

  /**
   * @param {string} type
   * @param {any} [event]
   */
  emit(type, event) {
    const listeners = this.#listeners.get(type);
    if (!listeners?.size) return;
    for (const listener of [...listeners]) {
      try {
        listener(event);
      } catch (error) {
        // A mistake in one listener must not stop the others, nor the reading of the connection.
        queueMicrotask(() => { throw error; });
      }
    }
  }
}
