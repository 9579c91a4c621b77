// Walks about and greets who comes. Run: node examples/greet.js ws://127.0.0.1:8420/ws
import { World } from "worldloom";

const world = new World(process.argv[2] ?? "ws://127.0.0.1:8420/ws", { name: "Greeter", bot: true });
world.on("entered", async ({ avatar }) => {
  const name = await world.nameOf(avatar.id).catch(() => null);
  if (name) world.say(`Hello, ${name}!`).catch((error) => console.log(error.message));
});
world.on("spoke", ({ name, text }) => console.log(`${name}: ${text}`));
const home = await world.connect();
while (!world.closed) {
  const turn = Math.random() * 2 * Math.PI;
  await world.walkTo(home.x + 5 * Math.sin(turn), home.z + 5 * Math.cos(turn)).catch(console.log);
  await new Promise((done) => setTimeout(done, 1000));
}
