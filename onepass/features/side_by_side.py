"""Features of several layers side by side: a row has those of each layer, one after the other, computed in one pass.

Its fingerprint has a list for ``layer``, one of the digests of the networks, and one of how many values each layer has.
So a row says of each of its pieces what that is, as the fingerprint of a store of this layer alone would. Another list
is pieced together from whatever stores have its layers: only a list that names a layer which none of them has is
computed.
"""

from typing import NamedTuple

from onepass.features.store import Store


class Piece(NamedTuple):
    """The part of the rows of a store that is of one layer."""

    store: Store  # that of this layer alone would be
    columns: slice  # of the rows; of those of a single layer, whatever shape they have, all


def side_by_side(stores: list[Store]) -> Store:
    """The store of all layers, from those of each; it must be one, or each must have rows of one axis."""
    first = stores[0]
    if len(stores) == 1:
        return first
    several = {key: [store.fingerprint[key] for store in stores] for key in ("layer", "network")}
    widths = [store.shape[0] for store in stores]
    fingerprint = {**first.fingerprint, **several, "widths": widths}
    return first._replace(shape=[sum(widths)], fingerprint=fingerprint)


def pieces(store: Store) -> list[Piece]:
    """What the rows of a store are of, layer by layer; none where its fingerprint is of no list that fits."""
    layers = store.fingerprint.get("layer")
    if not isinstance(layers, list):
        return [Piece(store, slice(None))]
    networks, widths = store.fingerprint.get("network"), store.fingerprint.get("widths")
    if not isinstance(networks, list) or not isinstance(widths, list) or not all(isinstance(w, int) for w in widths):
        return []
    if not len(layers) == len(networks) == len(widths) or [sum(widths)] != store.shape:
        return []
    common = {key: value for key, value in store.fingerprint.items() if key != "widths"}
    found, start = [], 0
    for layer, network, width in zip(layers, networks, widths, strict=True):
        fingerprint = {**common, "layer": layer, "network": network}
        found.append(Piece(store._replace(shape=[width], fingerprint=fingerprint), slice(start, start + width)))
        start += width
    return found
