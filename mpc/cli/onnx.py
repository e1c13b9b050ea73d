"""mpc onnx check MODEL: can it be imported, and what would it cost?"""

from __future__ import annotations

import math
import sys
from collections import Counter
from typing import TYPE_CHECKING, Any

import click
import numpy as np

from mpc.errors import Error, OptionError
from mpc.network import LAN, WAN, Network
from mpc.party import Cost
from mpc.progress import size_text

if TYPE_CHECKING:
    from mpc.onnx.graph import Graph, Value
    from mpc.session import Party


LINKS = {"lan": LAN, "wan": WAN}


def online(link: Network, cost: Cost) -> float:
    """Seconds of computing, of a message's way for each round, and of the bytes sent. Nothing overlaps."""
    return cost.own_seconds + link.seconds(cost.rounds, cost.bytes_sent + cost.header_bytes)


def with_dealing(link: Network, cost: Cost) -> float:
    """And of what the dealer sends, over a link like the others."""
    return online(link, cost) + link.seconds(0, cost.offline_bytes)


@click.group()
def onnx() -> None:
    """ONNX models on secret tensors."""


@onnx.command()
@click.argument("model", type=click.Path(exists=True, dir_okay=False))
@click.option("--batch", default=1, show_default=True, help="The size of a first axis that the file leaves open.")
@click.option("--shape", "shapes", multiple=True, metavar="NAME=N,N,...", help="The shape of an input; may be repeated.")
@click.option("-n", "--parties", default=2, show_default=True, help="How many parties.")
@click.option("--secret", multiple=True, help="A constant that is to be secret; may be repeated.")
@click.option("--public", multiple=True, help="A constant that is to be public; may be repeated.")
def check(
    model: str, batch: int, shapes: tuple[str, ...], parties: int, secret: tuple[str, ...], public: tuple[str, ...]
) -> None:
    """Show which operators of MODEL are supported, and the rounds, bytes and seconds that it would take.

    For the costs it runs, with its weights and made-up inputs, in threads of this process. Inputs of floats are taken as secret.
    """
    try:
        from mpc.onnx.checking import likely_secret
        from mpc.onnx.loading import prepared

        graph, _ = prepared(model, secret, public)
        fine = _show_operators(graph)
        _show_architecture(graph)
        if not fine:
            sys.exit(1)
        inputs = _inputs(graph, batch, _given(shapes))
        hidden = likely_secret(graph) or list(inputs)  # a model of integers alone: they are the data
        costs = {network: _costs(model, inputs, hidden, parties, network, secret, public) for network in LINKS}
    except Error as error:
        click.echo(f"mpc: {error}", err=True)
        sys.exit(1)
    _show_costs(costs, {name: array.shape for name, array in inputs.items()}, parties)


# ---------------------------------------------------------------------------------------- inputs


def _given(shapes: tuple[str, ...]) -> dict[str, tuple[int, ...]]:
    found = {}
    for text in shapes:
        name, equals, sizes = text.rpartition("=")
        try:
            if not equals:
                raise ValueError
            found[name] = tuple(int(n) for n in sizes.split(",") if n)
        except ValueError:
            raise OptionError(f"--shape {text}: give the input's name and its sizes, as in --shape x=1,3,224,224") from None
    return found


def _inputs(graph: Graph, batch: int, given: dict[str, tuple[int, ...]]) -> dict[str, Any]:
    """Made-up inputs by name."""
    unknown = given.keys() - {value.name for value in graph.inputs}
    if unknown:
        names = ", ".join(value.name for value in graph.inputs)
        raise OptionError(f"--shape: the model has no input {', '.join(sorted(unknown))}; it has {names}")
    rng = np.random.default_rng(0)
    return {value.name: _made_up(value, _sizes(value, batch, given.get(value.name)), rng) for value in graph.inputs}


def _sizes(value: Value, batch: int, given: tuple[int, ...] | None) -> tuple[int, ...]:
    if given is not None:
        return given
    sizes = [batch if k == 0 and not isinstance(n, int) else n for k, n in enumerate(value.shape or ())]
    if value.shape is None or not all(isinstance(n, int) for n in sizes):
        declared = None if value.shape is None else ", ".join("?" if n is None else str(n) for n in value.shape)
        raise OptionError(
            f"the file leaves sizes of the input '{value.name}' open: ({declared or 'no shape'}). "
            f"Give them, as in --shape {value.name}=1,128"
        )
    return tuple(int(n) for n in sizes if isinstance(n, int))


