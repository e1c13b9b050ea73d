"""The dealer's cache of masks: bounded, and invisible in results."""

import numpy as np

from mpc.randomness import Stream
from protocols.additive.dealing import Masks
from protocols.additive.shares import MaskRef


def test_the_latest_masks_are_kept_up_to_a_size(monkeypatch):
    monkeypatch.setattr(Masks, "KEEP_BYTES", 3 * 800)
    streams = [Stream(bytes([k] * 32)) for k in (1, 2)]
    masks = Masks(streams)
    for number in [1, 2, 3, 4, 1, 5, 5, 2, 6]:
        expected = np.add(*(stream.draw("mask", number, (100,)) for stream in streams))
        np.testing.assert_array_equal(masks(MaskRef(number, (100,))), expected)
        kept = list(masks._kept.values())
        assert sum(mask.nbytes for mask in kept) == masks._kept_bytes <= 3 * 800
        assert not any(mask.flags.writeable for mask in kept)
    assert [number for number, _ in masks._kept] == [5, 2, 6]


def test_a_mask_that_is_too_large_is_not_kept(monkeypatch):
    monkeypatch.setattr(Masks, "KEEP_BYTES", 100)
    masks = Masks([Stream(bytes(32))])
    assert masks(MaskRef(1, (100,))).shape == (100,)
    assert not masks._kept
