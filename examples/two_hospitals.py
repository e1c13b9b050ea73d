"""Two hospitals train a tumour classifier on columns that neither may see of the other: mpc run examples/two_hospitals.py -n 2

Hospital 0 holds the diagnoses and the first 15 measurements of each patient, hospital 1 the other 15. Features, labels,
weights, gradients and loss stay secret throughout; only the scores of the test patients are revealed, to hospital 0.
"""

import numpy as np
from sklearn.datasets import load_breast_cancer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split

import mpc

EPOCHS, RATE, PENALTY = 60, 0.5, 0.01
X, y = load_breast_cancer(return_X_y=True)
train, test = train_test_split(np.arange(len(y)), test_size=0.25, random_state=1, stratify=y)


def own_columns(party):
    """What this hospital would read from its own database: its columns, standardised by its own statistics."""
    columns = X[:, :15] if party.index == 0 else X[:, 15:]
    return (columns - columns[train].mean(axis=0)) / columns[train].std(axis=0)


def main(party):
    mine = own_columns(party)
    halves = [party.input(mine if party.index == k else None, owner=k, shape=(len(y), 15)) for k in (0, 1)]
    features = np.concatenate(halves, axis=1)
    labels = party.input(y[train].astype(float) if party.index == 0 else None, owner=0, shape=(len(train),))
    A, n = features[train], len(train)

    w, b = np.zeros(30), 0.0
    for _ in party.track(range(EPOCHS), "training"):
        error = mpc.functions.sigmoid(A @ w + b) - labels
        w = w - RATE * (A.T @ error / n + PENALTY * w)
        b = b - RATE * error.mean()
    loss = (error**2).mean()

    scores = (features[test] @ w + b).reveal(to=0)
    final_loss = loss.reveal(to=0)
    if party.index == 0:
        report(np.mean((scores > 0) == y[test]), final_loss)


def report(accuracy, loss):
    center, scale = X[train].mean(axis=0), X[train].std(axis=0)
    plain = LogisticRegression(max_iter=1000).fit((X[train] - center) / scale, y[train])
    reference = plain.score((X[test] - center) / scale, y[test])
    print(f"test accuracy         {accuracy:.4f}   ({len(test)} patients, training loss {loss:.4f})")
    print(f"scikit-learn, pooled  {reference:.4f}   (LogisticRegression on all columns in the clear)")
