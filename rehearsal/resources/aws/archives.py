"""Turns a declared archive into the bytes of a zip file."""

import io
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from rehearsal.wire import ARCHIVE_KEY, ASSET_KEY

# Zip's own epoch: the same content gives the same bytes.
_EPOCH = (1980, 1, 1, 0, 0, 0)


def zip_bytes(archive: Mapping[str, Any], root: Path) -> bytes:
    """The archive as a zip; relative paths count from `root`. A zip file is taken as it is, byte for byte.

    Raises FileNotFoundError for a path that is not there and ValueError for another kind of archive.
    """
    content = archive[ARCHIVE_KEY]
    if "path" in content:
        path = root / content["path"]
        if path.is_file():
            return path.read_bytes()
        if not path.is_dir():
            raise FileNotFoundError(f"the archive's path {path} does not exist")
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as packed:
        for name, data in sorted(_members(content, root)):
            packed.writestr(zipfile.ZipInfo(name, _EPOCH), data, zipfile.ZIP_DEFLATED)
    return buffer.getvalue()


def _members(content: Mapping[str, Any], root: Path) -> Iterator[tuple[str, bytes]]:
    if "path" in content:
        directory = root / content["path"]
        for path in directory.rglob("*"):
            if path.is_file():
                yield path.relative_to(directory).as_posix(), path.read_bytes()
    elif "assets" in content:
        for name, part in content["assets"].items():
            yield from _part(name, part, root)
    else:
        raise ValueError(f"a rehearsal takes archives of a path or of assets, got {sorted(content)}")


def _part(name: str, part: Mapping[str, Any], root: Path) -> Iterator[tuple[str, bytes]]:
    if ARCHIVE_KEY in part:
        for inner, data in _members(part[ARCHIVE_KEY], root):
            yield f"{name}/{inner}", data
        return
    asset = part[ASSET_KEY]
    yield name, asset["text"].encode() if "text" in asset else (root / asset["path"]).read_bytes()
