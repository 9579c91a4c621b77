"""What a crowd costs: ``python tests/browser/people_bench.py [--people 1000] [--url http://127.0.0.1:8420]``.

Prints one line: milliseconds of JavaScript a frame in the layer of people, over 400 frames without drawing, and what
the page's own frames took with all layers. Run it alone: it is as noisy as the machine.
"""

import argparse
import asyncio
import sys
from pathlib import Path

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent))

from browsing import DESK, chromium, inside  # noqa: E402

MEASURE = """async (frames) => {
  const times = [];
  for (let i = 0; i < frames; i++) {
    // As often as a screen is drawn, so that the crowd moves on between.
    await new Promise((resolve) => setTimeout(resolve, 16));
    const began = performance.now();
    app.people.frame({ now: began, dt: 1 / 60, tick: app.world.tick, me: app.body.pose });
    times.push(performance.now() - began);
  }
  const sorted = (all) => [...all].sort((a, b) => a - b);
  const at = (all, part) => sorted(all)[Math.floor(all.length * part)];
  const whole = [...app.stage.spent].slice(0, app.stage.drawn);
  return { half: at(times, 0.5), most: at(times, 0.95), whole: at(whole, 0.5), seen: app.people.list().length };
}"""


async def measure(url: str, people: int) -> None:
    """Open the page, bring the crowd, and print the line."""
    async with chromium() as browser:
        page = await browser.new_page(viewport=DESK)
        await page.goto(url)
        await inside(page)
        await page.evaluate("() => {" + (HERE / "crowd.js").read_text() + "}")
        await page.evaluate(f"globalThis.crowd = makeCrowd({{ count: {people} }}); 0")
        await asyncio.sleep(3)
        found = await page.evaluate(MEASURE, 400)
    sys.stdout.write(
        f"people in view {found['seen']}: {found['half']:.2f} ms a frame (95 %: {found['most']:.2f} ms); "
        f"all layers {found['whole']:.2f} ms\n"
    )


def main() -> None:
    """Read the options."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--people", type=int, default=1000)
    parser.add_argument("--url", default="http://127.0.0.1:8420")
    options = parser.parse_args()
    asyncio.run(measure(options.url, options.people))


if __name__ == "__main__":
    main()