def _made_up(value: Value, shape: tuple[int, ...], rng: Any) -> Any:
    """Numbers of about 1; zeros for integers, which are valid indices."""
    return rng.normal(size=shape).astype(value.dtype) if value.dtype.kind == "f" else np.zeros(shape, value.dtype)


# ---------------------------------------------------------------------------------------- costs


def _costs(
    model: str, inputs: dict[str, Any], hidden: list[str], parties: int, network: str, secret: Any, public: Any
) -> dict[str, Cost]:
    """The most that any party pays for loading, for the first call and for a later one; after a first time, which compiles."""
    from mpc.launch.job import Job
    from mpc.launch.simulate import simulate_job
    from mpc.onnx import load

    def program(party: Party) -> dict[str, Cost]:
        owner = party.size - 1
        costs = {}
        for _ in range(2):
            with party.measure() as costs["loading"]:
                loaded = load(party, model if party.index == owner else None, owner, secret, public)
            values = {name: party.input(array, owner=0) if name in hidden else array for name, array in inputs.items()}
            for name in ("first call", "later call"):
                with party.measure() as costs[name]:
                    loaded(**values)
        return costs

    job = Job(program, parties=parties, network=network)
    found = [costs for costs, _ in simulate_job(job, emulate=False)[:parties]]
    return {name: _most([costs[name] for costs in found]) for name in found[0]}


def _most(costs: list[Cost]) -> Cost:
    """The largest of each figure; seconds are those of computing alone."""
    names = ("rounds", "bytes_sent", "bytes_received", "header_bytes", "offline_bytes")
    figures = {name: max(getattr(cost, name) for cost in costs) for name in names}
    return Cost(**figures, seconds=max(cost.own_seconds for cost in costs))


# ---------------------------------------------------------------------------------------- tables


def _table(*columns: str) -> Any:
    from rich.table import Table  # its import would slow every other command down

    table = Table(box=None, pad_edge=False)
    for column in columns:
        table.add_column(column, justify="right" if column in _NUMBERS else "left")
    return table


_NUMBERS = ("nodes", "rounds", "sent", "from dealer", "computing", "online", "with dealing")


def _print(*lines: Any) -> None:
    from rich.console import Console

    console = Console(highlight=False)
    for line in lines:
        console.print(line, markup=False) if isinstance(line, str) else console.print(line)


def _show_operators(graph: Graph) -> bool:
    """The operators and whether they are supported; whether all of them are."""
    from mpc.onnx.checking import likely_secret, problems

    found = problems(graph, likely_secret(graph))
    bad = {problem.node.op for problem in found}
    table = _table("operator", "nodes", "")
    for op, count in sorted(Counter(node.op for node in graph.nodes).items()):
        table.add_row(op, str(count), "not supported" if op in bad else "supported")
    _print(table)
    if found:
        _print("", *(f"- {problem}" for problem in found))
    return not found


def _show_architecture(graph: Graph) -> None:
    count = sum(math.prod(n for n in value.shape or () if isinstance(n, int)) for value in graph.weights)
    weights = f"{len(graph.weights)} secret weights with {count} numbers"
    _print(f"\nopset {graph.opset}; {weights}; public constants: {len(graph.constants)}")


def _show_costs(costs: dict[str, dict[str, Cost]], shapes: dict[str, tuple[int, ...]], parties: int) -> None:
    given = ", ".join(f"{name} {shape}" for name, shape in shapes.items())
    table = _table("predicted", "link", "rounds", "sent", "from dealer", "computing", "online", "with dealing")
    for network, link in LINKS.items():
        for name, cost in costs[network].items():
            sizes = (size_text(cost.bytes_sent + cost.header_bytes), size_text(cost.offline_bytes))
            seconds = (cost.own_seconds, online(link, cost), with_dealing(link, cost))
            table.add_row(name, network, str(cost.rounds), *sizes, *(f"{value:.3f}" for value in seconds))
    _print(f"\nfor the inputs {given}, {parties} parties, additive sharing; a party's share:", table)
    _print(
        "", *(f"{name}: {1000 * link.latency:g} ms one way, {8 * link.bandwidth / 1e6:g} Mbit/s" for name, link in LINKS.items())
    )
    _print("seconds online: computing (measured here, in threads) + rounds * one way + bytes / bandwidth")
