"""What a hostile party asks of the dealer."""

from unittest.mock import patch

import numpy as np

from mpc.contract import bilinear, codec, views
from mpc.contract.series import Exponential
from mpc.errors import FrameError
from mpc.party import Endpoint
from mpc.transport import ArraySpec
from protocols.additive import checks
from protocols.additive.correlations import And, Products, Truncation
from protocols.additive.curve_correlations import Harmonics, OneHot, Powers
from protocols.additive.dealer import Dealer
from protocols.additive.order_correlations import Conjunctions, Selections, Thermometers
from protocols.additive.requests import describe, digest, encode
from protocols.additive.shares import MaskRef
from tests.fuzz.links import Script
from tests.fuzz.source import Choices, pack, unpack
from tests.fuzz.wire import KEYS, header

LARGEST = 1 << 14  # bytes of an array that is dealt: the real limit is what a machine has


def asked(parts):
    """The dealer, between a party that asks and one that has agreed on it."""
    specs = [tuple(ArraySpec.of(part) for part in message) for message in (parts, [digest(parts)])]
    messages = [(header(sender=k, label="deal.x", specs=specs[k]), m) for k, m in enumerate((parts, [digest(parts)]))]
    with patch.object(checks, "LARGEST", LARGEST):
        Dealer(Endpoint(Script(2, messages), 2, KEYS[2])).serve()


