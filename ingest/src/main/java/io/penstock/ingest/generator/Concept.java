package io.penstock.ingest.generator;

import io.penstock.config.SourceConfig.DriftConfig;
import io.penstock.config.SourceConfig.DriftKind;
import io.penstock.config.SourceConfig.Generator;
import org.jspecify.annotations.Nullable;

/**
 * Which classification function labels a row. An abrupt drift changes it at row {@code at}. In a gradual one, row x is
 * labelled by the new function with probability 1 / (1 + exp(-4 (x - at) / width)), as in MOA's {@code ConceptDriftStream}
 * (Bifet, Holmes, Kirkby and Pfahringer: "MOA: Massive Online Analysis", JMLR 11, 2010).
 */
final class Concept {
  /** Beyond it, the probability is 0 or 1 to within 2^-53, the step of the random numbers. */
  private static final double CERTAIN = 40;

  private final int before;
  private final int after;
  private final long at;
  private final double width;

  Concept(Generator generator) {
    before = generator.concept();
    @Nullable DriftConfig drift = generator.drift();
    if (drift == null) {
      after = before;
      at = Long.MAX_VALUE;
      width = 0;
    } else {
      after = drift.to();
      at = drift.at();
      width = drift.kind() == DriftKind.GRADUAL ? drift.width() : 0;
    }
  }

  /**
   * Index of the function for row {@code row}.
   *
   * @param chance uniform over [0, 1)
   */
  int of(long row, double chance) {
    return chance < probabilityAfter(row) ? after : before;
  }

  private double probabilityAfter(long row) {
    if (width == 0) {
      return row >= at ? 1 : 0;
    }
    double x = -4.0 * (row - at) / width;
    if (Math.abs(x) > CERTAIN) {
      return x < 0 ? 1 : 0;
    }
    // StrictMath: the same labels on every machine, compiled or interpreted.
    return 1 / (1 + StrictMath.exp(x));
  }
}
