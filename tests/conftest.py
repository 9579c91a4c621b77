"""For all tests: where a commit is judged, generated examples are the same ones every time."""

import os

from hypothesis import settings

settings.register_profile("judged", derandomize=True)
if os.environ.get("CI"):
    settings.load_profile("judged")