def text(data):
    """The words of a request, and arrays beside it."""
    words, numbers, truths = unpack(data, 3)
    arrays = [np.frombuffer(numbers[: len(numbers) // 8 * 8], np.int64), np.frombuffer(truths, np.uint8) % 2 == 1]
    unused = iter(arrays)
    try:
        masks = codec.decode(words, unused).numbers
    except FrameError:
        masks = 0
    used = len(arrays) - len([*unused])
    asked([np.frombuffer(words, np.uint8), np.arange(1, 2 + masks, dtype=np.uint64), *arrays[:used]])


# ------------------------------------------------------------------ by the grammar of requests


def request(data):
    """Correlations of the right classes, with fields of any kind."""
    make = Choices(data)
    try:
        parts = encode(1, [describe([correlation(make) for _ in range(1 + make.below(2))])])
    except (TypeError, ValueError, OverflowError):
        return  # it cannot even be asked for
    asked(parts)


def shape(make):
    if make.below(16):
        return tuple(make.of(2, 1, 3, 0, 7, 64, 1 << 10, 1 << 14) for _ in range(make.below(5)))
    return make.of((make.number(), make.number()), make.number(), (1 << 13, 0, 1 << 13, 1 << 13), (1,) * 33)


def key(make):
    index = np.array(make.many(3, lambda: make.of(0, 1, -1, 5, 1 << 40)), np.int64)
    truths = np.array(make.many(4, lambda: make.below(2) == 1), bool)
    bounds = make.number(), make.number(), make.number()
    nested = tuple(make.many(5, lambda: make.below(3)))
    return make.of(
        0, slice(None), None, Ellipsis, index, truths, slice(*bounds), nested, index.reshape(-1, 1), np.array(True), -1
    )


def view(make):
    kind = make.below(6)
    if kind < 2:
        return views.Index(tuple(make.many(4, lambda: key(make))))
    if kind == 2:
        return views.Transpose(make.of((0, 1), (1, 0), (), shape(make)))
    if kind == 3:
        return views.BroadcastTo((*shape(make), *shape(make)))
    return views.Reshape(make.of((-1,), shape(make), (make.number(), -1))) if kind == 4 else make.number()


def ref(make):
    if not make.below(24):
        return make.number()
    size = shape(make)
    return MaskRef(make.number(), size, make.of("r", "u", "v", 7), make.number(), tuple(make.many(2, lambda: view(make))))


def pair(make):
    return make.of((1, 1), (make.number(), make.number()), make.number(), ((1, 0), (2, make.number())))


def bilinear_map(make):
    options = {
        "stride": pair(make),
        "padding": (pair(make), pair(make)),
        "dilation": pair(make),
        "groups": make.of(1, make.number()),
    }
    return make.of(
        lambda: bilinear.Multiply(),
        lambda: bilinear.Matmul(),
        lambda: bilinear.Conv2d(**options),
        lambda: bilinear.Conv2dInput(**options, size=pair(make)),
        lambda: bilinear.Conv2dWeight(**options, kernel=pair(make)),
        lambda: make.number(),
    )()


def result(make, op, left, right):
    """The shape that it should have, where it has one."""
    try:
        return op.shape(left.check(), right.check())
    except Exception:
        return shape(make)


def products(make):
    op, left, right = bilinear_map(make), ref(make), ref(make)
    pairs = tuple((left, right) for _ in range(make.of(1, 1, 0, 2, 200)))
    return Products(op, make.of(pairs, left), make.of(result(make, op, left, right), result(make, op, left, right), shape(make)))


def seen(make, name):
    """The shape of a reference, mostly."""
    try:
        return make.of(name.check(), name.check(), shape(make))
    except Exception:
        return shape(make)


def thermometers(make):
    plus, minus = ref(make), make.of(None, ref(make))
    try:
        size = np.broadcast_shapes(plus.check(), () if minus is None else minus.check())
    except Exception:
        size = (3,)
    bits, width = 1 + make.below(64), make.of(4, 1, 8, make.number())
    digits = make.of(-(-bits // width) if type(width) is int and width > 0 else 1, make.number())
    total = int(np.prod(size, dtype=object))
    nbytes = -(-total // 8)
    return Thermometers(plus, minus, bits, digits, width, nbytes if nbytes < 64 else -(-nbytes // 8) * 8)


def correlation(make):
    one, n = ref(make), make.number
    size = seen(make, one)
    curve = Exponential(n(), 0, n(), 1 + make.below(4), 30, make.of(2.0, 0.9, 1e-300, n()), 12)
    return make.of(
        lambda: products(make),
        lambda: Truncation(one, n(), size),
        lambda: And(n(), n(), n()),
        lambda: thermometers(make),
        lambda: Conjunctions(n(), n(), make.of(2, 4, n()), make.of(True, False, n()), make.of(True, False, n()), n()),
        lambda: Selections(n(), make.of(size, shape(make)), size, make.of((), (one,), (one, one), n())),
        lambda: OneHot(one, n(), size),
        lambda: Harmonics(one, 1 + make.below(64), n(), n(), n(), size),
        lambda: Powers(one, make.of(curve, n()), n(), size),
        lambda: n(),
    )()


def found():
    """What was wrong once: a division by nothing, numbers that overflow, and small requests that took much memory."""
    mask, line, seven = MaskRef(1, (2, 3)), MaskRef(1, (1 << 11,)), (1, 1, 7, 7)
    one, far = (1, 1, 3, 3), {"stride": (1 << 11,) * 2, "padding": ((1 << 11,) * 2,) * 2}
    wide = ((MaskRef(1, one), MaskRef(2, (1, 1, 2, 2))),)
    yield Products(bilinear.Conv2dWeight(groups=0), wide, (1, 1, 2, 2))
    yield Products(bilinear.Conv2d(**far), wide, one)
    yield Products(bilinear.Conv2dInput(**far, size=(3, 3)), wide, one)
    yield Products(bilinear.Conv2dWeight(**far), ((MaskRef(1, (1, 1, 1, 1)), MaskRef(2, one)),), (1, 1, 1, 1))
    yield Products(bilinear.Conv2d(), ((MaskRef(1, (1, 1, 1, 2000)), MaskRef(2, (1, 1, 1, 1000))),), (1, 1, 1, 1001))
    yield Products(bilinear.Multiply(), ((line, line),) * 400, line.shape)
    yield Products(bilinear.Multiply(), ((mask, mask.view(views.Index((np.array(True), np.zeros(99, int))))),), seven)
    yield Selections(3, line.shape, line.shape, (line,) * 400)
    yield Conjunctions(3, 1 << 13, 1, False, True, 1 << 13)
    yield Thermometers(MaskRef(1, (1 << 9, 1)), MaskRef(2, (1, 1 << 8)), 1, 1, 1, 1 << 14)
    yield Truncation(MaskRef(1, (1, 1 << 11), views=(views.Index(((0,) * 4000,)),)), 16, (4000, 1 << 11))
    yield OneHot(MaskRef(1, (0,)), 32, (0,))
    yield Powers(mask, Exponential(0, 0, 60, 2, 30, 0.9), 30, mask.shape)


def seeds():
    """A request of each kind, as text with arrays."""
    mask = MaskRef(1, (2, 3))
    gathered = MaskRef(2, (2, 3), "v", 16, (views.Index((np.array([1, 0]), slice(0, 2, 1))), views.Transpose((1, 0))))
    kinds = [
        Products(bilinear.Matmul(), ((mask, MaskRef(2, (3, 2))),), (2, 2)),
        Products(bilinear.Conv2d(), ((MaskRef(1, (1, 1, 3, 3)), MaskRef(2, (1, 1, 2, 2))),), (1, 1, 2, 2)),
        Truncation(gathered, 16, (2, 2)),
        And(1, 2, 9),
        Thermometers(mask, None, 20, 5, 4, 1),
        Conjunctions(3, 2, 4, True, True, 1),
        Selections(3, (3,), (2, 3), (mask, mask)),
        OneHot(mask, 2, (2, 3)),
        Harmonics(mask, 18, 1, 3, 30, (2, 3)),
        Powers(mask, Exponential(16, 0, 17, 3, 30, 2.0), 30, (2, 3)),
    ]
    for each in [*kinds, *found()]:
        words, _, arrays = describe([each])
        numbers = arrays[0].tobytes() if arrays else b""
        yield pack(words, numbers, b"\1\0")
    often = b",".join([b'{"Index":[[{"array":0}]]}'] * 1200)  # one array, copied for each time it is named
    yield pack(b'[{"MaskRef":[1,[2],"r",0,[%s]]}]' % often, bytes(32000), b"\1")
