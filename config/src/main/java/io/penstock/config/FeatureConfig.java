package io.penstock.config;

import java.util.List;

/** One step from columns to features. Each acts on the columns that {@code fields} selects. */
public sealed interface FeatureConfig {

  /** Types ({@code number}, {@code flag}, {@code category}), names, or patterns with {@code *}. */
  List<String> fields();

  /**
   * To mean 0 and variance 1, by running mean and population variance.
   *
   * @param updateEvery rows after which the statistics advance
   */
  record Standardize(List<String> fields, int updateEvery) implements FeatureConfig {}

  /** To the range {@code min} to {@code max}. */
  record Clip(List<String> fields, double min, double max) implements FeatureConfig {}

  /**
   * Missing values.
   *
   * @param with what stands in for them
   * @param value for {@code CONSTANT}
   */
  record Impute(List<String> fields, Imputation with, double value, int updateEvery)
      implements FeatureConfig {}

  enum Imputation {
    MEAN,
    LAST,
    CONSTANT
  }

  /**
   * A feature for each category.
   *
   * @param values the categories; empty: the first {@code capacity} that come
   * @param capacity number of features; further categories set none of them
   */
  record OneHot(List<String> fields, List<String> values, int capacity, int updateEvery)
      implements FeatureConfig {}
}
