/** Small sounds, made here: no files. Silent until somebody has pressed something, as browsers want it. */

/** Hertz and seconds. */
const CHIMES = { whisper: [[659, 0], [880, 0.09]], notice: [[523, 0], [659, 0.1], [784, 0.2]], staff: [[440, 0], [440, 0.15]] };
const LONG_S = 0.5;

export class Sound {
  #settings;
  #context = /** @type {AudioContext | null} */ (null);

  /** @param {import("../app/settings.js").Settings} settings */
  constructor(settings) {
    this.#settings = settings;
    settings.define({
      name: "volume", title: "Volume", hint: "Of the chime for a whisper or a notice. 0 is silence.", group: "sound",
      kind: "range", from: 0, to: 100, step: 5, initial: 40,
    });
  }

  /** @param {keyof typeof CHIMES} kind */
  chime(kind) {
    const volume = this.#settings.get("volume") / 100;
    if (!volume || !navigator.userActivation?.hasBeenActive) return;
    const context = (this.#context ??= new AudioContext());
    for (const [hertz, after] of CHIMES[kind]) tone(context, hertz, context.currentTime + after, 0.25 * volume ** 2);
  }
}

/** @param {AudioContext} context @param {number} hertz @param {number} at seconds @param {number} loud 0 to 1 */
function tone(context, hertz, at, loud) {
  const gain = context.createGain();
  gain.gain.setValueAtTime(0, at);
  gain.gain.linearRampToValueAtTime(loud, at + 0.015);
  gain.gain.exponentialRampToValueAtTime(0.0001, at + LONG_S);
  const source = context.createOscillator();
  source.type = "sine";
  source.frequency.value = hertz;
  source.connect(gain).connect(context.destination);
  source.start(at);
  source.stop(at + LONG_S);
}
