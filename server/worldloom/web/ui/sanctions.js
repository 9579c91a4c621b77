/** Sending out, muting, banning: for those who keep order. */
import { h } from "../app/dom.js";
import { confirmed, field, form } from "./forms.js";

/** Choices of minutes; 0: without end. */
const TIMES = { 10: "10 minutes", 60: "1 hour", 1440: "1 day", 10080: "1 week", 0: "Without end" };

/**
 * @param {import("../app/app.js").App} app
 * @param {{ avatar?: number, name: string }} who by the avatar where there is one
 * @returns {HTMLElement}
 */
export function sanctions(app, { avatar, name }) {
  const who = avatar ?? name;
  const { staff } = app.world;
  const what = h("select", {}, Object.entries({
    kick: "Send out", mute: "Mute", ban: "Ban", unmute: "End the mute", unban: "End the ban",
  }).map(([value, text]) => h("option", { value }, text)));
  const minutes = h("select", {}, Object.entries(TIMES).map(([value, text]) => h("option", { value }, text)));
  minutes.value = "60";
  const reason = h("input", { maxLength: 500, autocomplete: "off" });
  const time = field("For how long", minutes);
  const why = field("Reason", reason, `${name} is told it.`);
  const fit = () => {
    time.hidden = !["mute", "ban"].includes(what.value);
    why.hidden = what.value.startsWith("un");
  };
  what.addEventListener("change", fit);
  fit();
  return h("details", {}, h("summary", {}, "Keep order"), form({ button: "Do it", kind: "danger", run: async () => {
    const options = { minutes: Number(minutes.value) };
    if (what.value === "ban" && !(await confirmed({ title: `Ban ${name}?`, yes: "Ban", danger: true }))) return "";
    await {
      kick: () => staff.kick(who, reason.value), mute: () => staff.mute(who, reason.value, options),
      ban: () => staff.ban(who, reason.value, options), unmute: () => staff.unmute(who), unban: () => staff.unban(who),
    }[/** @type {"kick"} */ (what.value)]();
    return "Done.";
  } }, field("What", what), time, why));
}
