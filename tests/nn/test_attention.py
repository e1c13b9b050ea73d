"""Attention and the encoder layer against PyTorch's, forward and backward."""

import numpy as np
import pytest
import torch

import mpc
from mpc import nn

RNG = np.random.default_rng(5)
L, S, N, E, HEADS = 4, 5, 2, 8, 2
QUERY, KEY, VALUE = RNG.normal(size=(L, N, E)), RNG.normal(size=(S, N, E)), RNG.normal(size=(S, N, E))
LATER = np.triu(np.ones((L, L), bool), 1)
PADDED = np.array([[False] * 4, [False, False, True, True]])

FIRST = {"batch_first": True}
# (options, inputs, options of the call)
CASES = [
    ({}, (QUERY,), {}),
    ({}, (QUERY,), {"attn_mask": LATER}),
    ({}, (QUERY,), {"key_padding_mask": PADDED, "average_attn_weights": False}),
    ({"bias": False}, (QUERY, KEY), {}),
    ({}, (QUERY, KEY, VALUE), {"attn_mask": RNG.normal(size=(L, S))}),
    (FIRST, (QUERY.swapaxes(0, 1),), {"attn_mask": np.stack([LATER] * N * HEADS), "key_padding_mask": PADDED}),
    (FIRST, (QUERY[:, 0], KEY[:, 0]), {"need_weights": False}),
]


def arguments(inputs):
    """query, key and value: what is missing is the last one given."""
    return [inputs[min(k, len(inputs) - 1)] for k in range(3)]


def torch_results(module, call, inputs):
    """The outputs, and the gradients of the inputs and parameters for the sum of cosines of the output."""
    variables = [torch.tensor(x, requires_grad=True) for x in inputs]
    result = call(module, variables)
    output = result[0] if isinstance(result, tuple) else result
    (output * torch.tensor(coefficients(output.shape))).sum().backward()
    gradients = [v.grad for v in variables] + [p.grad for p in module.parameters()]
    return [r.detach().numpy() for r in (result if isinstance(result, tuple) else (result,)) if r is not None], [
        g.numpy() for g in gradients
    ]


def coefficients(shape):
    return np.cos(np.arange(np.prod(shape)).reshape(shape) + 1.0)


def our_results(party, module, state, call, inputs):
    net = module.to(party)
    net.load_state_dict(state)
    variables = [nn.Variable(party.input(x, owner=0)) for x in inputs]
    with party.measure() as forward:
        result = call(net, variables)
    output = result[0] if isinstance(result, tuple) else result
    with party.measure() as backward:
        output.backward(coefficients(output.shape))
    outputs = [r.tensor for r in (result if isinstance(result, tuple) else (result,)) if r is not None]
    gradients = [v.grad for v in variables] + [p.grad for p in net.parameters()]
    return party.reveal(*outputs), party.reveal(*gradients), (forward.rounds, backward.rounds)


def state_of(module):
    return {name: p.detach().numpy() for name, p in module.state_dict().items()}


def moved(module):
    """With parameters that are not zero, as some are at first."""
    torch.manual_seed(1)
    for p in module.parameters():
        p.data += 0.1 * torch.randn_like(p)
    return module


@pytest.mark.parametrize("protocol", ["plaintext", "additive"])
def test_attention(protocol):
    references = [moved(torch.nn.MultiheadAttention(E, HEADS, **options).double()) for options, _, _ in CASES]

    def as_torch(options):
        return {k: torch.tensor(v) if isinstance(v, np.ndarray) else v for k, v in options.items()}

    def program(party):
        return [
            our_results(
                party,
                nn.MultiheadAttention(E, HEADS, **options),
                state_of(reference),
                lambda net, v, call=call: net(*arguments(v), **call),
                inputs,
            )
            for (options, inputs, call), reference in zip(CASES, references, strict=True)
        ]

    for (outputs, gradients, _), (options, inputs, call), reference in zip(
        mpc.simulate(program, protocol=protocol)[0], CASES, references, strict=True
    ):
        expected = torch_results(reference, lambda net, v, c=call: net(*arguments(v), **as_torch(c)), inputs)
        for mine, theirs in zip([*outputs, *gradients], [*expected[0], *expected[1]], strict=True):
            np.testing.assert_allclose(mine, theirs, atol=2e-3, err_msg=f"{options} {call}")


@pytest.mark.parametrize("options", [{}, {"activation": "gelu", "norm_first": True, "batch_first": True}])
def test_encoder_layer(options):
    reference = moved(torch.nn.TransformerEncoderLayer(E, HEADS, 16, 0.0, **options).double())
    mask = LATER[:N, :N] if options else LATER  # with batch_first, the first axis of QUERY is the batch

    def program(party):
        layer = nn.TransformerEncoderLayer(E, HEADS, 16, 0.0, **options)
        return our_results(party, layer, state_of(reference), lambda net, v: net(v[0], mask), [QUERY])

    outputs, gradients, _ = mpc.simulate(program)[0]
    expected = torch_results(reference, lambda net, v: net(v[0], torch.tensor(mask)), [QUERY])
    for mine, theirs in zip([*outputs, *gradients], [*expected[0], *expected[1]], strict=True):
        np.testing.assert_allclose(mine, theirs, atol=5e-3)


def test_costs():
    """q, k and v of self-attention are one product of one opening; of different inputs, three in the same round."""

    def program(party):
        results = []
        for different in (False, True):
            x, y, z = (party.input(QUERY, owner=0) for _ in range(3))
            net = nn.MultiheadAttention(E, HEADS).to(party)
            with party.measure() as cost, nn.no_grad():
                net(x, y, z) if different else net(x, x, x)
            results.append((cost.rounds, cost.bytes_sent))
        return results

    (rounds, sent), (others, more) = mpc.simulate(program)[0]
    assert rounds == others == 18 and more - sent == 2 * 8 * QUERY.size


def test_dropout_of_weights_is_for_training():
    def program(party):
        x = party.input(QUERY, owner=0)
        net = nn.MultiheadAttention(E, HEADS, dropout=0.5).to(party)
        weights = [net.train(mode)(x, x, x)[1].reveal() for mode in (True, False)]
        return [np.abs(w.sum(-1) - 1).max() for w in weights]

    dropped, whole = mpc.simulate(program, protocol="plaintext")[0]
    assert dropped > 0.1 and whole < 1e-3


@pytest.mark.parametrize(
    "call, message",
    [
        (lambda net, x: nn.MultiheadAttention(8, 3), "multiple"),
        (lambda net, x: nn.MultiheadAttention(8, 2, kdim=4), "not available"),
        (lambda net, x: net(x[..., :4], x, x), "embed_dim=8"),
        (lambda net, x: net(x, x, x, attn_mask=np.zeros((3, 3), bool)), "attn_mask"),
        (lambda net, x: net(x, x, x, key_padding_mask=x[:, :, 0] > 0), "public"),
        (lambda net, x: nn.TransformerEncoderLayer(8, 2, activation="swish"), "relu"),
    ],
)
def test_errors(call, message):
    def program(party):
        return call(nn.MultiheadAttention(E, HEADS).to(party), party.input(QUERY, owner=0))

    with pytest.raises(mpc.Error, match=message):
        mpc.simulate(program, protocol="plaintext")
