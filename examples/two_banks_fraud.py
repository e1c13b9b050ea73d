"""Two banks learn to tell fraudulent transfers by what both know of them: mpc run examples/two_banks_fraud.py -n 2

Bank 0 sends the transfers: it has their amounts and its customers' habits, and learns later which were frauds (4 in 100).
Bank 1 has the accounts that receive them. Neither may see the other's columns, and bank 1 no label. A small network is trained
on all columns, in an order that nobody knows, and with the few frauds counted more (pos_weight). Revealed are three numbers
on transfers that took no part in the training: the area under the ROC curve, recall and precision. No score, no weight.
"""

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score

from mpc import nn

BATCH, RATE, POS_WEIGHT = 64, 0.1, 8.0


def transfers(count):
    """Synthetic: (columns of bank 0, columns of bank 1, which are frauds)."""
    random = np.random.default_rng(7)
    fraud = random.random(count) < 0.04
    amount = random.lognormal(4 + 0.5 * fraud, 1.0)
    hour = np.where(fraud, random.normal(19, 7, count), random.normal(14, 4, count)) % 24
    earlier_today = random.poisson(1 + 0.6 * fraud)
    new_device = random.random(count) < 0.08 + 0.2 * fraud
    sender = np.stack([np.log(amount), np.cos(hour * np.pi / 12), np.sin(hour * np.pi / 12), earlier_today, new_device], axis=1)
    days_open = random.exponential(900, count) * np.where(fraud, 0.4, 1.0)
    reports = random.poisson(0.05 + 0.25 * fraud)
    senders_this_week = random.poisson(3 + 1.5 * fraud)
    drained = random.beta(1 + 1.5 * fraud, 3)  # how much of what comes in leaves at once
    receiver = np.stack([np.log1p(days_open), reports, np.log1p(senders_this_week), drained], axis=1)
    return sender, receiver, fraud


def standardised(columns, train):
    """By the owner, with its own statistics."""
    return (columns - columns[train].mean(axis=0)) / columns[train].std(axis=0)


def area_under_curve(scores, labels):
    """How often a fraud has the higher score, over all pairs of a fraud and a transfer that is none. Everything secret."""
    higher = (scores[:, None] > scores[None, :]).astype(int)
    frauds = labels.sum()
    return (labels @ higher @ (1 - labels)) / (frauds * (len(labels) - frauds))


def main(party, count="3000", epochs="6"):
    count, epochs = int(count), int(epochs)
    sender, receiver, fraud = transfers(count)
    train = np.arange(count) < count * 4 // 5
    own, shapes = standardised((sender, receiver)[party.index], train), (sender.shape, receiver.shape)
    columns = nn.data.by_columns(party, own, owners=[0, 1], shapes=shapes)
    labels = party.input(fraud.astype(int) if party.index == 0 else None, owner=0, shape=(count,), dtype=int)

    net = nn.Sequential(nn.Linear(columns.shape[1], 8), nn.ReLU(), nn.Linear(8, 1)).to(party)
    criterion, optimizer = nn.BCEWithLogitsLoss(pos_weight=POS_WEIGHT), nn.SGD(net.parameters(), lr=RATE, momentum=0.9)
    loader = nn.DataLoader(nn.TensorDataset(columns[train], labels[train]), batch_size=BATCH, shuffle="secret")
    for _ in party.track(range(epochs), "epochs"):
        for x, y in loader:
            optimizer.zero_grad()
            criterion(net(x)[:, 0], y).backward()
            optimizer.step()

    with nn.no_grad():
        scores, y = net(columns[~train])[:, 0], labels[~train]
    alarms = (scores > 0).astype(int)
    caught = (alarms * y).sum()
    numbers = party.reveal(area_under_curve(scores, y), caught / y.sum(), caught / alarms.sum())
    if party.index == 0:
        report(numbers, sender, receiver, fraud, train)


def report(numbers, sender, receiver, fraud, train):
    area, recall, precision = numbers
    both, own = standardised(np.hstack([sender, receiver]), train), standardised(sender, train)
    alone = LogisticRegression(class_weight={1: POS_WEIGHT}).fit(own[train], fraud[train])
    pooled = LogisticRegression(class_weight={1: POS_WEIGHT}).fit(both[train], fraud[train])
    area_alone = roc_auc_score(fraud[~train], alone.decision_function(own[~train]))
    area_pooled = roc_auc_score(fraud[~train], pooled.decision_function(both[~train]))
    print(f"area under the curve  {area:.4f}   recall {recall:.3f}, precision {precision:.3f} ({np.sum(~train)} transfers)")
    print(f"scikit-learn, pooled  {area_pooled:.4f}   (LogisticRegression on both banks' columns in the clear)")
    print(f"bank 0 by itself      {area_alone:.4f}   (LogisticRegression on its own columns)")
