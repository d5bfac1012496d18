"""What ``backbone.pooling`` can make of the output of a layer, whichever library computes it.

Maps, (height, width, channels), become a value a channel: avg | max. Of tokens, (tokens, channels), the first is the
class token, and some are special, which say nothing of a place in the image: cls is the class token, avg and max are
over those that are not special, and cls+avg both, one beside the other, as DINOv2's linear probes have it.
"""

from onepass.core import UserError

TOKENS, MAPS = 3, 4  # dimensions, with that of the batch
OF_TOKENS = ("cls", "cls+avg")


def check_pooling(
    pooling: str, special_tokens: int, shape: tuple[int | None, ...], layer: str, layers: int = 1
) -> None:
    """UserError: what a layer gives, (batch, *shape of an image), cannot be pooled so.

    Args:
        layers: how many there are, whose features are to stand side by side.

    """
    given = f"backbone.pooling: {pooling} given, but layer {layer!r} gives the shape {shape[1:]}"
    if pooling == "none":
        if layers > 1 and len(shape) in (TOKENS, MAPS):
            allowed = "avg, max" if len(shape) == MAPS else "avg, max, cls, cls+avg"
            raise UserError(f"{given}; only pooled features of several layers stand side by side; allowed: {allowed}.")
        return
    if len(shape) not in (TOKENS, MAPS):
        raise UserError(f"{given}, which has no height and width, and no tokens, to pool over; allowed: none.")
    if len(shape) == MAPS and pooling in OF_TOKENS:
        raise UserError(f"{given}, which are maps and no tokens; allowed: none, avg, max.")
    if len(shape) == TOKENS and pooling in OF_TOKENS and not special_tokens:
        raise UserError(
            f"backbone.special_tokens: 0 given, so that there is no class token; allowed with backbone.pooling: "
            f"{pooling}: at least 1."
        )
    if len(shape) == TOKENS and pooling != "cls" and shape[1] is not None and shape[1] <= special_tokens:
        raise UserError(
            f"backbone.special_tokens: {special_tokens} given, but layer {layer!r} gives {shape[1]} tokens, so that "
            "none is left of the image."
        )
