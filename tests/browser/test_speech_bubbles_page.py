"""Words over heads lie wholly within the window, wherever on it the head is."""

import math
from collections.abc import Callable
from typing import Any

import pytest

from browsing import PHONE, until
from live_server import Served

Visit = Callable[..., Any]

WORDS = "I have seen the salmon come up the river, all of them, and nobody believes me"
BUBBLE = f"""(() => {{
  const bubble = [...document.querySelectorAll(".bubble")].find(({{ textContent, parentElement }}) =>
    textContent === "{WORDS}" && parentElement.style.opacity === "1");
  const {{ left, top, right, bottom }} = bubble?.getBoundingClientRect() ?? {{}};
  return bubble && {{ left, top, right, bottom, lean: parseFloat(bubble.style.getPropertyValue("--lean")) || 0 }};
}})()"""


@pytest.mark.parametrize(("side", "lean"), [(0.93, 1), (-0.93, -1)])
async def test_a_bubble_at_an_edge_lies_wholly_inside_and_points_to_its_head(
    visit: Visit, world: Served, side: float, lean: int
) -> None:
    lou = await world.join(f"Lou Edge {lean + 1}")
    async with visit(viewport=PHONE) as page:
        x, z = await page.evaluate("[app.body.pose.x, app.body.pose.z]")
        lou.move(x + 6, z)
        await until(page, f"app.people.get({lou.you})?.distance > 4")
        # The head is just inside of an edge of the view.
        look = """([avatar, side]) => {
          const { x, z } = app.people.get(avatar);
          const { camera } = app.stage;
          app.body.step = () => {};
          const half = Math.atan(Math.tan(camera.fov * Math.PI / 360) * camera.aspect);
          app.view.mode = "first";
          app.view.yaw = Math.atan2(x - app.body.pose.x, z - app.body.pose.z) + side * half;
          app.people.bubble(avatar, "%s");
        }"""
        await page.evaluate(look % WORDS, [lou.you, side])
        await until(page, f"Math.sign(({BUBBLE})?.lean) === {lean}")
        bubble = await page.evaluate(BUBBLE)
        assert bubble["left"] >= 0
        assert bubble["top"] >= 0
        assert bubble["right"] <= PHONE["width"]
        assert bubble["bottom"] <= PHONE["height"]
        assert math.fabs(bubble["lean"]) < (bubble["right"] - bubble["left"]) / 2
    await lou.leave()
