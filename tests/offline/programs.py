"""Programs for dry runs and dealt files: each input says its shape."""

import numpy as np

from mpc import learn, nn

RNG = np.random.default_rng(3)
X, W = RNG.normal(size=(24, 5)), RNG.normal(size=(5, 3))
Y = RNG.normal(size=(24, 1))
WHOLE = RNG.integers(-50, 50, (24,))


def features(party):
    return party.input(X if party.index == 0 else None, owner=0, shape=X.shape)


def product(party):
    w = party.input(W if party.index == 1 else None, owner=1, shape=W.shape)
    return (features(party) @ w).reveal()


def comparison(party):
    x = features(party)
    return np.maximum(x, 0).reveal(), (x > 0.25).reveal(), x.max(axis=0).reveal()


def whole_numbers(party):
    """Exact, whatever the masks are."""
    a = party.input(WHOLE if party.index == 1 else None, owner=1, shape=WHOLE.shape, dtype=int)
    positive = party.input(WHOLE > 0 if party.index == 0 else None, owner=0, shape=WHOLE.shape, dtype=bool)
    return (a * a + 7).reveal(), np.where(positive, a, -a).sum().reveal(), np.sort(a).reveal()


def training(party, shuffle=False):
    x = features(party)
    y = party.input(Y if party.index == 1 else None, owner=1, shape=Y.shape)
    net = nn.Sequential(nn.Linear(5, 4), nn.ReLU(), nn.Linear(4, 1)).to(party)
    optimiser = nn.optim.SGD(net.parameters(), lr=0.05, momentum=0.9)
    losses = []
    for rows, targets in nn.data.DataLoader(nn.data.TensorDataset(x, y), batch_size=12, shuffle=shuffle):
        optimiser.zero_grad()
        loss = ((net(rows) - targets) ** 2).mean()
        loss.backward()
        optimiser.step()
        losses.append(loss)
    return np.stack(losses).reveal()


def functions(party):
    x = features(party)
    return np.exp(x / 4).sum().reveal(), (1 / (np.abs(x) + 1)).reveal(), np.tanh(x).reveal()


def to_one(party):
    shown = features(party).reveal(to=1)
    return None if shown is None else shown + 1


def public_order(party):
    return features(party)[party.random.permutation(24)[:6]].reveal()


def secret_order(party):
    (x,) = nn.data.shuffled([features(party)])
    return np.sort(x.sum(axis=1)).reveal()


def clusters(party):
    return learn.KMeans(n_clusters=3, max_iter=2).fit(features(party)).cluster_centers_.reveal()


def checkpoints(party):
    x = features(party)
    for _ in range(2):
        x = party.checkpoint(x) * 0.3
    return x.reveal()
