package io.penstock.ingest.generator;

import io.penstock.config.SourceConfig.Generator;
import io.penstock.config.SourceConfig.Rbf;
import java.util.Arrays;

/**
 * Random radial basis functions with drift (Bifet, Holmes, Pfahringer, Kirkby and Gavaldà: "New ensemble methods for evolving data
 * streams", KDD 2009), as MOA's {@code RandomRBFGeneratorDrift} has it. A centroid has a place uniform over [0, 1)^d, a class, a
 * deviation and a weight uniform over [0, 1). A row is from a centroid, drawn by weight, and lies off it in a direction drawn
 * uniformly from a cube, as far as a normal draw times the deviation. The speed is that of Gomes et al.: "Adaptive random
 * forests for evolving data stream classification", Machine Learning 106, 2017; the other defaults are MOA's.
 *
 * <p>A drifting centroid moves on a straight line, by the speed a row, and is reflected at the borders. MOA loses what overshoots
 * a border; here it is folded back, so that the place at any row is known without the rows before. MOA's centroids all set out
 * upwards; these may go either way.
 */
final class RbfStream extends SyntheticStream {
  private static final int ONE = 1_000_000;

  /** The seed of the centroids: whatever differs from a row's. */
  private static final long MODEL = 0x7262666d6f64656cL;

  private final RowRandom random;
  private final int features;
  private final int drifting;
  private final double[][] places;
  private final double[][] velocities;
  private final int[] classes;
  private final double[] deviations;
  private final double[] weightsUpTo;
  private final double[] direction;

  RbfStream(Generator generator, Rbf rbf) {
    random = new RowRandom(generator.seed());
    features = rbf.features();
    drifting = rbf.drifting();
    places = new double[rbf.centroids()][features];
    velocities = new double[rbf.centroids()][features];
    classes = new int[rbf.centroids()];
    deviations = new double[rbf.centroids()];
    weightsUpTo = new double[rbf.centroids()];
    direction = new double[features];
    draw(rbf, new RowRandom(generator.seed() ^ MODEL));
  }

  private void draw(Rbf rbf, RowRandom model) {
    double weight = 0;
    for (int c = 0; c < places.length; c++) {
      model.row(c);
      for (int i = 0; i < features; i++) {
        places[c][i] = model.unit();
      }
      classes[c] = model.below(rbf.classes());
      deviations[c] = model.unit();
      weight += model.unit();
      weightsUpTo[c] = weight;
      double length = drawDirection(model);
      for (int i = 0; i < features; i++) {
        velocities[c][i] = rbf.speed() * (direction[i] / length);
      }
    }
  }

  @Override
  int[] decimals() {
    int[] decimals = new int[features + 1];
    Arrays.fill(decimals, 0, features, 6);
    return decimals;
  }

  @Override
  void row(long row, int[] values) {
    random.row(row);
    int c = centroid(random.unit() * weightsUpTo[weightsUpTo.length - 1]);
    double distance = random.gaussian() * deviations[c];
    double scale = distance / drawDirection(random);
    for (int i = 0; i < features; i++) {
      double value = place(c, i, row) + direction[i] * scale;
      values[i] = (int) Math.round(value * ONE);
    }
    values[features] = classes[c];
  }

  /** Where feature {@code i} of centroid {@code c} is at row {@code row}. */
  double place(int c, int i, long row) {
    return c < drifting ? reflected(places[c][i] + velocities[c][i] * row) : places[c][i];
  }

  /** How far feature {@code i} of a drifting centroid moves from one row to the next, at first. */
  double velocity(int c, int i) {
    return velocities[c][i];
  }

  /** What a number becomes whose way turns round at 0 and at 1. */
  private static double reflected(double straight) {
    double within = straight - 2 * Math.floor(straight / 2); // 0 to 2
    return within > 1 ? 2 - within : within;
  }

  private int centroid(double weight) {
    int found = Arrays.binarySearch(weightsUpTo, weight);
    return Math.min(found < 0 ? -found - 1 : found + 1, weightsUpTo.length - 1);
  }

  /** Draws one uniformly from the cube of side 2 around 0; answers its length, which is not 0. */
  private double drawDirection(RowRandom from) {
    double squares = 0;
    while (squares == 0) {
      for (int i = 0; i < features; i++) {
        direction[i] = 2 * from.unit() - 1;
        squares += direction[i] * direction[i];
      }
    }
    return Math.sqrt(squares);
  }
}
