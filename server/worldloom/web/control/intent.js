/** What the person wants of the body just now, from keys and fingers together. */

export class Intent {
  /** From keys: each is held or not. */
  keys = { ahead: false, back: false, left: false, right: false, turnLeft: false, turnRight: false, up: false, down: false, run: false };
  /** From a thumb: -1 to 1. */
  stick = { forward: 0, right: 0, run: false };
  jumpHeld = false;
  #leaps = false;
  forward = 0;
  right = 0;
  run = false;
  jump = false;

  /** Puts them together, once a frame. @returns {this} */
  settle() {
    const { keys, stick } = this;
    this.forward = Number(keys.ahead) - Number(keys.back) + stick.forward;
    this.right = Number(keys.right) - Number(keys.left) + stick.right;
    this.run = keys.run !== stick.run;
    this.jump = this.jumpHeld || this.#leaps;
    this.#leaps = false;
    return this;
  }

  /** From now on, and once at least, however short the press and however seldom the frames. */
  leap() {
    this.jumpHeld = this.#leaps = true;
  }

  /** Nothing is held any more: the page has lost the keyboard. */
  release() {
    for (const name of /** @type {(keyof Intent["keys"])[]} */ (Object.keys(this.keys))) this.keys[name] = false;
    this.jumpHeld = false;
  }
}
