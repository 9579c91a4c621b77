"""Training: the generator against its critics, by the clock; can be stopped and resumed at any checkpoint.

Loss: relativistic pairing with R1 and R2 (Huang et al., "The GAN is dead; long live the GAN!", arXiv 2501.05441). One
pass of the critics serves both players: no critic looks at a batch's statistics, so each patch's gradient for the
generator is that for the critic times ``-(1 - s) / s``. First on patches of 64 pixels, then on 128 with two critics:
one on a random quarter of each patch, one on the whole at half the resolution.
"""

import copy
import json
import pickle
import time
import timeit
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt
import torch
from PIL import Image
from torch import Tensor
from torch.nn import functional as F

from worldloom.errors import ConfigError
from worldloom.worldgen.gan.conditions import FREE_N, MEASURES
from worldloom.worldgen.gan.critic import Critic, senses
from worldloom.worldgen.gan.dataset import DemTile, Windows, table_of
from worldloom.worldgen.gan.laws import Laws
from worldloom.worldgen.gan.model import HEIGHT_UNIT, LATENTS, PITCH, Generator, Interval, needs
from worldloom.worldgen.gan.sheets import shaded, side_by_side
from worldloom.worldgen.gan.together import Together
from worldloom.worldgen.gan.weights import write_model

__all__ = ["Options", "Report", "Training", "quickest"]

F32 = npt.NDArray[np.float32]
Net = TypeVar("Net", Generator, Critic)

_SMALL, _LARGE = 64, 128
_LAZY = 8
"""Penalties are taken every so many steps, and weigh as much more."""
_PATIENT = 4.0
"""Gap above which the laws wait."""
_CLIP_S = 1e-3
_WARM_UP = 200
"""Steps until the learning rate is what it is to be: until then the optimisers do not know how large gradients are."""
_SETTLED = 1 / 3
"""Nets of a run that has ended go on at the learning rate at which it ended, falling to this share of it."""
_TRIES = 5
_SHEET = 8
"""Windows in a row of the sheet."""
_STEEP = 0.7
"""Root mean square of slopes in its pictures."""
_DAMAGE = (OSError, EOFError, KeyError, TypeError, ValueError, RuntimeError, pickle.UnpicklingError)
"""What comes of reading a file that is no checkpoint, a damaged one or one of another net; no code of it runs."""


@dataclass(frozen=True, slots=True)
class Options:
    """What a run was asked for."""

    size: str = "S"
    minutes: float = 60.0
    small_share: float = 0.36
    """Share of the time that goes to the small patches."""
    tell: float = 1.0
    """Share of the time before scale and landform are told. Told earlier, a net comes apart into one for each kind."""
    batch: int = 16
    seed: int = 1
    device: str = "cpu"
    lr: tuple[float, float, float, float] = (5e-4, 3e-4, 3e-4, 6e-5)
    """At the beginning and the end of the small patches, and of the large ones."""
    gamma: tuple[float, float, float, float] = (5.0, 3.0, 10.0, 4.0)
    """Weight of the penalties, likewise."""
    held_out: tuple[str, ...] = ()
    """Tiles that are not in the data; goes on the model's card."""


@dataclass(frozen=True, slots=True)
class Report:
    """How the run stands, for the progress bar and the statistics."""

    step: int
    samples: int
    spent_s: float
    patch: int
    gap: float
    """Mean score of real over generated: 0 when the critics cannot tell."""
    penalty: float
    fill: float
    """Mean depth of generated hollows over relief, of late."""
    parity: float
    """How unlike even and odd lines of generated land are, of late."""

    def facts(self) -> dict[str, float]:
        """As a line of the statistics."""
        return {name: round(value, 6) for name, value in asdict(self).items()}


