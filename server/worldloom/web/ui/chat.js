/** Chat: what is said near by, and what you say. */
import { fill, h, icon } from "../app/dom.js";
import { emotes } from "./emotes.js";
import { wordsOf } from "./forms.js";
import { duration } from "./format.js";
import { Sound } from "./sound.js";
import { KINDS, SPOKEN, addressed, readLine } from "./speech.js";

/** @typedef {import("./speech.js").Kind} Kind @typedef {{ avatar: number, name: string }} Who */

const BUBBLE = "M4 5h16v11H10l-4 4v-4H4z";
const SEND = "M4 12h14M12 6l6 6-6 6";
const FOLD = "M6 9l6 6 6-6";
const MOST_LINES = 200;
const MOST_TYPED = 30;
/** Within that of its end, a log follows what comes. */
const AT_END_PX = 30;
const NARROW = matchMedia("(max-width: 640px), (max-height: 420px)");

/** @param {import("../app/app.js").App} app */
export function install(app) {
  const chat = new Chat(app);
  app.chat = chat;
  app.sound = chat.sound;
}

export class Chat {
  sound;
  #app;
  #kind = /** @type {Kind} */ ("say");
  #to = /** @type {Who | null} */ (null);
  /** Who was heard of last, for /w by name. @type {Map<number, Who>} */
  #heard = new Map();
  #typed = /** @type {string[]} */ ([]);
  #back = 0;
  #unread = 0;

