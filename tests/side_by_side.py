"""What processes that train side by side do in tests; here, for a new process has to find it by its name."""

import json
from pathlib import Path

import torch

from worldloom.errors import ConfigError
from worldloom.worldgen.gan.together import joined


def part(rank: int, count: int, meeting: Path, folder: str) -> None:
    """What one of the processes does: a gradient of its own, averaged with the others'; a clock of its own, agreed."""
    together = joined(rank, count, meeting)
    net = torch.nn.Linear(3, 2)
    with torch.no_grad():
        net.weight.fill_(1.0)
    (net(torch.full((4, 3), float(rank + 1))).sum() / 4).backward()
    together.average(net.parameters())
    assert net.weight.grad is not None
    told = {"grad": net.weight.grad.tolist(), "agreed": together.agreed(10.0 * (rank + 1))}
    (Path(folder) / f"{rank}.json").write_text(json.dumps(told))


def refuses(rank: int, count: int, meeting: Path) -> None:
    raise ConfigError(f"expected land, got none for {count}")