class Training:
    """One run.

    Args:
        small: Windows of 64 pixels, for the first part of the run.
        windows: Windows of 128, for the second.
        options: What is asked for.
        folder: Of the run: options, statistics, checkpoint.
        together: The processes that train it side by side, each on its own part of the batch.

    Raises:
        ConfigError: There is no such device.
    """

    def __init__(
        self,
        small: Windows,
        windows: Windows,
        options: Options,
        folder: Path,
        together: Together | None = None,
    ) -> None:
        self.small, self.windows, self.options, self.folder = small, windows, options, folder
        self.together = together or Together()
        if options.device == "cuda" and not torch.cuda.is_available():
            raise ConfigError("--device: expected a GPU that torch can use; got none. Use --device cpu")
        self.device = torch.device(options.device)
        self.floats = quickest(self.device)
        torch.manual_seed(options.seed)
        self.generator = self._placed(Generator(options.size))
        # Measures are standardised; weights of landforms are what they are: a rare one must not count for more.
        told = len(MEASURES)
        self._muted = list(range(MEASURES.index("grandeur"), windows.conditions.shape[1] - FREE_N))
        with torch.no_grad():
            self.generator.mean[:told] = torch.from_numpy(windows.conditions.mean(0)[:told])
            self.generator.spread[:told] = torch.from_numpy(windows.conditions.std(0)[:told].clip(1e-2))
        self.critics = [self._placed(Critic()), self._placed(Critic())]
        # They are told from the large patches on, and begin with no effect.
        for net in (self.generator, *self.critics):
            embed = net.embed
            assert isinstance(embed, torch.nn.Sequential)
            layer = embed[0]
            assert isinstance(layer, torch.nn.Linear)
            with torch.no_grad():
                layer.weight[:, self._muted] = 0.0
        self.average = copy.deepcopy(self.generator).eval().requires_grad_(False)
        self._players = torch.optim.Adam(self.generator.parameters(), options.lr[0], (0.0, 0.99))
        self._judges = [torch.optim.Adam(c.parameters(), options.lr[0], (0.0, 0.99)) for c in self.critics]
        self.step = self.samples = 0
        self.spent_s = 0.0
        self._large = False
        self._done = 0.0
        self._laws = Laws(windows)
        # All begin with the same weights, and each goes on with windows and latents of its own.
        torch.manual_seed(options.seed + 1000 * self.together.rank)
        self._rng = np.random.default_rng([options.seed, self.together.rank])

    def run(self, on_step: Callable[[Report], None], every_s: float = 60.0) -> None:
        """Train until the time is spent; a checkpoint at the end, and every ``every_s`` seconds.

        Args:
            on_step: Told after each step.
            every_s: Seconds between checkpoints.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        (self.folder / "options.json").write_text(json.dumps(asdict(self.options), indent=1) + "\n")
        saved = self.spent_s
        while (done := self.spent_s / (60 * self.options.minutes)) < 1.0:
            began = time.monotonic()
            report = self._step(done)
            self.spent_s = self.together.agreed(self.spent_s + time.monotonic() - began)
            on_step(report)
            if self.spent_s - saved >= every_s:
                saved = self.spent_s
                if not self.together.rank:
                    self._note(report)
                    self.save()
        if not self.together.rank:
            self.save()

    def save(self) -> None:
        """Write the checkpoint; whole or not at all."""
        state = {
            "generator": self.generator.state_dict(),
            "average": self.average.state_dict(),
            "critics": [critic.state_dict() for critic in self.critics],
            "players": self._players.state_dict(),
            "judges": [judge.state_dict() for judge in self._judges],
            "counts": [self.step, self.samples, int(self._large)],
            "spent_s": self.spent_s,
        }
        part = self.folder / "checkpoint.part"
        torch.save(state, part)
        part.replace(self.folder / "checkpoint.pt")

    def start(self, path: Path) -> None:
        """Begin with the nets of another run, its ``nets.pt``; if it had come to large patches, as it stood at its end.

        Raises:
            ConfigError: It holds none of this size.
        """
        self._load(path, False)
        if self._large:
            *lr, _, end = self.options.lr
            *gamma, _, last = self.options.gamma
            self.options = replace(
                self.options,
                small_share=0.0,
                lr=(lr[0], lr[1], end, end * _SETTLED),
                gamma=(gamma[0], gamma[1], last, last),
            )

    def _load(self, path: Path, all_of_it: bool) -> None:
        """Take over nets; with ``all_of_it`` also how the run stood."""
        try:
            state: dict[str, Any] = torch.load(path, self.device, weights_only=True)
            self.generator.load_state_dict(state["generator"])
            self.average.load_state_dict(state["average"])
            for critic, saved in zip(self.critics, state["critics"], strict=True):
                critic.load_state_dict(saved)
            step, samples, large = state["counts"]
            self._large = bool(large)
            if all_of_it:
                self._players.load_state_dict(state["players"])
                for judge, saved in zip(self._judges, state["judges"], strict=True):
                    judge.load_state_dict(saved)
                self.step, self.samples, self.spent_s = step, samples, float(state["spent_s"])
        except _DAMAGE as error:
            raise ConfigError(
                f"{path}: expected a checkpoint of size {self.options.size}; got: {error}"
            ) from None

    def publish(self, tiles: list[DemTile] | None = None) -> tuple[Path, str]:
        """Write the averaged weights as ``model.safetensors`` and all nets as ``nets.pt``; path and hash of the model.

        Args:
            tiles: Land of which its worlds are to be; by default what it was trained on.
        """
        tiles = self.windows.tiles if tiles is None else tiles
        card = {
            "options": json.dumps(asdict(self.options), sort_keys=True),
            "held_out": json.dumps(list(self.options.held_out)),
            "tiles": json.dumps([tile.name for tile in tiles]),
            "steps": str(self.step),
            "samples": str(self.samples),
        }
        nets = {
            "generator": _halved(self.generator),
            "average": _halved(self.average),
            "critics": [_halved(critic) for critic in self.critics],
            "counts": [self.step, self.samples, int(self._large)],
        }
        torch.save(nets, self.folder / "nets.pt")
        path = self.folder / "model.safetensors"
        return path, write_model(path, self.average, table_of(tiles), card)

    def _note(self, report: Report) -> None:
        """A line of statistics, and a sheet of the same places as ever."""
        with (self.folder / "stats.jsonl").open("a") as lines:
            lines.write(json.dumps(report.facts()) + "\n")
        self._sheet().save(self.folder / f"sheet_{int(self.spent_s / 60):05d}.png")

    @torch.no_grad()
    def _sheet(self) -> Image.Image:
        """Real windows, and below each what the generator makes on the same conditions from latents that stay."""
        picks = np.linspace(0, len(self.windows) - 1, 2 * _SHEET).astype(int)
        real = np.stack([self.windows.heights(int(k)) for k in picks])
        conditions = torch.from_numpy(self.windows.conditions[picks])
        free = np.random.default_rng(0).normal(size=(len(picks), FREE_N))
        conditions[:, -FREE_N:] = torch.from_numpy(free.astype(np.float32))
        with torch.random.fork_rng([]):
            torch.manual_seed(0)
            latents, noises = draw_noise(len(picks), (0, _LARGE), (0, _LARGE), torch.device("cpu"))
        average = self.average.cpu()
        films = average.films(conditions, conditions)
        height = average(latents, noises, films, (0, _LARGE), (0, _LARGE))[:, 0]
        self.average.to(self.device)
        fake = (height * (HEIGHT_UNIT * conditions[:, 0].exp())[:, None, None]).numpy()
        # Each as steep to the eye as any other: in a plain beside mountains nothing would be seen.
        light = (_STEEP / conditions[:, 0].exp()).tolist()
        pictures = [
            [shaded(one, 1.0, by) for one, by in zip(many, light, strict=True)] for many in (real, fake)
        ]
        rows = [one[half * _SHEET : (half + 1) * _SHEET] for half in (0, 1) for one in pictures]
        return side_by_side(rows)

    def resume(self) -> None:
        """Go on where the checkpoint of the folder stands.

        Raises:
            ConfigError: It is none of this size.
        """
        self._load(self.folder / "checkpoint.pt", True)

    def _step(self, done: float) -> Report:
        self._done, share = done, self.options.small_share
        large = done >= share
        if large and not self._large:
            self.critics[1].load_state_dict(self.critics[0].state_dict())
            self._judges[1].load_state_dict(self._judges[0].state_dict())
            self._large = True
        part = (done - share) / (1 - share) if large else done / share
        first = 2 if large else 0
        lr, gamma = (
            _between(self.options.lr[first : first + 2], part),
            _between(self.options.gamma[first : first + 2], part),
        )
        for optimiser in (self._players, *self._judges):
            for group in optimiser.param_groups:
                group["lr"] = lr * min(1.0, (self.step + 1) / _WARM_UP)
        side = _LARGE if large else _SMALL
        real, slope, conditions = self._real(side)
        fake, phase = self._fake(conditions, side)
        grad, gap, penalty = self._judge(real, fake.detach(), slope, conditions, gamma, large)
        # While critics can tell at a glance, what they teach comes first.
        if large and gap < _PATIENT:
            grad += self._laws.pull(fake.detach(), grad, phase)
        self._players.zero_grad(set_to_none=True)
        fake.backward(grad)
        self.together.average(self.generator.parameters())
        self._players.step()
        self._follow(0.999 if large else 0.998)
        self.step += 1
        self.samples += len(real) * self.together.count
        return Report(
            self.step, self.samples, self.spent_s, side, gap, penalty, self._laws.fill, self._laws.parity
        )

    def _real(self, side: int) -> tuple[Tensor, Tensor, Tensor]:
        """Heights ``[B, 1, side, side]`` in the generator's unit, rms slopes ``[B]``, raw conditions ``[B, C]``."""
        windows = self.windows if side == _LARGE else self.small
        picks = self._rng.integers(len(windows), size=self.options.batch)
        crops = [_turned(windows.heights(int(k)), int(self._rng.integers(8))) for k in picks]
        conditions = torch.from_numpy(windows.conditions[picks]).to(self.device)
        # No critic may know the exact unit of heights: what is commanded wobbles a little.
        conditions[:, 0] += 0.1 * torch.randn(len(conditions), device=self.device)
        slope = conditions[:, 0].exp()
        conditions[:, -FREE_N:] = torch.randn(len(conditions), FREE_N, device=self.device)
        if self._done < self.options.tell:
            conditions[:, self._muted] = self.generator.mean[self._muted]
        u = torch.from_numpy(np.stack(crops))[:, None].to(self.device)
        u = u - u.mean((2, 3), keepdim=True)
        return u / (HEIGHT_UNIT * slope)[:, None, None, None], slope, conditions

    def _fake(self, conditions: Tensor, side: int) -> tuple[Tensor, tuple[int, int]]:
        """Generated heights, and which row and column of the net's own grid their first is."""
        count = len(conditions)
        down, across = (int(k) for k in self._rng.integers(0, PITCH, 2))
        rows, columns = (down, down + side), (across, across + side)
        latents, noises = draw_noise(count, rows, columns, self.device)
        with self._short():
            height: Tensor = self.generator(
                self._laid(latents),
                [self._laid(noise) for noise in noises],
                self.generator.films(conditions, conditions),
                rows,
                columns,
            )
        return height, (down, across)

    def _judge(
        self,
        real: Tensor,
        fake: Tensor,
        slope: Tensor,
        conditions: Tensor,
        gamma: float,
        large: bool,
    ) -> tuple[Tensor, float, float]:
        """Let the critics learn; the gradient of the generator's loss for each generated pixel."""
        told = self.generator.standard(conditions)
        told[:, -FREE_N:] = 0.0
        told = torch.cat((told, told))
        felt = fake.requires_grad_()
        gap = penalty = 0.0
        views = self._views() if large else [_whole]
        lazy = self.step % _LAZY == 0
        for critic, judge, view in zip(self.critics, self._judges, views, strict=False):
            sensed = senses(view(felt), slope)
            shown = [
                senses(view(real), slope).requires_grad_(lazy),
                sensed.detach().requires_grad_(),
            ]
            with self._short():
                true, false = critic(torch.cat(shown), told).float().chunk(2)
            loss = F.softplus(false - true).mean()
            judge.zero_grad(set_to_none=True)
            if lazy:
                toward = torch.autograd.grad(loss, shown[1], retain_graph=True)[0]
                steep = torch.autograd.grad(true.sum() + false.sum(), shown, create_graph=True)
                size = steep[0].square().sum((1, 2, 3)).mean() + steep[1].square().sum((1, 2, 3)).mean()
                loss = loss + gamma / 2 * _LAZY * size
                penalty += float(size.detach())
            loss.backward()
            self.together.average(critic.parameters())
            judge.step()
            if not lazy:
                assert shown[1].grad is not None
                toward = shown[1].grad
            s = torch.sigmoid((false - true).detach()).clamp_min(_CLIP_S)
            sensed.backward(toward * (-(1 - s) / s)[:, None, None, None])
            gap += float((true - false).mean().detach())
        assert felt.grad is not None
        return felt.grad, gap / len(views), penalty / len(views)

    def _views(self) -> list[Callable[[Tensor], Tensor]]:
        """A random quarter at full resolution; the whole at half."""
        row, column = (int(k) for k in self._rng.integers(0, _LARGE - _SMALL + 1, 2))
        return [
            lambda x: x[:, :, row : row + _SMALL, column : column + _SMALL],
            lambda x: F.avg_pool2d(x, 2) / 2,
        ]

    def _placed(self, net: Net) -> Net:
        return net.to(self.device).to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    def _laid(self, x: Tensor) -> Tensor:
        return x.to(self.floats, memory_format=torch.channels_last)

    def _short(self) -> torch.autocast:
        """Convolutions in the numbers that are the quickest here."""
        return torch.autocast(self.device.type, torch.bfloat16, enabled=self.floats is torch.bfloat16)

    @torch.no_grad()
    def _follow(self, decay: float) -> None:
        for mine, theirs in zip(self.average.parameters(), self.generator.parameters(), strict=True):
            mine.lerp_(theirs, 1 - decay)
        self.average.mean.copy_(self.generator.mean)
        self.average.spread.copy_(self.generator.spread)


