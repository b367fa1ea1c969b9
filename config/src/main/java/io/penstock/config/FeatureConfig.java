package io.penstock.config;

import java.util.HashSet;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** One step from columns to features. Each acts on the columns that {@code fields} selects. */
@Planned({"hash", "dictionary", "minMax", "log1p", "bucketize", "cyclical"})
public sealed interface FeatureConfig {

  /**
   * Types ({@code number}, {@code flag}, {@code category}), names, or patterns with {@code *}. A column that a step has made
   * features of is of no type any more.
   */
  List<String> fields();

  /** The step's name, as it is written. */
  default String name() {
    return Setting.lowerFirst(getClass().getSimpleName());
  }

  /** What the step takes. */
  default Takes takes() {
    return Takes.NUMBERS;
  }

  /** Whether the step makes features of its columns, so that no other may follow. */
  default boolean last() {
    return false;
  }

  /** Whether a missing value is none any more behind the step. */
  default boolean fillsIn() {
    return last();
  }

  /** What a step takes. */
  enum Takes {
    /** Numbers, and flags as such. */
    NUMBERS,
    /** Categories. */
    CATEGORIES,
    /** Fields of any type. */
    ANY
  }

  /**
   * To mean 0 and variance 1, by running mean and population variance.
   *
   * @param fields types, names or patterns of fields
   * @param updateEvery rows after which the statistics advance
   */
  record Standardize(
      List<String> fields, @Key(byDefault = "64", range = "[1, 1_000_000]") int updateEvery)
      implements FeatureConfig {
    /** Checks ranges. */
    public Standardize {
      fields = List.copyOf(fields);
      Setting.check(Standardize.class, fields, updateEvery);
    }
  }

  /**
   * To the range {@code min} to {@code max}.
   *
   * @param fields types, names or patterns of fields
   * @param min what lies below becomes this
   * @param max what lies above becomes this
   */
  record Clip(List<String> fields, double min, double max) implements FeatureConfig {
    /** Checks ranges. */
    public Clip {
      fields = List.copyOf(fields);
      Setting.check(Clip.class, fields, min, max);
      if (min > max) {
        throw new InvalidSetting("max", "must be at least min, " + min + ", not " + max);
      }
    }
  }

  /**
   * Missing values.
   *
   * @param fields types, names or patterns of fields
   * @param with what stands in for them
   * @param value for {@code CONSTANT}
   * @param updateEvery rows after which mean or last value advance
   */
  @WrittenAs(ImputeForm.class)
  record Impute(List<String> fields, Imputation with, double value, int updateEvery)
      implements FeatureConfig, WrittenAs.Meaning {
    /** Checks ranges. */
    public Impute {
      fields = List.copyOf(fields);
      Setting.check(Impute.class, fields, with, value, updateEvery);
      if (updateEvery < 1) {
        throw new InvalidSetting("updateEvery", "must be at least 1, not " + updateEvery);
      }
    }

    @Override
    public boolean fillsIn() {
      return true;
    }

    @Override
    public WrittenAs.Form written() {
      String text =
          switch (with) {
            case MEAN -> "mean";
            case LAST -> "last";
            case CONSTANT -> Double.toString(value);
          };
      return new ImputeForm(fields, text, updateEvery);
    }
  }

  /**
   * Missing values, as it is written.
   *
   * @param fields types, names or patterns of fields
   * @param with what stands in for them: {@code mean} and {@code last} of those seen, or a number
   * @param updateEvery rows after which mean or last value advance
   */
  record ImputeForm(
      List<String> fields,
      @Key(byDefault = "mean") String with,
      @Key(byDefault = "64", range = "[1, 1_000_000]") int updateEvery)
      implements WrittenAs.Form {
    @Override
    public Impute meaning() {
      return switch (with) {
        case "mean" -> new Impute(fields, Imputation.MEAN, 0, updateEvery);
        case "last" -> new Impute(fields, Imputation.LAST, 0, updateEvery);
        default -> {
          Number value = Scalars.number(double.class, Key.Unit.PLAIN, with);
          if (value == null) {
            throw new InvalidSetting("with", "must be mean, last or a number, not " + with);
          }
          yield new Impute(fields, Imputation.CONSTANT, value.doubleValue(), updateEvery);
        }
      };
    }
  }

