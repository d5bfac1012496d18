"""The feature store: rows of features keyed by content, computed once, kept, checked and shared.

README.md beside this file has the format of a row. ``fingerprint`` says what makes a feature stale, ``versions`` and
``agreement`` what becomes of it after an upgrade, ``extraction`` what is computed, ``reuse`` and ``pool`` what is not,
``side_by_side`` how rows of several layers are made, and ``pieced_rows`` from what,
``store`` how stages read it, ``sample`` is for those who want some photos only. Knows nothing of labels and heads.
"""

from onepass.features.decoded_photos import DecodedPhotos, keeping_decoded
from onepass.features.extraction import extract
from onepass.features.feature_spec import shape_of_rows
from onepass.features.fingerprint import fingerprint
from onepass.features.pool import Pool
from onepass.features.row_index import RowIndex
from onepass.features.rows import DamagedPartError
from onepass.features.sample import features_of_sample
from onepass.features.shard import parse_shard
from onepass.features.store import FINGERPRINT_FILE, Store, open_store, read_features
from onepass.features.work import save_rows

__all__ = [
    "FINGERPRINT_FILE",
    "DamagedPartError",
    "DecodedPhotos",
    "Pool",
    "RowIndex",
    "Store",
    "extract",
    "features_of_sample",
    "fingerprint",
    "keeping_decoded",
    "open_store",
    "parse_shard",
    "read_features",
    "save_rows",
    "shape_of_rows",
]
