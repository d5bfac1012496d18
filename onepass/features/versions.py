"""In which environments stored features were computed: libraries and kind of processor.

These may change the last bits of a feature, but not what it means, so they are no part of the fingerprint and of no
key. They are recorded beside the rows: see ``agreement`` for what becomes of rows of another environment.
"""

import json
import platform
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, StringConstraints

from onepass.backbones import Backbone
from onepass.core import read_sealed_json, write_sealed_json
from onepass.engines import library_version
from onepass.params import VersionsRule

VERSIONS_FILE = "versions.json"
DECODER = "pillow"
# As Linux names them. Engines choose their kernels, and with them the order of additions, by these.
INSTRUCTION_SETS = (
    *("avx2", "fma", "avx512f", "avx512_vnni", "avx512_bf16", "avx512_fp16", "amx_bf16"),
    *("asimddp", "sve", "sve2", "bf16"),
)
Word = Annotated[str, StringConstraints(pattern="^[ -~]{1,300}$")]
Environment = dict[Word, Word]


class Record(BaseModel):
    """The environments that are known to give the rows of a store."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)
    environments: list[Environment] = []
    same_bits: bool = True  # whether all of them give the very same bits; else some give only nearly the same

    def covers(self, here: Environment, rule: VersionsRule) -> bool:
        """Whether rows that are computed here may stand beside these without a further look."""
        return here in self.environments and (self.same_bits or rule == "close")

    def differences(self, here: Environment) -> str:
        """What the environment that is most like this one has in place of what is here."""
        if not self.environments:
            return "versions that are not recorded"
        differences = min((_differences(other, here) for other in self.environments), key=len)
        return differences or "versions of which some give only nearly the same features"

    def write(self, path: Path) -> None:
        """Byte-stable: the same environments give the same bytes."""
        write_sealed_json(path, self.model_dump())


def parse_record(content: bytes | None) -> Record:
    """The record in a file's bytes. One that is missing or damaged knows no environment: its rows are checked."""
    try:
        return Record.model_validate(read_sealed_json(content or b""))
    except ValueError:
        return Record()


def joined(records: Iterable[Record]) -> Record:
    """The record of rows that come from several stores and agree."""
    together = list(records)
    environments = {json.dumps(one, sort_keys=True): one for record in together for one in record.environments}
    same_bits = all(record.same_bits for record in together)
    return Record(environments=[environments[name] for name in sorted(environments)], same_bits=same_bits)


def environment(backbone: Backbone) -> Environment:
    """The versions of the libraries here that compute the features, and the kind of processor.

    Raises:
        UserError: one of them is not installed.

    """
    libraries = {name: library_version(name) for name in (DECODER, *backbone.libraries)}
    return {"processor": _processor(), **libraries}


def _processor() -> str:
    described = Path("/proc/cpuinfo")
    words = set(described.read_text().split()) if described.is_file() else set()
    sets = [name for name in INSTRUCTION_SETS if name in words]
    graphics = ["nvidia"] if Path("/proc/driver/nvidia/version").is_file() else []
    return " ".join([platform.system(), platform.machine(), *sets, *graphics])


def _differences(other: Mapping[str, str], here: Mapping[str, str]) -> str:
    names = sorted(name for name in {*other, *here} if other.get(name) != here.get(name))
    return ", ".join(f"{name} {other.get(name, 'none')} (here {here.get(name, 'none')})" for name in names)
