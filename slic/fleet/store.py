"""A folder anywhere that fsspec reaches: this disk, S3, GCS and more."""

import os
from dataclasses import dataclass
from pathlib import Path

import fsspec

from slic import files


@dataclass(frozen=True)
class Store:
    """Names are relative to the folder, with `/`. It can be sent to another machine."""

    fs: fsspec.AbstractFileSystem
    root: str

    @classmethod
    def at(cls, url: str) -> "Store":
        fs, root = fsspec.core.url_to_fs(url)
        return cls(fs, root.rstrip("/"))

    @property
    def local(self) -> bool:
        return "file" in self.fs.protocol

    def names(self, folder: str = "") -> list[str]:
        """All files below, in a steady order; none if there is no such folder. Hidden ones stay out."""
        self.fs.invalidate_cache()
        try:
            found = self.fs.find(self._path(folder))
        except FileNotFoundError:
            return []
        names = (path[len(self.root) + 1 :] for path in found)
        start = f"{folder}/" if folder else ""
        return sorted(n for n in names if not _hidden(n[len(start) :]))

    def there(self) -> bool:
        """Whether there is such a folder; in an object store, anything in it."""
        found: bool = self.fs.exists(self.root)
        return found

    def read(self, name: str) -> bytes:
        data: bytes = self.fs.cat_file(self._path(name))
        return data

    def write(self, name: str, data: bytes) -> None:
        """Whole or not at all; what is there is replaced. Object stores put whole objects by themselves."""
        path = self._path(name)
        if self.local:
            os.makedirs(os.path.dirname(path), exist_ok=True)
            files.write(Path(path), data, force=True)
        else:
            self.fs.pipe_file(path, data)

    def _path(self, name: str) -> str:
        return f"{self.root}/{name}" if name else self.root


def _hidden(name: str) -> bool:
    return any(part.startswith(".") for part in name.split("/"))
