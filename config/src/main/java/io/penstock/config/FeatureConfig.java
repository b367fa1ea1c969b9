package io.penstock.config;

import java.time.DateTimeException;
import java.time.ZoneId;
import java.util.HashSet;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** One step from columns to features. Each acts on the columns that {@code fields} selects. */
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

  /**
   * A feature for each of some buckets, which a hash of the category picks: for categories without number, of which some share a
   * feature. The hash is MurmurHash3 (x86, 32 bits, seed 0) of the eight bytes, lowest first, of the category's 64-bit number
   * ({@code CategoryHash}); its lower 31 bits modulo the number of buckets are the bucket. A missing category sets none.
   *
   * @param fields types, names or patterns of fields
   * @param buckets number of features
   * @param signed whether the hash's highest bit makes the feature -1, so that categories that share a bucket cancel out on
   *     average (Weinberger et al., 2009)
   */
  record Hash(
      @Key(byDefault = "category") List<String> fields,
      @Key(range = "[1, 65536]") int buckets,
      @Key(byDefault = "false") boolean signed)
      implements FeatureConfig {
    /** Checks ranges. */
    public Hash {
      fields = List.copyOf(fields);
      Setting.check(Hash.class, fields, buckets, signed);
    }

    @Override
    public Takes takes() {
      return Takes.CATEGORIES;
    }

    @Override
    public boolean last() {
      return true;
    }
  }

  /**
   * A feature for each of the most frequent categories, and one, {@code x#other}, for all others. Categories are counted by
   * Space-Saving (Metwally et al., 2005) with as many counters as features: one that makes up more than 1/{@code capacity} of
   * the rows is always counted, and no count is too high by more than that share. A newcomer takes the counter of the rarest
   * (among equals, of the first), and its feature too as soon as it has come {@code minCount} times since. A missing category
   * sets none.
   *
   * @param fields types, names or patterns of fields
   * @param capacity number of features for categories
   * @param minCount how often a category must have come to have a feature
   * @param updateEvery rows after which features change hands
   */
  record Dictionary(
      @Key(byDefault = "category") List<String> fields,
      @Key(byDefault = "64", range = "[1, 65535]") int capacity,
      @Key(byDefault = "2", range = "[1, 1_000_000_000]") int minCount,
      @Key(byDefault = "64", range = "[1, 1_000_000]") int updateEvery)
      implements FeatureConfig {
    /** Checks ranges. */
    public Dictionary {
      fields = List.copyOf(fields);
      Setting.check(Dictionary.class, fields, capacity, minCount, updateEvery);
    }

    @Override
    public Takes takes() {
      return Takes.CATEGORIES;
    }

    @Override
    public boolean last() {
      return true;
    }
  }

  /**
   * To 0 to 1, by the least and the greatest value so far; 0 where those are equal. What lies beyond them becomes 0 or 1.
   *
   * @param fields types, names or patterns of fields
   * @param updateEvery rows after which the two advance
   */
  record MinMax(
      List<String> fields, @Key(byDefault = "64", range = "[1, 1_000_000]") int updateEvery)
      implements FeatureConfig {
    /** Checks ranges. */
    public MinMax {
      fields = List.copyOf(fields);
      Setting.check(MinMax.class, fields, updateEvery);
    }
  }

  /**
   * The logarithm of 1 + |x|, with the sign of x: for values that span powers of ten.
   *
   * @param fields types, names or patterns of fields
   */
  record Log1p(List<String> fields) implements FeatureConfig {
    /** Takes its own list. */
    public Log1p {
      fields = List.copyOf(fields);
    }
  }

  /**
   * A feature for each interval between bounds: {@code x#0} below the first bound, {@code x#1} from there to below the second,
   * and so on. A missing value sets none.
   *
   * @param fields types, names or patterns of fields
   * @param bounds where an interval ends and the next begins, in rising order
   */
  record Bucketize(List<String> fields, List<Double> bounds) implements FeatureConfig {
    private static final int MAX_BOUNDS = 65535;

    /** Checks that bounds rise, as the floats that they are held against. */
    public Bucketize {
      fields = List.copyOf(fields);
      bounds = List.copyOf(bounds);
      Setting.check(Bucketize.class, fields, bounds);
      if (bounds.isEmpty() || bounds.size() > MAX_BOUNDS) {
        throw new InvalidSetting(
            "bounds", "must be 1 to " + MAX_BOUNDS + " numbers, not " + bounds.size());
      }
      for (int i = 1; i < bounds.size(); i++) {
        if (bounds.get(i).floatValue() <= bounds.get(i - 1).floatValue()) {
          throw new InvalidSetting(
              "bounds[" + i + "]",
              "must be above the bound before, %s (as floats), not %s"
                  .formatted(bounds.get(i - 1), bounds.get(i)));
        }
      }
    }

    @Override
    public boolean last() {
      return true;
    }
  }

  /**
   * Sine and cosine ({@code x.sin}, {@code x.cos}) of what comes round again: of numbers with a period, or of parts of the
   * row's event time. A missing value is the circle's middle: both are 0.
   *
   * @param fields types, names or patterns of fields, with {@code period}
   * @param period after which a number means the same again: 24 for hours of the day
   * @param parts instead of fields and period: parts of {@code schema.eventTime}, whole numbers, a column of that name for each
   * @param zone whose clocks the parts go by: {@code UTC}, an offset like {@code +02:00}, or a region like {@code Europe/Oslo},
   *     by the rules that the JDK has for it
   */
  record Cyclical(
      @Key(byDefault = "[]") List<String> fields,
      @Nullable Double period,
      @Key(byDefault = "[]") List<TimePart> parts,
      @Key(byDefault = "UTC") String zone)
      implements FeatureConfig {
    /** Checks that it is either of fields or of parts. */
    public Cyclical {
      fields = List.copyOf(fields);
      parts = List.copyOf(parts);
      if (parts.isEmpty() == fields.isEmpty()) {
        throw new InvalidSetting(
            "fields",
            "must be given with period, or parts instead; "
                + (parts.isEmpty() ? "neither is there" : "both are there"));
      }
      if (!fields.isEmpty() && (period == null || !(period > 0) || period.isInfinite())) {
        throw new InvalidSetting("period", "must be above 0 with fields, not " + period);
      }
      if (!parts.isEmpty() && period != null) {
        throw new InvalidSetting("period", "must be left out with parts, which have their own");
      }
      if (parts.isEmpty() && !zone.equals("UTC")) {
        throw new InvalidSetting("zone", "must be left out with fields: a number has no zone");
      }
      if (new HashSet<>(parts).size() < parts.size()) {
        throw new InvalidSetting("parts", "must name each part once");
      }
      try {
        var _ = ZoneId.of(zone);
      } catch (DateTimeException e) {
        throw new InvalidSetting(
            "zone", "must be a zone like UTC, +02:00 or Europe/Oslo, not " + zone);
      }
    }

    @Override
    public boolean last() {
      return true;
    }
  }

  /** A part of a time, as java.time counts it. */
  enum TimePart {
    /** 0 to 59. */
    SECOND_OF_MINUTE(60),
    /** 0 to 59. */
    MINUTE_OF_HOUR(60),
    /** 0 to 1439. */
    MINUTE_OF_DAY(1440),
    /** 0 to 23. */
    HOUR_OF_DAY(24),
    /** 1, Monday, to 7. */
    DAY_OF_WEEK(7),
    /** 1 to 31. */
    DAY_OF_MONTH(31),
    /** 1 to 366. */
    DAY_OF_YEAR(366),
    /** 1 to 12. */
    MONTH_OF_YEAR(12);

    private final int period;

    TimePart(int period) {
      this.period = period;
    }

    /** How many values there are. */
    public int period() {
      return period;
    }

    /** As it is written: {@code hourOfDay}. */
    @Override
    public String toString() {
      return Setting.word(this);
    }
  }
}
