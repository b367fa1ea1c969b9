package io.penstock.ingest.generator;

import io.penstock.config.SourceConfig.Generator;
import io.penstock.config.SourceConfig.Hyperplane;
import java.util.Arrays;

/**
 * A hyperplane that turns (Hulten, Spencer and Domingos: "Mining time-changing data streams", KDD 2001), as MOA's {@code
 * HyperplaneGenerator} has it. Features x are uniform over [0, 1), weights w begin uniform over [0, 1); class 1 where
 * &Sigma; w x &ge; &Sigma; w / 2, else 0. Behind each row, each drifting weight moves by the magnitude, up at first, and turns
 * round with the chance of a reversal. Noise is the share of labels that are flipped. The magnitude is that of Gomes et al.:
 * "Adaptive random forests for evolving data stream classification", Machine Learning 106, 2017; the other defaults are MOA's.
 *
 * <p>How far a weight has come is a whole number of steps, each a function of its row. So the state at a row is the same whichever
 * way it is reached: from the row before in one step, from anywhere else by walking there from the beginning, at a few nanoseconds
 * a row and weight.
 */
final class HyperplaneStream extends SyntheticStream {
  private static final int ONE = 1_000_000;

  /** The seeds of weights and turns: whatever differs from a row's. */
  private static final long MODEL = 0x68797065726d6f64L;

  private static final long TURNS = 0x6879706572747572L;

  private final RowRandom random;
  private final RowRandom turns;
  private final Hyperplane plane;
  private final double noise;
  private final double[] first;
  private final int[] directions;
  private final long[] steps;
  private long at;

  HyperplaneStream(Generator generator, Hyperplane plane) {
    this.plane = plane;
    random = new RowRandom(generator.seed());
    turns = new RowRandom(generator.seed() ^ TURNS);
    noise = generator.noise();
    RowRandom model = new RowRandom(generator.seed() ^ MODEL);
    model.row(0);
    first = new double[plane.features()];
    for (int i = 0; i < first.length; i++) {
      first[i] = model.unit();
    }
    int drifting = Math.min(plane.drifting(), first.length);
    directions = new int[drifting];
    steps = new long[drifting];
    restart();
  }

  @Override
  int[] decimals() {
    int[] decimals = new int[first.length + 1];
    Arrays.fill(decimals, 0, first.length, 6);
    return decimals;
  }

  @Override
  void row(long row, int[] values) {
    walkTo(row);
    random.row(row);
    double side = 0;
    for (int i = 0; i < first.length; i++) {
      values[i] = random.below(ONE);
      side += weight(i) * (values[i] - ONE / 2);
    }
    int label = side >= 0 ? 1 : 0;
    values[first.length] = random.unit() < noise ? 1 - label : label;
  }

  /** Weight of feature {@code i} at the row that was made last. */
  double weight(int i) {
    return i < steps.length ? first[i] + plane.magnitude() * steps[i] : first[i];
  }

  private void walkTo(long row) {
    if (steps.length == 0) {
      return;
    }
    if (row < at) {
      restart();
    }
    for (; at < row; at++) {
      turns.row(at);
      for (int i = 0; i < steps.length; i++) {
        steps[i] += directions[i];
        directions[i] = turns.unit() < plane.reversal() ? -directions[i] : directions[i];
      }
    }
  }

  private void restart() {
    at = 0;
    Arrays.fill(directions, 1);
    Arrays.fill(steps, 0);
  }
}
