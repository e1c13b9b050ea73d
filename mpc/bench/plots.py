"""Pictures of results, as PNG and SVG: time against size, time against latency, bytes and rounds."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from itertools import cycle
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mpc.bench.labels import OPTIONS, differing, in_common, label
from mpc.bench.results import Measured
from mpc.bench.workloads import count_text
from mpc.errors import PackageError, ResultsError
from mpc.network import Network
from mpc.progress import size_text

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# Okabe and Ito's colours, which the colour-blind tell apart; markers and lines differ too, so that none depends on colour alone.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
_MARKERS, _LINES = ("o", "s", "^", "D", "v"), ("-", "--", ":")
_GREY = "#555555"
_STYLE: Any = {
    "font.size": 11, "axes.titlesize": 12, "axes.grid": True, "grid.alpha": 0.3, "axes.spines.top": False,
    "axes.spines.right": False, "svg.hashsalt": "mpc", "svg.fonttype": "none", "legend.frameon": False,
}  # fmt: skip

_Lines = dict[str, list[tuple[float, Measured]]]
_NETWORK = next(option for option in OPTIONS if option.name == "network")


def draw(measured: Sequence[Measured], folder: Path) -> list[Path]:
    """The pictures for which there is material, in this folder. PackageError without matplotlib."""
    check_installed()
    import matplotlib

    written = []
    with matplotlib.rc_context(_STYLE):
        for name, figure in _figures(measured):
            written += _save(figure, folder / name)
    return written


def check_installed() -> None:
    """PackageError without matplotlib."""
    try:
        import matplotlib  # noqa: F401
    except ImportError as error:
        raise PackageError('pictures need matplotlib: pip install "mpc[plot]"') from error


def _save(figure: Figure, path: Path) -> list[Path]:
    paths = [path.with_suffix(suffix) for suffix in (".png", ".svg")]
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        for each in paths:
            dates = {"Date": None} if each.suffix == ".svg" else {}  # the same results make the same file
            figure.savefig(each, dpi=150, bbox_inches="tight", metadata=dates)
    except OSError as error:
        raise ResultsError(f"{path.parent}: pictures cannot be written: {error.strerror}; choose another folder") from None
    return paths


def _figures(measured: Sequence[Measured]) -> Iterator[tuple[str, Figure]]:
    by_unit: dict[str, _Lines] = {}
    for each in measured:
        if each.size is not None:
            lines = by_unit.setdefault(each.unit, {})
            lines.setdefault(_label(each.name, each, measured), []).append((each.size, each))
    by_unit = {unit: long for unit, lines in by_unit.items() if (long := _long(lines))}
    if by_unit:
        yield "time-by-size", _by_size(by_unit, in_common(measured))
    if by_latency := _long(_lines_by_latency(measured)):
        yield "time-by-latency", _by_latency(by_latency, in_common(measured))
    if measured:
        yield "traffic", _traffic(measured)


def _lines_by_latency(measured: Sequence[Measured]) -> _Lines:
    """Of each title, a line for each of the dealer's links; for each bandwidth too, where networks have the same latency."""
    by_dealer: dict[str, list[tuple[Network, Measured]]] = {}
    for each in measured:
        links, name = Network.parse(each.configuration.network), _label(each.title, each, measured, _NETWORK.name)
        name += f", dealer {links.dealer.name}" if links.dealer else ""
        by_dealer.setdefault(name, []).append((links, each))
    lines: _Lines = {}
    for name, rows in by_dealer.items():
        repeated = len({each.latency for _, each in rows}) < len({links for links, _ in rows})
        for links, each in rows:
            line = f"{name}, {_bandwidth_text(links.bandwidth)}" if repeated else name
            lines.setdefault(line, []).append((each.latency * 1000, each))
    return lines


def _bandwidth_text(bandwidth: float) -> str:
    return f"{bandwidth * 8 / 1e6:g} Mbit/s" if math.isfinite(bandwidth) else "any bandwidth"


def _label(name: str, each: Measured, measured: Sequence[Measured], but: str = "") -> str:
    text = label(name, each, [option for option in differing(measured) if option.name != but])
    return text.replace("$", r"\$")  # it would begin a formula


def _long(lines: _Lines) -> _Lines:
    """Those lines that have two points, in order."""
    return {name: sorted(points, key=lambda p: p[0]) for name, points in lines.items() if len({x for x, _ in points}) > 1}


def _by_size(by_unit: dict[str, _Lines], title: str) -> Figure:
    figure, panels = _panels(len(by_unit))
    for axes, (unit, lines) in zip(panels, by_unit.items(), strict=True):
        _draw_lines(axes, lines)
        axes.set(xscale="log", xlabel=f"size: {unit}")
        sizes = sorted({size for points in lines.values() for size, _ in points})
        axes.set_xticks(sizes, [count_text(int(size)) for size in sizes], rotation=30 if len(sizes) > 5 else 0)
        axes.set_xticks([], minor=True)
        axes.legend(loc="upper left", bbox_to_anchor=(0, -0.16))
    panels[0].set_title(title, loc="left")
    return figure


