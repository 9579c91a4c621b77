"""Together: processes that train side by side are as one with the whole batch. Real processes, real messages."""

import json
from pathlib import Path

import pytest
import torch

from side_by_side import part, refuses
from worldloom.errors import ConfigError
from worldloom.worldgen.gan.together import Together, all_of


@pytest.mark.slow
def test_gradients_are_averaged_and_the_first_ones_clock_counts(tmp_path: Path) -> None:
    all_of(2, part, str(tmp_path))
    one, other = (json.loads((tmp_path / f"{rank}.json").read_text()) for rank in (0, 1))
    assert one == other == {"grad": [[1.5] * 3] * 2, "agreed": 10.0}


@pytest.mark.slow
def test_what_is_wrong_with_the_settings_is_told_as_if_there_were_one_process() -> None:
    with pytest.raises(ConfigError, match=r"^expected land, got none for 2$"):
        all_of(2, refuses)


def test_alone_nothing_is_changed() -> None:
    net = torch.nn.Linear(2, 1)
    net(torch.ones(1, 2)).sum().backward()
    assert net.weight.grad is not None
    before = net.weight.grad.clone()
    Together().average(net.parameters())
    assert torch.equal(net.weight.grad, before)
    assert Together().agreed(3.5) == 3.5
