"""What every server's module needs to say what to run: the home, its ports and keys, the programs, the environment."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from xnovu_dev.home import Home
from xnovu_dev.keys import Keys
from xnovu_dev.ports import HOST


@dataclass(frozen=True, slots=True)
class Context:
    """`ports`: by name of the listener; `programs`: by name of the program; `environ`: what children inherit."""

    home: Home
    ports: Mapping[str, int]
    keys: Keys
    programs: Mapping[str, Path]
    environ: Mapping[str, str]

    def address(self, port: str) -> str:
        """host:port."""
        return f"{HOST}:{self.ports[port]}"

    def url(self, port: str, scheme: str = "http") -> str:
        return f"{scheme}://{self.address(port)}"