def _by_latency(lines: _Lines, title: str) -> Figure:
    figure, (axes,) = _panels(1, width=8.5)
    _draw_lines(axes, lines)
    axes.set_xlabel("latency of a link, one way: milliseconds")
    axes.set_title(title, loc="left")
    axes.legend(loc="upper left", bbox_to_anchor=(1.01, 1.02))
    return figure


def _draw_lines(axes: Axes, lines: _Lines) -> None:
    """Each a colour, a marker and a line of its own; medians, with bars from the least to the most."""
    from matplotlib.ticker import LogLocator, MaxNLocator, NullLocator

    looks = zip(cycle(COLOURS), cycle(_MARKERS), cycle(_LINES))
    for (name, points), (colour, marker, line) in zip(lines.items(), looks, strict=False):
        medians = [each.median for _, each in points]
        below = [each.median - min(each.seconds) for _, each in points]
        above = [max(each.seconds) - each.median for _, each in points]
        axes.errorbar(
            [x for x, _ in points], medians, yerr=(below, above), label=name,
            color=colour, marker=marker, linestyle=line, markersize=5, capsize=3, linewidth=1.5,
        )  # fmt: skip
    axes.set(yscale="log", ylabel="seconds: median, min to max")
    low, high = axes.get_ylim()  # a narrow range has several ticks too
    axes.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)) if high > 5 * low else MaxNLocator(5, steps=(1, 2, 5, 10)))
    axes.yaxis.set_minor_locator(NullLocator())
    axes.yaxis.set_major_formatter("{x:g}")


def _traffic(measured: Sequence[Measured]) -> Figure:
    """Bars. Networks that do not change what is sent have one bar together."""
    bars: dict[tuple[str, int, int, int], Measured] = {}
    for each in measured:
        one = each.repetitions[-1]
        name = _label(each.title, each, measured, _NETWORK.name)
        bars.setdefault((name, one.rounds, one.bytes_sent, one.bytes_dealt), each)
    rows = list(bars)[::-1]  # the first one on top
    names = [name for name, *_ in rows]
    repeated = [names.count(name) > 1 for name in names]
    ticks = [label(n, bars[row], [_NETWORK]) if again else n for n, row, again in zip(names, rows, repeated, strict=True)]
    figure, (traffic, rounds) = _panels(2, 0.42 * len(rows) + 1.5, sharey=True)
    _bars(traffic, [row[2] for row in rows], 0.2, COLOURS[0], "sent by a party", size_text)
    if any(row[3] for row in rows):
        _bars(traffic, [row[3] for row in rows], -0.2, COLOURS[4], "sent by the dealer", size_text, hatch="///")
    _bars(rounds, [row[1] for row in rows], 0, COLOURS[2], "rounds", "{:,}".format, height=0.6)
    traffic.set(xlabel="bytes", yticks=range(len(rows)), yticklabels=ticks, ylim=(-0.7, len(rows) - 0.3))
    traffic.legend(loc="lower left", bbox_to_anchor=(0, 1.0), ncols=2)
    rounds.set(xlabel="rounds")
    _leave_room(traffic, [count for row in rows for count in row[2:]])
    _leave_room(rounds, [row[1] for row in rows])
    return figure


def _bars(
    axes: Axes, values: Sequence[int], shift: float, colour: str, name: str, text: Callable[[int], str], height: float = 0.38,
    **look: Any,
) -> None:  # fmt: skip
    places = [place + shift for place in range(len(values))]
    bars = axes.barh(places, values, height, color=colour, edgecolor="white", label=name, **look)
    axes.bar_label(bars, [text(value) if value else "" for value in values], padding=3, color=_GREY, fontsize=8.5)
    axes.set_xscale("log")
    axes.grid(axis="y", visible=False)
    axes.set_axisbelow(True)
    axes.xaxis.set_major_formatter(lambda value, _: text(round(value)).replace(".00", "").replace(".0 ", " "))
    axes.set_xticks([], minor=True)


def _leave_room(axes: Axes, values: Sequence[int]) -> None:
    """For the numbers beside the bars, and for the shortest bar."""
    if found := [value for value in values if value]:
        axes.set_xlim(min(found) / 2, max(found) * 8)


def _panels(count: int, height: float = 4.8, width: float = 6.2, sharey: bool = False) -> tuple[Figure, Any]:
    """A figure with so many panels beside each other; without pyplot, which would keep it."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width * count, height), layout="constrained")
    FigureCanvasAgg(figure)
    return figure, figure.subplots(1, count, squeeze=False, sharey=sharey)[0]