  #log = h("div", { class: "chat-log", role: "log", "aria-live": "polite", "aria-label": "What is said", tabIndex: 0 });
  #choice = h("select", { "aria-label": "How loud", on: { change: () => this.#choose(/** @type {Kind} */ (this.#choice.value)) } },
    Object.entries(KINDS).map(([value, { title, about }]) => h("option", { value, title: about }, title)));
  #text = h("input", { type: "text", "aria-label": "Your words", autocomplete: "off", enterKeyHint: "send",
    on: { keydown: (/** @type {KeyboardEvent} */ event) => this.#key(event) } });
  #note = h("p", { class: "chat-note", role: "status", hidden: true });
  #count = h("span", { class: "count", hidden: true });
  #opener = h("button", { type: "button", class: "chat-open", on: { click: () => this.focus() } }, icon(BUBBLE), this.#count);
  #root = h("section", { class: "chat", "aria-label": "Chat" }, this.#log, this.#note);

  /** @param {import("../app/app.js").App} app */
  constructor(app) {
    this.#app = app;
    this.sound = new Sound(app.settings);
    const { world, ui } = app;
    const { opener, row } = emotes(app);
    this.#root.append(row, h("form", { class: "chat-form", on: { submit: (/** @type {Event} */ event) => this.#submit(event) } },
      this.#choice, this.#text,
      h("button", { type: "submit", class: "plain", "aria-label": "Send" }, icon(SEND)), opener,
      h("button", { type: "button", class: "plain", "aria-label": "Fold the chat away", on: { click: () => this.fold(true) } },
        icon(FOLD))));
    this.#text.maxLength = world.welcome?.limits.text_chars ?? 500;
    ui.append(this.#opener, this.#root);
    this.fold(NARROW.matches || app.settings.recall("chat-folded") === true);
    this.#choose("say");
    world.on("spoke", ({ avatar, name, kind, text, mine }) => {
      this.#hear({ avatar, name }, SPOKEN[kind] ?? "say", text, mine ? "mine" : "");
    });
    world.on("whispered", ({ avatar, name, text }) => {
      this.#hear({ avatar, name }, "whisper", text);
      this.sound.chime("whisper");
    });
    world.on("standing", () => this.#standing());
    setInterval(() => this.#standing(), 1000);
    const greeting = world.welcome?.greeting;
    if (greeting) this.tell(greeting);
  }

  /** To where words are typed. */
  focus() {
    // There is room for one of the two.
    if (NARROW.matches) this.#app.panels.close();
    this.fold(false);
    this.#text.focus();
  }

  /** @param {number} avatar @param {string} name to whom the next words go */
  whisper(avatar, name) {
    this.#to = { avatar, name };
    this.#choose("whisper");
    this.focus();
  }

  /** A line of the page's own. @param {string} text */
  tell(text) {
    this.#add(h("p", { class: "line system" }, text));
  }

  /** @param {boolean} folded */
  fold(folded) {
    const within = this.#root.contains(document.activeElement);
    this.#root.hidden = folded;
    this.#opener.hidden = !folded;
    if (!NARROW.matches) this.#app.settings.keep("chat-folded", folded);
    if (!folded) {
      this.#unread = 0;
      this.#log.scrollTop = this.#log.scrollHeight;
    }
    this.#counted();
    if (folded && within) this.#opener.focus();
  }

  /** @param {Kind} kind */
  #choose(kind) {
    if (kind === "whisper" && !this.#to) {
      this.#to = [...this.#heard.values()].at(-1) ?? null;
      if (!this.#to) this.#say("Choose somebody in the list of people first, or write /w NAME and your words.");
    }
    this.#kind = kind === "whisper" && !this.#to ? "say" : kind;
    this.#choice.value = this.#kind;
    this.#text.placeholder = this.#kind === "whisper" ? `To ${this.#to?.name}` : KINDS[this.#kind].title + "…";
  }

  /** @param {KeyboardEvent} event */
  #key(event) {
    if (event.key === "Escape") {
      event.stopPropagation();
      // The next words are not for that one person alone unless it is chosen again.
      if (this.#kind === "whisper") this.#choose("say");
      if (NARROW.matches) this.fold(true);
      document.getElementById("stage")?.focus();
      return;
    }
    const step = { ArrowUp: 1, ArrowDown: -1 }[event.key];
    if (!step || event.isComposing) return;
    event.preventDefault();
    this.#back = Math.min(Math.max(this.#back + step, 0), this.#typed.length);
    this.#text.value = this.#back ? this.#typed[this.#typed.length - this.#back] : "";
  }

  /** @param {Event} event */
  async #submit(event) {
    event.preventDefault();
    const typed = this.#text.value;
    if (!typed.trim()) return;
    this.#typed = [...this.#typed, typed].slice(-MOST_TYPED);
    this.#back = 0;
    this.#text.value = "";
    try {
      const problem = await this.#speak(typed);
      this.#say(problem);
      if (problem) this.#text.value ||= typed;
    } catch (error) {
      // What one has typed since is not to be lost for it.
      this.#text.value ||= typed;
      this.#say(wordsOf(error));
    }
  }

  /** @param {string} typed @returns {Promise<string>} what is wrong with it */
  async #speak(typed) {
    const { kind, name, text, problem } = readLine(typed);
    if (problem) return problem;
    if (name) return this.#speakTo(typed.trim().replace(/^\/\S+\s+/, ""), name);
    const how = kind ?? this.#kind;
    if (kind && !text) {
      this.#choose(kind);
      return "";
    }
    if (how === "whisper") return this.#whisper(/** @type {Who} */ (this.#to), text);
    await { say: () => this.#app.world.say(text), shout: () => this.#app.world.shout(text),
      region: () => this.#app.world.region(text) }[how]();
    return "";
  }

  /** @param {string} rest all after `/w ` @param {string} first its first word */
  async #speakTo(rest, first) {
    const near = (this.#app.people?.list() ?? []).map(({ avatar, name }) => ({ avatar, name }));
    const meant = addressed(rest, [...near, ...this.#heard.values()]);
    if (!meant) return `Nobody called ${first} is near, or was heard of.`;
    this.#to = meant.person;
    if (meant.text) return this.#whisper(meant.person, meant.text);
    this.#choose("whisper");
    return "";
  }

  /** @param {Who} to @param {string} text */
  async #whisper(to, text) {
    await this.#app.world.whisper(to.avatar, text);
    this.#hear(to, "whisper", text, "mine to");
    return "";
  }

  /** @param {Who} who @param {Kind} kind @param {string} text @param {string} [how] classes of the line */
  #hear(who, kind, text, how = "") {
    const mine = how.startsWith("mine");
    const to = how.endsWith("to");
    if (!mine || to) {
      this.#heard.delete(who.avatar);
      this.#heard.set(who.avatar, who);
      if (this.#heard.size > MOST_LINES) this.#heard.delete(/** @type {number} */ (this.#heard.keys().next().value));
    }
    const known = this.#app.people?.get(who.avatar);
    const name = mine && !to ? h("b", {}, "You") : h("button", { type: "button", class: "name",
      on: { click: () => this.#app.panels.open("people", who) } }, who.name);
    this.#add(h("p", { class: `line ${kind} ${how}` },
      kind !== "say" && h("span", { class: "kind" }, to ? "You whisper to " : `${KINDS[kind].title} `), name,
      known?.kind === "bot" && h("span", { class: "badge" }, "bot"), h("span", {}, `: ${text}`)));
    if (!mine && this.#root.hidden) this.#unread++;
    this.#counted();
  }

  /** @param {HTMLElement} line */
  #add(line) {
    const log = this.#log;
    const follows = log.scrollHeight - log.scrollTop - log.clientHeight < AT_END_PX;
    log.append(line);
    while (log.childElementCount > MOST_LINES) log.firstElementChild?.remove();
    if (follows) log.scrollTop = log.scrollHeight;
  }

  #counted() {
    this.#count.hidden = this.#unread === 0;
    this.#count.textContent = this.#unread > 99 ? "99+" : String(this.#unread);
    this.#opener.setAttribute("aria-label", this.#unread ? `Open the chat, ${this.#unread} new` : "Open the chat");
  }

  /** @param {string} text */
  #say(text) {
    if (this.#note.textContent === text) return;
    this.#note.hidden = !text;
    fill(this.#note, text);
  }

  #standing() {
    const { mutedMs, mutedFor } = this.#app.world;
    const muted = mutedMs > 0;
    if (this.#text.disabled === muted && !muted) return;
    this.#text.disabled = muted;
    // In whole minutes, so that a screen reader is not told every second.
    const time = mutedMs === Infinity ? "" : mutedMs < 60_000 ? " for less than a minute" : ` for ${duration(mutedMs)}`;
    this.#say(muted ? `You cannot speak${time}${mutedFor ? `: ${mutedFor}` : "."}` : "");
  }
}
