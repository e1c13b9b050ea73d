"""The list of admitted programs: what runs are the bytes that were hashed."""

import hashlib
import sys

import pytest

from mpc.errors import JobRefused, OptionError, ServiceError
from mpc.launch.program import PROGRAM_MODULE
from mpc.serve.programs import AdmittedProgram, Programs

GOOD = "def main(party, *args):\n    return 'good', args\n"


@pytest.fixture
def listed(tmp_path):
    """A list with one program, as read."""

    def write(source=GOOD, **values):
        path = tmp_path / "risk.py"
        path.write_text(source)
        entry = {"name": "risk", "file": "risk.py", "sha256": hashlib.sha256(path.read_bytes()).hexdigest(), **values}
        text = "[[program]]\n" + "".join(f"{key} = {value!r}\n" for key, value in entry.items())
        (tmp_path / "programs.toml").write_text(text)
        return Programs.load(tmp_path / "programs.toml")

    yield write
    sys.modules.pop(PROGRAM_MODULE, None)


def test_an_entry_gives_the_program_and_its_arguments(listed):
    programs = listed(args=["x", "1"])
    entry = programs.named("risk")
    program = entry.read()
    assert entry.args == ("x", "1") and program.digest == entry.digest
    assert programs.with_digest(entry.digest) is entry and programs.with_digest("0" * 64) is None
    assert program.load()(None, "y") == ("good", ("y",))


def test_what_runs_was_hashed_whatever_becomes_of_the_file(listed, tmp_path):
    program = listed().named("risk").read()
    (tmp_path / "risk.py").write_text(GOOD.replace("good", "evil"))
    assert program.load()(None) == ("good", ())
    (tmp_path / "risk.py").unlink()
    assert program.load()(None) == ("good", ())
    assert not list(tmp_path.glob("__pycache__/*"))


def test_compiled_files_beside_it_are_not_run(listed, tmp_path):
    import py_compile

    listed(GOOD.replace("good", "evil"))
    py_compile.compile(str(tmp_path / "risk.py"), invalidation_mode=py_compile.PycInvalidationMode.UNCHECKED_HASH)
    assert listed().named("risk").read().load()(None) == ("good", ())


def test_modules_beside_a_program_are_not_found(listed, tmp_path):
    (tmp_path / "unlisted_helper.py").write_text("")
    with pytest.raises(ModuleNotFoundError):
        listed("import unlisted_helper\n" + GOOD).named("risk").read().load()


def test_a_program_that_changed_is_refused_with_both_digests(listed, tmp_path):
    entry = listed().named("risk")
    (tmp_path / "risk.py").write_text(GOOD + "\n")
    with pytest.raises(JobRefused, match=f"(?s){hashlib.sha256((GOOD + chr(10)).encode()).hexdigest()}.*{entry.digest}"):
        entry.read()
    (tmp_path / "risk.py").unlink()
    with pytest.raises(JobRefused, match="cannot be read"):
        entry.read()


def test_a_program_without_main_is_named(tmp_path):
    with pytest.raises(OptionError, match="no function main"):
        AdmittedProgram(str(tmp_path / "x.py"), b"y = 1").load()


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"sha256": "0" * 63}, "64 digits"),
        ({"sha256": "A" * 64}, "64 digits"),
        ({"args": [1]}, "list of texts"),
        ({"args": "x"}, "list of texts"),
        ({"name": "a b"}, "name"),
        ({"digest": "x"}, "'digest' is not known"),
        ({"file": 3}, "must be a text"),
    ],
)
def test_a_wrong_entry_is_refused_with_its_place(listed, values, said):
    with pytest.raises(ServiceError, match=rf"programs\.toml: \[\[program\]\] 1 of 1.*{said}"):
        listed(**values)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", r"0 tables \[\[program\]\]"),
        ("x = ", "not valid TOML"),
        ("[program]\n", "two brackets"),
        ("y = 1\n", "'y' is not known"),
    ],
)
def test_a_wrong_list_is_refused(tmp_path, text, said):
    (tmp_path / "programs.toml").write_text(text)
    with pytest.raises(ServiceError, match=said):
        Programs.load(tmp_path / "programs.toml")


def test_two_entries_of_one_name_or_one_digest_are_refused(tmp_path):
    entry = '[[program]]\nname = "{}"\nfile = "f"\nsha256 = "{}"\n'
    for first, second, said in (
        (("a", "0" * 64), ("a", "1" * 64), "the name 'a'"),
        (("a", "0" * 64), ("b", "0" * 64), "the sha256"),
    ):
        (tmp_path / "programs.toml").write_text(entry.format(*first) + entry.format(*second))
        with pytest.raises(ServiceError, match=said):
            Programs.load(tmp_path / "programs.toml")


def test_an_unknown_name_is_refused_and_the_nearest_offered(listed):
    with pytest.raises(ServiceError, match="did you mean 'risk'"):
        listed().named("rusk")
    with pytest.raises(ServiceError, match="cannot be read"):
        Programs.load(listed().entries[0].path.parent / "none.toml")
