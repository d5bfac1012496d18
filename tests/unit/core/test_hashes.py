"""Packed hashes answer what lists of texts would."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from onepass.core import HashList, find, in_hex, leading_bits, packed

# Few different bytes, so that hashes repeat, share their beginnings, and end in zeros.
digests = st.lists(st.sampled_from([b"\0", b"\x01", b"\xff"]), min_size=32, max_size=32).map(b"".join)


@settings(deadline=None)  # a busy machine is no failure
@given(st.lists(digests), st.slices(20))
def test_a_list_of_hashes_is_that_of_their_digits(known: list[bytes], piece: slice) -> None:
    plain = [digest.hex() for digest in known]
    hashes = HashList(packed(plain))
    assert [*hashes] == plain
    assert [*hashes[piece]] == plain[piece]
    assert [hashes[place] for place in range(len(hashes))] == plain


@settings(deadline=None)
@given(st.lists(digests))
def test_leading_bits_are_the_first_digits(known: list[bytes]) -> None:
    hashes = [digest.hex() for digest in known]
    assert leading_bits(packed(hashes)).tolist() == [int(hash_[:8], 16) for hash_ in hashes]


@settings(deadline=None)
@given(st.lists(digests))
def test_packed_hashes_come_back_and_sort_as_their_digits(known: list[bytes]) -> None:
    hashes = [digest.hex() for digest in known]
    array = packed(hashes)
    assert [in_hex(hash_) for hash_ in array] == hashes
    assert [in_hex(hash_) for hash_ in np.sort(array)] == sorted(hashes)


@settings(deadline=None)
@given(st.sets(digests), st.lists(digests))
def test_each_hash_is_found_in_its_place_among_sorted_ones_or_not_at_all(known: set[bytes], asked: list[bytes]) -> None:
    ordered = sorted(known)
    places = find(packed(digest.hex() for digest in ordered), packed(digest.hex() for digest in [*ordered, *asked]))
    assert places.tolist() == [ordered.index(digest) if digest in known else -1 for digest in [*ordered, *asked]]
