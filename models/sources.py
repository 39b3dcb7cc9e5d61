"""Where trained weights live, and how they get here: whole and checked, or not at all.

Nothing is fetched before somebody asks for it. What was fetched is kept in the cache of the Hugging Face
Hub; what was interrupted waits there under another name and is resumed.
"""

import errno
import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, runtime_checkable

import requests
from httpx2 import HTTPError
from huggingface_hub import (
    constants,
    get_hf_file_metadata,
    hf_hub_download,
    hf_hub_url,
    try_to_load_from_cache,
)
from huggingface_hub.errors import HfHubHTTPError, LocalEntryNotFoundError
from huggingface_hub.utils import tqdm

from models.weights import UnreachableError, WeightsError

OF_THE_DISK = {errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES, errno.EPERM}
Progress = Callable[[int, int], None]  # bytes that are here, bytes in all (0: unknown); may raise to stop
OWN = "own"  # the weights a model had when it was added
PRETRAINED = "pretrained"  # those that a library publishes of its models


def silent(_here: int, _total: int) -> None:
    """A progress nobody looks at."""


@runtime_checkable
class Source(Protocol):
    """A file of trained weights, wherever it is."""

    @property
    def place(self) -> str:
        """Where it comes from, in a few words."""
        ...

    def here(self) -> Path | None:
        """The file, if it is on this computer."""
        ...

    def fetch(self, progress: Progress = silent) -> Path:
        """The file, from afar if need be; raises WeightsError, with one sentence."""
        ...


@dataclass(frozen=True)
class Bundled:
    """A file that comes with the project."""

    path: Path
    place: str = "bundled"

    def here(self) -> Path | None:
        return self.path

    def fetch(self, progress: Progress = silent) -> Path:
        return self.path


@dataclass(frozen=True)
class Held:
    """Weights that are in memory with their model; there is no file."""

    place: str = "in memory"

    def here(self) -> Path | None:
        return Path(".")

    def fetch(self, progress: Progress = silent) -> Path:
        raise WeightsError("These weights are in memory; there is no file of them.")


@dataclass(frozen=True)
class Hub:
    """A file of a repository on the Hugging Face Hub."""

    repository: str
    file: str = "model.safetensors"
    endpoint: str | None = None  # None is the Hub itself
    cache: str | None = None  # None is the Hub's own

    @property
    def place(self) -> str:
        return f"huggingface.co/{self.repository}"

    def here(self) -> Path | None:
        found = try_to_load_from_cache(self.repository, self.file, cache_dir=self.cache)
        return Path(found) if isinstance(found, str) else None

    def fetch(self, progress: Progress = silent) -> Path:
        if known := self.here():
            return known
        try:
            # Asked first, for the client would try a Hub that does not answer for half a minute.
            get_hf_file_metadata(hf_hub_url(self.repository, self.file, endpoint=self.endpoint), timeout=10)
            path = Path(
                hf_hub_download(
                    self.repository,
                    self.file,
                    endpoint=self.endpoint,
                    cache_dir=self.cache,
                    tqdm_class=bar_of(progress),
                )
            )
        except (HfHubHTTPError, LocalEntryNotFoundError, HTTPError, OSError, ValueError) as error:
            raise unreachable(self.place, error) from error
        # The cache names a large file by the SHA-256 the Hub gave for it.
        blob = path.resolve()
        if len(blob.name) == 64 and sha256(blob) != blob.name:
            blob.unlink()
            path.unlink(missing_ok=True)
            raise damaged(self.place)
        return path


@dataclass(frozen=True)
class Link:
    """A file behind an address: of a release page, or on Google Drive."""

    url: str
    name: str  # of the file here
    sha256: str = ""  # its first digits, where the publisher gives them

    @property
    def place(self) -> str:
        return self.url.split("//")[-1].split("/")[0]

    @property
    def path(self) -> Path:
        return Path(constants.HF_HUB_CACHE) / "mixscope" / self.name

    def here(self) -> Path | None:
        return self.path if self.path.is_file() else None

    def fetch(self, progress: Progress = silent) -> Path:
        if known := self.here():
            return known
        import gdown

        # gdown publishes under the name it is given; ours comes after the check.
        arrived = self.path.with_suffix(".arrived")
        digest = hashlib.sha256()
        try:
            refuse_if_offline()
            self.path.parent.mkdir(parents=True, exist_ok=True)
            gdown.download(
                self.url,
                str(arrived),
                quiet=True,
                use_cookies=False,
                resume=True,
                retries=2,
                timeout=20,
                hasher=digest,
                progress=lambda here, total: progress(here, total or 0),
            )
        except (gdown.DownloadError, requests.RequestException, OSError) as error:
            raise unreachable(self.place, error) from error
        if not digest.hexdigest().startswith(self.sha256):
            arrived.unlink()
            raise damaged(self.place)
        return arrived.replace(self.path)


@dataclass(frozen=True)
class FirstOf:
    """The same weights in several places: the first that answers."""

    sources: tuple[Source, ...]

    @property
    def place(self) -> str:
        return self.sources[0].place

    def here(self) -> Path | None:
        return next((path for source in self.sources if (path := source.here())), None)

    def fetch(self, progress: Progress = silent) -> Path:
        if known := self.here():
            return known
        failed: list[UnreachableError] = []
        for source in self.sources:
            try:
                return source.fetch(progress)
            except UnreachableError as error:
                failed.append(error)
        raise UnreachableError(" or ".join(one.place for one in failed), failed[-1].reason)


def bar_of(progress: Progress) -> type[tqdm]:
    """A progress bar for the Hub's client that draws nothing and tells `progress`."""

    class Told(tqdm):
        def __init__(self, *args, **kwargs) -> None:
            super().__init__(*args, **{**kwargs, "disable": True})
            self.total = kwargs.get("total") or 0
            self.n = kwargs.get("initial") or 0

        def update(self, n: int | None = 1) -> None:
            self.n += n or 0
            progress(int(self.n), int(self.total or 0))

    return Told


def refuse_if_offline() -> None:
    """What the Hub's own switch HF_HUB_OFFLINE forbids, it forbids everywhere."""
    if constants.is_offline_mode():
        raise OSError("this computer is set to stay offline")


def sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def unreachable(place: str, error: Exception) -> WeightsError:
    if isinstance(error, OSError) and error.errno in OF_THE_DISK:
        return WeightsError(f"The weights from {place} cannot be kept on this computer: {error.strerror}.")
    status = getattr(getattr(error, "response", None), "status_code", None)
    reason = f"it answers {status}" if status else "is this computer online?"
    return UnreachableError(place, reason)


def damaged(place: str) -> WeightsError:
    return WeightsError(
        f"The file from {place} is not the one that was published (its checksum differs); it was deleted."
    )
