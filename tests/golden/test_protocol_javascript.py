"""The JavaScript client speaks what the message classes say."""

from pathlib import Path

from worldloom_sdk.protocol import javascript

KEPT = Path(__file__).parents[2] / "client_sdk" / "js" / "src" / "protocol.generated.js"
MADE_BY = "python -m worldloom_sdk.protocol.javascript > client_sdk/js/src/protocol.generated.js"


def test_the_module_in_the_folder_is_the_one_that_the_classes_make():
    assert KEPT.read_text(encoding="utf-8") == javascript.module(), f"made anew by: {MADE_BY}"
    assert MADE_BY in javascript.module()


def test_no_line_of_it_is_too_long():
    assert [line for line in javascript.module().splitlines() if len(line) > 120] == []
