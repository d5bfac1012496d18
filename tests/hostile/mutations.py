"""Damage by dice, which are seeded, so that a failure can be repeated."""

import random
from collections.abc import Iterator


def mutated(content: bytes, seed: int, count: int) -> Iterator[bytes]:
    """Other bytes than these: bits flipped, bytes changed, pieces lost, doubled, zeroed or swapped, ends cut off."""
    dice = random.Random(seed)
    made = 0
    while made < count:
        found = bytearray(content)
        start = dice.randrange(len(found))
        stop = min(start + dice.choice([1, 2, 16, 512]), len(found))
        match dice.randrange(7):
            case 0:
                found[start] ^= 1 << dice.randrange(8)
            case 1:
                found[start] = dice.randrange(256)
            case 2:
                del found[start:stop]
            case 3:
                found[start:start] = found[start:stop]
            case 4:
                found[start:stop] = bytes(stop - start)
            case 5:
                del found[start:]
            case 6:
                found += dice.randbytes(dice.choice([1, 8, 100]))
        if found != content:
            made += 1
            yield bytes(found)
