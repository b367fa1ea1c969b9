package io.penstock.app;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;

/**
 * The same learner written again, in double precision and without any of the product's code: running standardisation, a linear
 * softmax (or, for two classes, logistic) model from zero weights, test-then-train, minibatches by count. The product is held
 * against it on real data.
 */
final class ReferenceLearner {
  private final int features;
  private final int classes;
  private final int batch;
  private final int updateEvery;
  private final Rule rule;
  private final double rate;

  private final double[] mean;
  private final double[] squares;
  private final double[] fitMean;
  private final double[] fitDeviation;
  private long rows;

  private final double[] weights;
  private final double[] first;
  private final double[] second;
  private int steps;

  private final List<Scored> scored = new ArrayList<>();
  private long correct;
  private double logLoss;

  enum Rule {
    SGD,
    MOMENTUM,
    RMSPROP,
    ADAM
  }

  /**
   * Of two classes, all rows sorted by their score.
   *
   * @param auc area under the ROC curve, equal scores counting half
   * @param prAuc average precision
   */
  record Score(double accuracy, double logLoss, double auc, double prAuc) {}

  private record Scored(double score, boolean positive) {}

  ReferenceLearner(int features, int classes, int batch, int updateEvery, Rule rule, double rate) {
    this.features = features;
    this.classes = classes;
    this.batch = batch;
    this.updateEvery = updateEvery;
    this.rule = rule;
    this.rate = rate;
    mean = new double[features];
    squares = new double[features];
    fitMean = new double[features];
    fitDeviation = new double[features];
    weights = new double[outputs() * (features + 1)];
    first = new double[weights.length];
    second = new double[weights.length];
  }

  private int outputs() {
    return classes == 2 ? 1 : classes;
  }

  /** Each row its features, then the index of its class. */
  Score learn(List<double[]> data) {
    double[][] x = new double[batch][];
    int[] y = new int[batch];
    int fill = 0;
    for (double[] row : data) {
      x[fill] = standardize(row);
      y[fill++] = (int) row[features];
      if (fill == batch) {
        step(x, y, fill);
        fill = 0;
      }
    }
    if (fill > 0) {
      step(x, y, fill);
    }
    scored.sort(Comparator.comparingDouble(Scored::score).reversed());
    return areas((double) correct / data.size(), logLoss / data.size());
  }

  private Score areas(double accuracy, double meanLogLoss) {
    double hits = 0;
    double misses = 0;
    double won = 0;
    double area = 0;
    int i = 0;
    while (i < scored.size()) {
      double score = scored.get(i).score;
      double gained = 0;
      double missed = 0;
      for (; i < scored.size() && scored.get(i).score == score; i++) {
        gained += scored.get(i).positive ? 1 : 0;
        missed += scored.get(i).positive ? 0 : 1;
      }
      won += missed * (hits + gained / 2);
      hits += gained;
      misses += missed;
      area += gained * hits / (hits + misses);
    }
    return new Score(accuracy, meanLogLoss, won / (hits * misses), area / hits);
  }

  /** Puts the running mean of what came before where a value is missing (NaN); it advances like the standardisation. */
  static void impute(List<double[]> data, int features, int updateEvery) {
    for (int i = 0; i < features; i++) {
      double sum = 0;
      long count = 0;
      double standIn = 0;
      long seen = 0;
      for (double[] row : data) {
        boolean missing = Double.isNaN(row[i]);
        sum += missing ? 0 : row[i];
        count += missing ? 0 : 1;
        seen++;
        if (seen <= updateEvery && count > 0) {
          standIn = sum / count;
        }
        if (missing) {
          row[i] = standIn;
        }
        if (seen % updateEvery == 0 && count > 0) {
          standIn = sum / count;
        }
      }
    }
  }

  private double[] standardize(double[] row) {
    rows++;
    for (int i = 0; i < features; i++) {
      double delta = row[i] - mean[i];
      mean[i] += delta / rows;
      squares[i] += delta * (row[i] - mean[i]);
    }
    if (rows <= updateEvery) {
      fit();
    }
    double[] z = new double[features + 1];
    for (int i = 0; i < features; i++) {
      z[i] = fitDeviation[i] > 0 ? (row[i] - fitMean[i]) / fitDeviation[i] : 0;
    }
    z[features] = 1;
    if (updateEvery == 1 || rows % updateEvery == 0) {
      fit();
      if (updateEvery == 1) {
        for (int i = 0; i < features; i++) {
          z[i] = fitDeviation[i] > 0 ? (row[i] - fitMean[i]) / fitDeviation[i] : 0;
        }
      }
    }
    return z;
  }

  private void fit() {
    for (int i = 0; i < features; i++) {
      fitMean[i] = mean[i];
      fitDeviation[i] = Math.sqrt(squares[i] / rows);
    }
  }

  private void step(double[][] x, int[] y, int n) {
    double[] gradient = new double[weights.length];
    for (int r = 0; r < n; r++) {
      double[] p = probabilities(x[r]);
      int best = 0;
      for (int c = 1; c < classes; c++) {
        best = p[c] > p[best] ? c : best;
      }
      correct += best == y[r] ? 1 : 0;
      logLoss -= Math.log(Math.max(p[y[r]], 1e-15));
      scored.add(new Scored(p[1], y[r] == 1));
      for (int o = 0; o < outputs(); o++) {
        int c = classes == 2 ? 1 : o;
        double g = (p[c] - (y[r] == c ? 1 : 0)) / n;
        for (int i = 0; i <= features; i++) {
          gradient[o * (features + 1) + i] += g * x[r][i];
        }
      }
    }
    steps++;
    for (int i = 0; i < weights.length; i++) {
      update(i, gradient[i]);
    }
  }

  private double[] probabilities(double[] x) {
    double[] z = new double[classes];
    for (int o = 0; o < outputs(); o++) {
      int c = classes == 2 ? 1 : o;
      for (int i = 0; i <= features; i++) {
        z[c] += weights[o * (features + 1) + i] * x[i];
      }
    }
    double max = Arrays.stream(z).max().orElseThrow();
    double sum = 0;
    for (int c = 0; c < classes; c++) {
      z[c] = Math.exp(z[c] - max);
      sum += z[c];
    }
    for (int c = 0; c < classes; c++) {
      z[c] /= sum;
    }
    return z;
  }

  private void update(int i, double g) {
    switch (rule) {
      case SGD -> weights[i] -= rate * g;
      case MOMENTUM -> {
        first[i] = 0.9 * first[i] + g;
        weights[i] -= rate * first[i];
      }
      case RMSPROP -> {
        second[i] = 0.99 * second[i] + 0.01 * g * g;
        weights[i] -= rate * g / (Math.sqrt(second[i]) + 1e-8);
      }
      case ADAM -> {
        first[i] = 0.9 * first[i] + 0.1 * g;
        second[i] = 0.999 * second[i] + 0.001 * g * g;
        weights[i] -=
            rate
                / (1 - Math.pow(0.9, steps))
                * first[i]
                / (Math.sqrt(second[i] / (1 - Math.pow(0.999, steps))) + 1e-8);
      }
    }
  }
}
