#!/usr/bin/env python3
"""Writes a CSV in the shape of Forest CoverType: header, 10 integers, two groups of flags with one set in each, class 1 to 7.

The same rows at every call. For speed only: the classes are Gaussian clouds. Needs numpy.
usage: make_rows.py OUT.csv [ROWS]          (581,012 rows unless given)
"""
import sys
import numpy as np

NUMBERS = [("Elevation", 1859, 3858), ("Aspect", 0, 360), ("Slope", 0, 66), ("HydroH", 0, 1397), ("HydroV", 0, 601),
           ("Road", 0, 7117), ("Shade9", 0, 254), ("Shade12", 0, 254), ("Shade15", 0, 254), ("Fire", 0, 7173)]
AREAS, SOILS = 4, 40
SHARES = np.array([36.5, 48.8, 6.2, 0.5, 1.6, 3.0, 3.4]) / 100


def flags(rng, shares, classes):
    """One column set in each row, drawn by its class's shares."""
    columns = np.array([np.searchsorted(shares[c].cumsum(), u) for c, u in zip(classes, rng.random(len(classes)))])
    return np.eye(shares.shape[1], dtype=int)[np.minimum(columns, shares.shape[1] - 1)]


def main():
    out, rows = sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 581_012
    rng = np.random.default_rng(7)
    low, high = np.array([n[1] for n in NUMBERS]), np.array([n[2] for n in NUMBERS])
    centres = rng.uniform(0.2, 0.8, (len(SHARES), len(NUMBERS)))
    areas, soils = rng.dirichlet(np.full(AREAS, 0.7), len(SHARES)), rng.dirichlet(np.full(SOILS, 0.15), len(SHARES))
    names = [n[0] for n in NUMBERS] + [f"W{i}" for i in range(AREAS)] + [f"S{i}" for i in range(SOILS)]
    with open(out, "w") as f:
        f.write(",".join(names) + ",Cover_Type\n")
        for start in range(0, rows, 20_000):
            n = min(20_000, rows - start)
            y = rng.choice(len(SHARES), n, p=SHARES / SHARES.sum())
            x = np.clip(rng.normal(centres[y], 0.16), 0, 1)
            table = np.hstack([(low + x * (high - low)).astype(int), flags(rng, areas, y), flags(rng, soils, y), y[:, None] + 1])
            f.writelines(",".join(map(str, row)) + "\n" for row in table.tolist())


main()
