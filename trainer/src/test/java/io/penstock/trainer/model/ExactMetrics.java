package io.penstock.trainer.model;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;

/** Metrics of rows that were kept, computed by their definitions, without bins and without running sums. */
public final class ExactMetrics {
  private final int classes;
  private final double fade;
  private final List<Row> rows = new ArrayList<>();

  /**
   * A row that was predicted.
   *
   * @param score of class 1 where there are two classes, the probability of the prediction where there are more
   */
  public record Row(double label, double prediction, double score, double loss) {}

  private record Weighed(double score, boolean positive, double weight) {}

  public ExactMetrics(int classes, double fade) {
    this.classes = classes;
    this.fade = fade;
  }

  public void add(Row row) {
    rows.add(row);
  }

  public int rows() {
    return rows.size();
  }

  private double weight(int i) {
    return Math.pow(fade, rows.size() - 1 - i);
  }

  /** Something of a row, by its place. */
  public interface OfRow {
    double of(int i);
  }

  public double mean(OfRow value) {
    double sum = 0;
    double weights = 0;
    for (int i = 0; i < rows.size(); i++) {
      sum += weight(i) * value.of(i);
      weights += weight(i);
    }
    return sum / weights;
  }

  private double sum(OfRow value) {
    double sum = 0;
    for (int i = 0; i < rows.size(); i++) {
      sum += weight(i) * value.of(i);
    }
    return sum;
  }

  public double label(int i) {
    return rows.get(i).label;
  }

  public double model(int i) {
    return rows.get(i).prediction;
  }

  /** The label of the row before; -1 for a class, and 0 for a number, before the first. */
  double noChange(int i) {
    return i == 0 ? (classes == 0 ? 0 : -1) : label(i - 1);
  }

  /** For each row, the class that was the most frequent one before it, the one that was first where there are several; or -1. */
  double[] majorities() {
    double[] majorities = new double[rows.size()];
    int[] seen = new int[classes];
    int most = -1;
    for (int i = 0; i < rows.size(); i++) {
      majorities[i] = most;
      int label = (int) label(i);
      seen[label]++;
      most = most < 0 || seen[label] > seen[most] ? label : most;
    }
    return majorities;
  }

  /** For each row, the mean of all labels before it; 0 for the first. */
  double[] means() {
    double[] means = new double[rows.size()];
    double sum = 0;
    for (int i = 0; i < rows.size(); i++) {
      means[i] = i == 0 ? 0 : sum / i;
      sum += label(i);
    }
    return means;
  }

  public double accuracy(OfRow said) {
    return mean(i -> said.of(i) == label(i) ? 1 : 0);
  }

  /** Precision, recall and F1. */
  public double[] precisionRecallF1(OfRow said) {
    double[] means = new double[3];
    int count = 0;
    for (int c = classes == 2 ? 1 : 0; c < classes; c++) {
      int of = c;
      double hits = sum(i -> said.of(i) == of && label(i) == of ? 1 : 0);
      double predicted = sum(i -> said.of(i) == of ? 1 : 0);
      double actual = sum(i -> label(i) == of ? 1 : 0);
      if (classes > 2 && predicted == 0 && actual == 0) {
        continue;
      }
      count++;
      double precision = predicted == 0 ? 0 : hits / predicted;
      double recall = actual == 0 ? 0 : hits / actual;
      means[0] += precision;
      means[1] += recall;
      means[2] += precision + recall == 0 ? 0 : 2 * precision * recall / (precision + recall);
    }
    for (int k = 0; k < 3; k++) {
      means[k] /= count;
    }
    return means;
  }

  /** Scores from the lowest to the highest. */
  private List<Weighed> sorted(boolean binned) {
    List<Weighed> sorted = new ArrayList<>();
    for (int i = 0; i < rows.size(); i++) {
      Row row = rows.get(i);
      double score =
          binned
              ? Math.min(1023, Math.floor((Math.clamp(row.score, -16, 16) + 16) * 32))
              : row.score;
      sorted.add(new Weighed(score, row.label == 1, weight(i)));
    }
    sorted.sort(Comparator.comparingDouble(Weighed::score));
    return sorted;
  }

  /** The share of pairs whose row of class 1 has the higher score, equal scores counting half: by ranks. */
  public double auc(boolean binned) {
    List<Weighed> sorted = sorted(binned);
    double won = 0;
    double negatives = 0;
    double positives = 0;
    int i = 0;
    while (i < sorted.size()) {
      double p = 0;
      double n = 0;
      int j = i;
      for (; j < sorted.size() && sorted.get(j).score == sorted.get(i).score; j++) {
        p += sorted.get(j).positive ? sorted.get(j).weight : 0;
        n += sorted.get(j).positive ? 0 : sorted.get(j).weight;
      }
      won += p * (negatives + n / 2);
      positives += p;
      negatives += n;
      i = j;
    }
    return won / (positives * negatives);
  }

  /** Σ (recall - recall before) precision, a threshold for each score: sklearn.metrics.average_precision_score. */
  double averagePrecision(boolean binned) {
    List<Weighed> sorted = sorted(binned);
    double positives = sum(i -> label(i));
    double area = 0;
    double hits = 0;
    double all = 0;
    int i = sorted.size() - 1;
    while (i >= 0) {
      double gained = 0;
      double score = sorted.get(i).score;
      for (; i >= 0 && sorted.get(i).score == score; i--) {
        gained += sorted.get(i).positive ? sorted.get(i).weight : 0;
        all += sorted.get(i).weight;
      }
      hits += gained;
      area += gained / positives * (hits / all);
    }
    return area;
  }

  private double probability(int i) {
    double score = rows.get(i).score;
    return classes == 2 ? 1 / (1 + Math.exp(-score)) : score;
  }

  /** Σ over 15 bins of their share of the rows times |mean probability - share that came true|. */
  double calibrationError() {
    double error = 0;
    for (int bin = 0; bin < 15; bin++) {
      int of = bin;
      double said = sum(i -> binOf(i) == of ? probability(i) : 0);
      double came = sum(i -> binOf(i) == of ? came(i) : 0);
      error += Math.abs(said - came);
    }
    return error / sum(i -> 1);
  }

  private int binOf(int i) {
    return Math.min((int) (15 * probability(i)), 14);
  }

  private double came(int i) {
    return classes == 2 ? label(i) : label(i) == model(i) ? 1 : 0;
  }

  /** The share of rows whose probability is as near to the edge of a bin as it is known. */
  double shareAtEdges() {
    return mean(
        i -> {
          double place = 15 * probability(i);
          return Math.abs(place - Math.rint(place)) < 15 * 1.3e-5 ? 1 : 0;
        });
  }

  public double logLoss() {
    return mean(i -> Math.min(rows.get(i).loss, -Math.log(1e-15)));
  }

  /** The mean of -ln of the classes' shares of the very rows. */
  double logLossOfShares() {
    double[] shares = new double[classes];
    for (int c = 0; c < classes; c++) {
      int of = c;
      shares[c] = mean(i -> label(i) == of ? 1 : 0);
    }
    return mean(i -> -Math.log(shares[(int) label(i)]));
  }

  double cell(int actual, int predicted) {
    return sum(i -> label(i) == actual && model(i) == predicted ? 1 : 0);
  }

  public double squaredError(OfRow said) {
    return mean(i -> Math.pow(said.of(i) - label(i), 2));
  }
}
