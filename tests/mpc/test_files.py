"""Files with secrets appear whole or not at all, and only their owner reads them."""

import os
import stat

import pytest

from mpc.files import read_private, write_private


def broken():
    yield b"half"
    raise KeyError("no second half")


@pytest.mark.parametrize("replace", [True, False])
def test_there_and_back(tmp_path, replace):
    write_private(tmp_path / "a", [b"one", b"two"], replace)
    assert read_private(tmp_path / "a", 6) == b"onetwo"
    assert stat.S_IMODE((tmp_path / "a").stat().st_mode) == 0o600
    assert [path.name for path in tmp_path.iterdir()] == ["a"]


def test_what_is_there_is_replaced_only_on_demand(tmp_path):
    write_private(tmp_path / "a", [b"old"], replace=False)
    with pytest.raises(FileExistsError):
        write_private(tmp_path / "a", [b"new"], replace=False)
    assert (tmp_path / "a").read_bytes() == b"old"
    write_private(tmp_path / "a", [b"new"], replace=True)
    assert (tmp_path / "a").read_bytes() == b"new"
    assert [path.name for path in tmp_path.iterdir()] == ["a"]


def test_a_write_that_fails_half_way_leaves_the_old_file_alone(tmp_path):
    write_private(tmp_path / "a", [b"old"], replace=True)
    with pytest.raises(KeyError):
        write_private(tmp_path / "a", broken(), replace=True)
    assert (tmp_path / "a").read_bytes() == b"old"
    assert [path.name for path in tmp_path.iterdir()] == ["a"]


def test_content_and_name_are_on_the_disk_in_that_order(tmp_path, monkeypatch):
    done = []

    def logged(name, of):
        real = getattr(os, name)
        monkeypatch.setattr(os, name, lambda *args: (done.append(of(*args)), real(*args))[1])

    logged("fsync", lambda descriptor: "folder" if stat.S_ISDIR(os.fstat(descriptor).st_mode) else "file")
    logged("replace", lambda *_: "named")
    write_private(tmp_path / "a", [b"x"], replace=True)
    assert done == ["file", "named", "folder"]


def test_what_is_not_private_or_too_large_is_not_read(tmp_path):
    path = tmp_path / "a"
    write_private(path, [b"abc"], replace=False)
    with pytest.raises(OSError, match="more than 2 bytes"):
        read_private(path, 2)
    path.chmod(0o604)
    with pytest.raises(PermissionError, match=r"open to others \(mode 604\); chmod 600 "):
        read_private(path, 3)