  /** What stands in for a missing value. */
  enum Imputation {
    /** The mean of the values seen. */
    MEAN,
    /** The last value seen. */
    LAST,
    /** A value that is configured. */
    CONSTANT
  }

  /**
   * A feature for each category.
   *
   * @param values the categories; empty: the first {@code capacity} that come
   * @param capacity number of features; further categories set none of them
   */
  @WrittenAs(OneHotForm.class)
  record OneHot(List<String> fields, List<String> values, int capacity, int updateEvery)
      implements FeatureConfig, WrittenAs.Meaning {
    /** Makes one feature for each value where there are values. */
    public OneHot {
      fields = List.copyOf(fields);
      values = List.copyOf(values);
      capacity = values.isEmpty() ? capacity : values.size();
      if (capacity < 1 || capacity > MAX_CAPACITY) {
        throw new InvalidSetting("capacity", "must be 1 to " + MAX_CAPACITY + ", not " + capacity);
      }
      if (updateEvery < 1) {
        throw new InvalidSetting("updateEvery", "must be at least 1, not " + updateEvery);
      }
    }

    @Override
    public WrittenAs.Form written() {
      return new OneHotForm(fields, values, values.isEmpty() ? capacity : null, updateEvery);
    }

    @Override
    public Takes takes() {
      return Takes.CATEGORIES;
    }

    @Override
    public boolean last() {
      return true;
    }

    private static final int MAX_CAPACITY = 65536;
  }

  /**
   * A feature for each category, as it is written.
   *
   * @param fields types, names or patterns of fields
   * @param values the categories; empty: the first {@code capacity} that come
   * @param capacity number of features where there are no {@code values}, 64 unless given; further categories set none of them
   * @param updateEvery rows after which categories that came are given features
   */
  record OneHotForm(
      @Key(byDefault = "category") List<String> fields,
      @Key(byDefault = "[]") List<String> values,
      @Nullable Integer capacity,
      @Key(byDefault = "64", range = "[1, 1_000_000]") int updateEvery)
      implements WrittenAs.Form {
    private static final int CAPACITY = 64;

    @Override
    public OneHot meaning() {
      if (!values.isEmpty() && capacity != null) {
        throw new InvalidSetting("capacity", "must be left out where values are listed");
      }
      if (new HashSet<>(values).size() < values.size()) {
        throw new InvalidSetting("values", "must name each category once, not " + values);
      }
      return new OneHot(fields, values, capacity == null ? CAPACITY : capacity, updateEvery);
    }
  }

  /**
   * Values of earlier rows as columns of their own, which steps behind this one may select: {@code x~1} is {@code x} of the row
   * before, as the steps up to here have left it, and is of the same type. {@code class~1} is the label of the row before: a
   * number, a flag where there are two classes, a feature for each class where there are more. Rows count in the order of the
   * merged stream. Before there are that many rows it is 0, a missing category, none of the classes.
   *
   * @param fields types, names or patterns of fields; the label by its name alone
   * @param by how many rows earlier; a column for each
   */
  record Lag(List<String> fields, @Key(byDefault = "1", range = "[1, 65536]") List<Integer> by)
      implements FeatureConfig {
    /** Checks ranges. */
    public Lag {
      fields = List.copyOf(fields);
      by = List.copyOf(by);
      Setting.check(Lag.class, fields, by);
      if (by.isEmpty() || new HashSet<>(by).size() < by.size()) {
        throw new InvalidSetting("by", "must be at least one number, each once, not " + by);
      }
    }

    @Override
    public Takes takes() {
      return Takes.ANY;
    }

    /** The name of the column with the values of {@code by} rows earlier. */
    public static String name(String field, int by) {
      return field + "~" + by;
    }
  }
}