def draw_noise(
    count: int, rows: Interval, columns: Interval, device: torch.device
) -> tuple[Tensor, list[Tensor]]:
    """Random latents and noises for an interval of pixels, of the same distribution as the hashed ones."""
    plans = list(zip(needs(*rows), needs(*columns), strict=True))
    sizes = [(down.takes[1] - down.takes[0], across.takes[1] - across.takes[0]) for down, across in plans]

    def draw(channels: int, size: tuple[int, int]) -> Tensor:
        return (torch.rand(count, channels, *size, device=device) - 0.5) * 12**0.5

    return draw(LATENTS, sizes[0]), [draw(2, size) for size in sizes]


def quickest(device: torch.device) -> torch.dtype:
    """float32, or bfloat16 where convolutions are faster in it.

    With matrix units they are two to four times as fast; a processor that has no bfloat16 takes ten times as long.
    """
    if device.type != "cpu":
        return torch.bfloat16
    return min((torch.float32, torch.bfloat16), key=_convolution_s)


@torch.no_grad()
def _convolution_s(floats: torch.dtype) -> float:
    """How long a convolution takes, seconds; the best of a few."""
    x, weight = (
        torch.zeros(shape, dtype=floats).to(memory_format=torch.channels_last)
        for shape in ((4, 64, 32, 32), (64, 64, 3, 3))
    )
    return min(timeit.repeat(lambda: F.conv2d(x, weight), number=1, repeat=_TRIES))


def _halved(net: torch.nn.Module) -> dict[str, Tensor]:
    return {name: value.half() for name, value in net.state_dict().items()}


def _whole(x: Tensor) -> Tensor:
    return x


def _between(ends: tuple[float, ...], part: float) -> float:
    """From the first to the last, by a constant factor."""
    return float(ends[0] * (ends[-1] / ends[0]) ** min(max(part, 0.0), 1.0))


def _turned(patch: F32, way: int) -> F32:
    """One of the eight symmetries of a square."""
    patch = np.rot90(patch, way % 4)
    return np.ascontiguousarray(patch[:, ::-1] if way >= 4 else patch)
