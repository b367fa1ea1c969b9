package io.penstock.ingest.generator;

import io.penstock.config.SourceConfig.DriftConfig;
import io.penstock.config.SourceConfig.DriftKind;
import io.penstock.config.SourceConfig.Generator;

/**
 * Which concept a row follows. An abrupt drift changes it at row {@code at}. In a gradual one, row x follows the new concept with
 * probability 1 / (1 + exp(-4 (x - at) / width)), as in MOA's {@code ConceptDriftStream} (Bifet, Holmes, Kirkby and Pfahringer:
 * "MOA: Massive Online Analysis", JMLR 11, 2010). Of several drifts each changes what the ones before it left.
 */
final class Concept {
  /** Beyond it, the probability is 0 or 1 to within 2^-53, the step of the random numbers. */
  private static final double CERTAIN = 40;

  private final int first;
  private final DriftConfig[] drifts;

  Concept(Generator generator) {
    first = generator.concept();
    drifts = generator.drift().toArray(DriftConfig[]::new);
  }

  /**
   * Index of the concept of row {@code row}.
   *
   * @param chance uniform over [0, 1)
   */
  int of(long row, double chance) {
    double rest = chance;
    for (int i = drifts.length - 1; i >= 0; i--) {
      double after = probabilityAfter(drifts[i], row);
      if (after == 1 || rest < after) {
        return drifts[i].to();
      }
      rest = (rest - after) / (1 - after); // uniform over [0, 1) once more
    }
    return first;
  }

  private static double probabilityAfter(DriftConfig drift, long row) {
    if (drift.kind() == DriftKind.ABRUPT) {
      return row >= drift.at() ? 1 : 0;
    }
    double x = -4.0 * (row - drift.at()) / drift.width();
    if (Math.abs(x) > CERTAIN) {
      return x < 0 ? 1 : 0;
    }
    // StrictMath: the same labels on every machine, compiled or interpreted.
    return 1 / (1 + StrictMath.exp(x));
  }
}
