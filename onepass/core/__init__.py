"""What every other package may need: files that appear whole, errors for people, hashes, threads, CSV, YAML.

Knows nothing of photos, networks or DVC, and imports no other package of onepass.
"""

from onepass.core.addresses import (
    FETCHES,
    AddressError,
    fetch,
    is_address,
    names_behind,
    open_address,
    read_range,
    send,
    trying_again,
    unusable_protocol,
)
from onepass.core.atomic_files import (
    LONG_AGO,
    SEAL,
    atomic_file,
    read_sealed_json,
    write_atomically,
    write_json,
    write_sealed_json,
    write_zip,
)
from onepass.core.concurrency import CORES_VARIABLE, batched, bounded_map, cores
from onepass.core.csv_files import csv_line, write_csv
from onepass.core.discovery import import_all
from onepass.core.dvc_lock import LockedStage, parse_lock
from onepass.core.errors import UserError, explained, first_line, listed, run_stage
from onepass.core.hashes import (
    HASH_BYTES,
    SHA256,
    Hashes,
    HashList,
    find,
    in_hex,
    leading_bits,
    packed,
    sha256_of_files,
)
from onepass.core.model_files import (
    KERAS_CONFIG,
    KERAS_METADATA,
    KERAS_SUFFIX,
    KERAS_WEIGHTS,
    check_model_file,
    read_archived_text,
)
from onepass.core.pictures import cut, name_rows, picture
from onepass.core.processes import still_runs
from onepass.core.progress import progress_bar
from onepass.core.recorded import check_recorded, check_recorded_in
from onepass.core.row_file import RowFile
from onepass.core.temporary_database import temporary_database
from onepass.core.yaml_files import load_yaml, read_yaml, replaced_scalar, yaml_problem

__all__ = [
    "CORES_VARIABLE",
    "FETCHES",
    "HASH_BYTES",
    "KERAS_CONFIG",
    "KERAS_METADATA",
    "KERAS_SUFFIX",
    "KERAS_WEIGHTS",
    "LONG_AGO",
    "SEAL",
    "SHA256",
    "AddressError",
    "HashList",
    "Hashes",
    "LockedStage",
    "RowFile",
    "UserError",
    "atomic_file",
    "batched",
    "bounded_map",
    "check_model_file",
    "check_recorded",
    "check_recorded_in",
    "cores",
    "csv_line",
    "cut",
    "explained",
    "fetch",
    "find",
    "first_line",
    "import_all",
    "in_hex",
    "is_address",
    "leading_bits",
    "listed",
    "load_yaml",
    "name_rows",
    "names_behind",
    "open_address",
    "packed",
    "parse_lock",
    "picture",
    "progress_bar",
    "read_archived_text",
    "read_range",
    "read_sealed_json",
    "read_yaml",
    "replaced_scalar",
    "run_stage",
    "send",
    "sha256_of_files",
    "still_runs",
    "temporary_database",
    "trying_again",
    "unusable_protocol",
    "write_atomically",
    "write_csv",
    "write_json",
    "write_sealed_json",
    "write_zip",
    "yaml_problem",
]
