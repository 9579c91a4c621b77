/** The panel of help: what one can do here, and how this world was made. */
import { REGION_M } from "worldloom/tiles.js";
import { fill, h } from "../app/dom.js";
import { form } from "./forms.js";
import { keyList } from "./keys.js";
import { madeBy } from "./provenance.js";
import { copied } from "./secret.js";

const ICON = "M9 9a3 3 0 1 1 4.3 2.7c-.9.5-1.3 1-1.3 2.3M12 17.5v.01M12 21.5a9.5 9.5 0 1 0 0-19 9.5 9.5 0 0 0 0 19z";
/** What came with the page from others. */
const VENDORED = new URL("../vendor/", import.meta.url);

/** @param {import("../app/app.js").App} app */
export function install(app) {
  app.panels.add({ id: "help", title: "Help", icon: ICON, key: "h", open: (root) => open(app, root) });
}

/** @param {import("../app/app.js").App} app @param {HTMLElement} root */
function open(app, root) {
  const land = h("p", {});
  const licences = h("ul", {});
  const touch = matchMedia("(pointer: coarse)").matches;
  fill(root,
    h("h3", {}, "Getting about"),
    touch
      ? h("p", {}, "Drag with the left thumb to walk, with the right one to look round. Buttons at the right jump and sit.")
      : h("p", {}, "Walk with the keys below, drag the picture to look round, turn the wheel to come nearer."),
    touch ? null : keyList(app.panels),
    form({ button: "Copy a link to where you stand", kind: "", run: async () => {
      const link = app.place.link();
      return (await copied(link)) ? "Copied: who opens it comes here." : link;
    } }),
    h("h3", {}, "Talking"),
    h("p", {}, "Say carries 20 m, shout 100 m, region as far as the region of 256 m. A whisper reaches one person, wherever. ",
      "Short: ", h("code", {}, "/s"), " shouts, ", h("code", {}, "/r"), " speaks to the region, ", h("code", {}, "/w NAME"), " whispers."),
    h("p", {}, "Whoever is a nuisance: choose them in the list of people, then mute, block, or report."),
    h("h3", {}, "Who is who"),
    h("p", {}, "People marked ", h("span", { class: "badge bot" }, "bot"), " are programs. Those of a person say whose they are. ",
      h("span", { class: "badge staff" }, "moderator"), " and ", h("span", { class: "badge staff" }, "owner"), " keep order here."),
    h("h3", {}, "How this was made"), land,
    h("p", {}, "Nothing that you see comes from another place than this server, and nothing is told to another one."),
    h("h3", {}, "Software"),
    h("p", {}, `Worldloom is free software, under the licence Apache 2.0. This page is served as it was written: `,
      h("a", { href: new URL("../app/main.js", import.meta.url).href, target: "_blank", rel: "noopener" }, "read it"), "."),
    licences);
  landHere(app, land);
  vendored(licences);
}

/** @param {import("../app/app.js").App} app @param {HTMLElement} land */
async function landHere({ world, body }, land) {
  const { x, z } = body.pose;
  const tile = await world.tile(Math.floor(x / REGION_M), Math.floor(z / REGION_M)).catch(() => null);
  fill(land, tile ? madeBy(tile.provenance) : "The land here is still being made.");
}

/** @param {HTMLElement} list */
async function vendored(list) {
  try {
    const { packages } = await (await fetch(new URL("VENDORED.json", VENDORED))).json();
    fill(list, packages.map((/** @type {any} */ { name, version, licence, folder }) => h("li", {}, `${name} ${version}, `,
      h("a", { href: new URL(`${folder}/LICENSE`, VENDORED).href, target: "_blank", rel: "noopener" }, `licence ${licence}`))));
  } catch {
    fill(list, h("li", {}, "The list of what came from others could not be loaded."));
  }
}
