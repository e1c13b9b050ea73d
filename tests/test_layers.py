"""Imports run one way: each room of mpc may use only the rooms before it, and mpc never uses protocols."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
ROOMS = [
    ["errors", "files", "ring"],
    ["fixed", "randomness", "network"],
    ["transport", "cluster", "share_files", "plan"],
    ["party"],
    ["contract"],
    ["tensor"],
    ["functions", "progress"],
    ["checkpoints"],
    ["session"],
    ["nn"],
    ["onnx", "learn"],
    ["offline"],
    ["launch"],
    ["serve"],
    ["dry"],
    ["cost"],
    ["bench"],
    ["testing"],
    ["cli"],
]
RANK = {room: rank for rank, rooms in enumerate(ROOMS) for room in rooms}
FOR_PROTOCOLS = {"errors", "ring", "randomness", "transport", "plan", "party", "contract"}


def imports(path):
    """(module, names) of every import in a file, wherever it stands."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from ((alias.name, []) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            yield node.module, [alias.name for alias in node.names]


def rooms_used(path):
    """The rooms of mpc that a file imports from."""
    for module, names in imports(path):
        if module == "mpc":
            yield from (name for name in names or ["the package root"])
        elif module.startswith("mpc."):
            yield module.split(".")[1]


FILES = sorted(p for p in (ROOT / "mpc").rglob("*.py") if p.parent != ROOT / "mpc" or p.stem in RANK)


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(ROOT)))
def test_a_room_uses_only_rooms_before_it(path):
    own = path.relative_to(ROOT / "mpc").parts[0].removesuffix(".py")
    for room in rooms_used(path):
        if room == "__version__" or (own in ("testing", "cli") and room == "the package root"):
            continue
        assert room in RANK, f"{path.name} imports {room}"
        assert room == own or RANK[room] < RANK[own], f"{path.relative_to(ROOT)} (room {own}) imports the later room {room}"


@pytest.mark.parametrize("path", sorted((ROOT / "mpc").rglob("*.py")), ids=lambda p: str(p.relative_to(ROOT)))
def test_mpc_never_imports_protocols(path):
    assert not [module for module, _ in imports(path) if module.split(".")[0] == "protocols"]


@pytest.mark.parametrize("path", sorted((ROOT / "protocols").rglob("*.py")), ids=lambda p: str(p.relative_to(ROOT)))
def test_a_protocol_uses_the_contract_and_what_is_below(path):
    own = path.relative_to(ROOT / "protocols").parts[0]
    assert set(rooms_used(path)) <= FOR_PROTOCOLS
    others = [m for m, _ in imports(path) if m.startswith("protocols.") and m.split(".")[1] not in (own, "common")]
    assert not others, f"{path.name} imports another protocol: {others}"


def module_graph():
    """Module -> modules it imports; `from package import module` counts as the module, not as the package's face."""
    files = (ROOT / "mpc").rglob("*.py")
    paths = {".".join(p.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): p for p in files}
    graph = {}
    for name, path in paths.items():
        graph[name] = set()
        for module, names in imports(path):
            inside = {f"{module}.{n}" for n in names} & paths.keys()
            graph[name] |= inside | ({module} & paths.keys() if len(inside) < len(names) or not names else set())
    return graph


def test_modules_have_no_cycle():
    graph, done = module_graph(), set()

    def visit(name, path_so_far):
        assert name not in path_so_far, f"cycle: {' -> '.join([*path_so_far, name])}"
        if name not in done:
            for other in sorted(graph[name]):
                visit(other, [*path_so_far, name])
            done.add(name)

    for name in graph:
        visit(name, [])
