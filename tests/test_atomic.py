from __future__ import annotations

import os
import stat

import pytest

from symbreak.atomic import check_writable, replace_file
from symbreak.errors import InvalidInput


def test_the_whole_content_takes_the_place_of_the_old(tmp_path):
    path = tmp_path / "out"
    path.write_bytes(b"old and long")
    with replace_file(path) as file:
        file.write(b"new")
        assert path.read_bytes() == b"old and long"
    assert path.read_bytes() == b"new"
    assert os.listdir(tmp_path) == ["out"]


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt])
def test_an_error_leaves_the_old_file_and_nothing_else(tmp_path, error):
    path = tmp_path / "out"
    path.write_bytes(b"old")

    def fail() -> None:
        with replace_file(path) as file:
            file.write(b"half")
            raise error

    with pytest.raises(error):
        fail()
    assert path.read_bytes() == b"old"
    assert os.listdir(tmp_path) == ["out"]


def test_a_new_file_has_the_usual_permissions(tmp_path):
    with replace_file(tmp_path / "ours"):
        pass
    (tmp_path / "usual").touch()
    ours, usual = ((tmp_path / name).stat().st_mode for name in ("ours", "usual"))
    assert stat.S_IMODE(ours) == stat.S_IMODE(usual)


@pytest.mark.parametrize("mode", [0o600, 0o640, 0o664, 0o400])
def test_a_replaced_file_keeps_its_permissions_from_the_first_byte_on(tmp_path, mode):
    path = tmp_path / "out"
    path.write_bytes(b"old")
    path.chmod(mode)
    with replace_file(path) as file:
        assert stat.S_IMODE(os.fstat(file.fileno()).st_mode) == mode
        file.write(b"new")
    assert stat.S_IMODE(path.stat().st_mode) == mode
    assert path.read_bytes() == b"new"


def test_file_and_folder_are_forced_to_the_disk(tmp_path, monkeypatch):
    synced = []
    monkeypatch.setattr(os, "fsync", lambda handle: synced.append(os.fstat(handle).st_mode))
    with replace_file(tmp_path / "out") as file:
        file.write(b"x")
    assert [stat.S_ISDIR(mode) for mode in synced] == [False, True]


def test_a_link_is_followed(tmp_path):
    (tmp_path / "real").write_bytes(b"old")
    (tmp_path / "link").symlink_to(tmp_path / "real")
    with replace_file(tmp_path / "link") as file:
        file.write(b"new")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "real").read_bytes() == b"new"


@pytest.mark.parametrize("name", ["none/out", ".", "a\0b", "x" * 400])
def test_what_cannot_be_written_is_told_before(tmp_path, name):
    with pytest.raises(InvalidInput, match=r"output|Output"):
        check_writable(f"{tmp_path}/{name}")
    assert not os.listdir(tmp_path)


def test_a_device_is_not_replaced():
    with pytest.raises(InvalidInput, match="a device or pipe"):
        check_writable(os.devnull)


def test_a_folder_that_takes_no_files_is_told(tmp_path, monkeypatch):
    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("pathlib.Path.open", refuse)
    with pytest.raises(InvalidInput, match="Permission denied"):
        check_writable(tmp_path / "out")


def test_a_check_leaves_nothing_behind_and_harms_nothing(tmp_path):
    check_writable(tmp_path / "new")
    (tmp_path / "old").write_bytes(b"old")
    check_writable(tmp_path / "old")
    assert os.listdir(tmp_path) == ["old"]
    assert (tmp_path / "old").read_bytes() == b"old"
