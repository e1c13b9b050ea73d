"""Three hospitals estimate who is at risk after an operation, and when: mpc run examples/three_hospitals_risk.py -n 3

Each hospital has patients of its own: what was known of them before, and for how many years, up to five, they were observed until
they died or were lost from sight (censored). A discrete-time survival model, hazard(year, patient) = sigmoid(b_year + x w), is a
logistic regression on one row for each year that a patient was at risk. The rows of all hospitals are secret, and so is which
row is whose: they are shuffled. Revealed are the model, as the study's result, and on patients who took no part in the
fit how often the one who died earlier had the higher risk (concordance). Each hospital brings as many rows as was agreed, so that
how many years its patients lived is not told either.
"""

import numpy as np
from sklearn.linear_model import LogisticRegression

from mpc import nn

YEARS, ROWS, BATCH, RATE = 5, 3, 180, 1.0  # ROWS: those at risk that are brought in for each patient, on average
NAMES = ("age (10 years)", "stage", "marker", "smoker")
EFFECTS, YEARLY = np.array([0.5, 0.8, 0.4, 0.5]), np.array([-3.2, -2.7, -2.5, -2.5, -2.6])


def patients(hospital, count):
    """Synthetic: what a hospital knows of its patients, the last year of each in the study, and whether they died in it."""
    random = np.random.default_rng(hospital + 1)
    age = random.normal((62, 68, 57)[hospital], 9, count)  # the hospitals' patients differ
    stage = random.choice(4, count, p=((0.4, 0.3, 0.2, 0.1), (0.2, 0.3, 0.3, 0.2), (0.5, 0.3, 0.1, 0.1))[hospital])
    x = np.stack([(age - 60) / 10, stage - 1.0, random.normal(0, 1, count), random.random(count) < 0.3], axis=1)
    dies = random.random((count, YEARS)) < 1 / (1 + np.exp(-(YEARLY + (x @ EFFECTS)[:, None])))
    death = np.where(dies.any(axis=1), dies.argmax(axis=1), YEARS)
    lost = np.where(random.random(count) < 0.3, random.integers(0, YEARS, count), YEARS - 1)
    return x, np.minimum(death, lost), death <= lost


def years_at_risk(x, last, died):
    """One row for each patient and year at risk, (x, which year), and whether that patient died in it; the first of them."""
    patient, year = np.transpose(np.argwhere(np.arange(YEARS) <= last[:, None])[: ROWS * len(x)])
    return np.hstack([x[patient], np.eye(YEARS)[year]]), (died[patient] & (year == last[patient])).astype(float)


def concordance(risk, last, died):
    """How often the one who died first had the higher risk, over all pairs of which that is known. Everything secret."""
    first = (last[:, None] < last[None, :]) & died[:, None]
    return (first & (risk[:, None] > risk[None, :])).sum() / first.sum()


def together(party, array):
    """The rows of all hospitals, which have equally many."""
    return nn.data.by_rows(party, array, shapes=[array.shape] * party.size, dtype=array.dtype)


def main(party, count="200", epochs="20"):
    count, epochs = int(count), int(epochs)
    x, last, died = patients(party.index, count)
    fit, test = slice(0, count * 3 // 4), slice(count * 3 // 4, None)
    rows = [together(party, a) for a in years_at_risk(x[fit], last[fit], died[fit])]
    test_x, test_last, test_died = (together(party, a[test]) for a in (x, last, died))

    model = nn.Linear(len(NAMES) + YEARS, 1, bias=False).to(party)
    criterion, optimizer = nn.BCEWithLogitsLoss(), nn.SGD(model.parameters(), lr=RATE, momentum=0.9)
    loader = nn.DataLoader(nn.TensorDataset(*rows), batch_size=BATCH, shuffle="secret")
    for epoch in party.track(range(epochs), "epochs"):
        optimizer.lr = RATE * (1 - epoch / epochs)
        for features, deaths in loader:
            optimizer.zero_grad()
            criterion(model(features)[:, 0], deaths).backward()
            optimizer.step()

    weights = model.state_dict()["weight"][0]
    index = concordance(test_x @ weights[: len(NAMES)], test_last, test_died)
    weights, index = party.reveal(weights, index)
    if party.index == 0:
        report(weights, index, count, fit, test)


def report(weights, index, count, fit, test):
    everyone = [patients(hospital, count) for hospital in range(3)]
    pooled, alone = (fitted([years_at_risk(*(a[fit] for a in p)) for p in some]) for some in (everyone, everyone[:1]))
    x, last, died = (np.concatenate([p[k][test] for p in everyone]) for k in range(3))
    print("odds of death in a year, times:  " + "   ".join(f"{n} {np.exp(w):.2f}" for n, w in zip(NAMES, weights, strict=False)))
    print("  scikit-learn, pooled:          " + "   ".join(f"{n} {np.exp(w):.2f}" for n, w in zip(NAMES, pooled, strict=False)))
    print(f"concordance           {index:.4f}   ({len(x)} patients of three hospitals)")
    print(f"scikit-learn, pooled  {concordance(x @ pooled[: len(NAMES)], last, died):.4f}   (LogisticRegression in the clear)")
    print(f"hospital 0 by itself  {concordance(x @ alone[: len(NAMES)], last, died):.4f}")


def fitted(tables):
    rows, deaths = (np.concatenate(parts) for parts in zip(*tables, strict=True))
    return LogisticRegression(C=1e3, fit_intercept=False, max_iter=1000).fit(rows, deaths).coef_[0]
