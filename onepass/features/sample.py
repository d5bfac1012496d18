"""Features of some photos, outside the pipeline: computed into the same pools, so that none is paid twice."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from onepass.backbones import resolve
from onepass.core import UserError
from onepass.dvc_repo import dvc_files, machine_folder
from onepass.features.extraction import extract
from onepass.features.feature_spec import specify
from onepass.features.pool import folder_of, open_pools
from onepass.features.reuse import add_previous, previous_store
from onepass.features.row_index import RowIndex
from onepass.features.shard import Shard
from onepass.features.versions import environment
from onepass.params import BackboneParams
from onepass.photos import Image, WantedViews, is_remote


def features_of_sample(params: BackboneParams, images: Sequence[Image], root: Path, out: Path) -> NDArray[Any]:
    """The features of these images, (images, *shape), sorted by hash.

    Args:
        images: different ones, with their files.
        root: the folder to which file names are relative.
        out: where the pipeline keeps features: what DVC still has of it is used.

    Raises:
        UserError: as ``extract``.

    """
    wanted = WantedViews((image.hash for image in images), ())
    any_remote = any(is_remote(image.file) for image in images)
    extract(params, wanted, lambda: images, root, out, any_remote, Shard(1, 1))
    backbone, files = resolve(params), dvc_files()
    machine, before = machine_folder(files), previous_store(files, out)
    store = specify(backbone, len(images), before, machine, backbone.load)
    index = RowIndex(wanted.keys(), store.row_type)
    if before and before.key == store.key:
        add_previous(index, files, out, before)
    for pool in open_pools(folder_of(machine, store.key), store, index, environment(backbone)):
        pool.find()
    if index.missing().any():
        raise UserError("features of the sample were deleted while they were read (ONEPASS_POOL_BYTES). Run it again.")
    return index.read(slice(0, len(images)))["features"]
