package io.penstock.app.sample;

import io.penstock.ingest.codec.Decimals;
import io.penstock.ingest.codec.EventTimes;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;

/** What the values of a column have in common. Different texts are told apart up to a bound, so that memory has one. */
final class ColumnProfile {
  /** Different texts that are kept; a column with more has "many". */
  static final int MOST_TEXTS = 10_000;

  /** Of the values of a number, so many may be none: their rows will be rejected. */
  private static final double ODD_SHARE = 0.005;

  /** Texts that people write for nothing. */
  private static final Set<String> MARKERS =
      Set.of(
          "?", "-", "NA", "N/A", "n/a", "na", "NaN", "nan", "null", "NULL", "None", "\\N", "nil");

  private final String name;
  private final Map<String, Value> texts = new HashMap<>();
  private long values;
  private long numbers;
  private long integers;
  private long flags;
  private long times;
  private long arrays;
  private int vectorSize;
  private long unseen; // of texts that were not kept
  private double least = Double.POSITIVE_INFINITY;
  private double greatest = Double.NEGATIVE_INFINITY;
  private double mean;
  private double squares; // about the mean
  private double last = Double.NaN;
  private boolean countsUp = true;

  ColumnProfile(String name) {
    this.name = name;
  }

  /** A text, and what it may be read as. */
  private static final class Value {
    final double number;
    final boolean flag;
    final boolean time;
    long count;

    Value(String text) {
      byte[] utf8 = text.strip().getBytes(StandardCharsets.UTF_8);
      number = Decimals.parse(utf8, 0, utf8.length);
      flag =
          number == 0
              || number == 1
              || text.strip().equalsIgnoreCase("true")
              || text.strip().equalsIgnoreCase("false");
      time = Double.isNaN(number) && EventTimes.parse(utf8, 0, utf8.length) != EventTimes.INVALID;
    }

    boolean isInteger() {
      return number == Math.rint(number);
    }
  }

  /** Notes a value that is there. */
  void add(String text) {
    Value value = texts.get(text);
    if (value == null) {
      value = new Value(text);
      if (texts.size() < MOST_TEXTS) {
        texts.put(text, value);
      } else {
        unseen++;
      }
    }
    value.count++;
    values++;
    flags += value.flag ? 1 : 0;
    times += value.time ? 1 : 0;
    countsUp &= values == 1 ? value.isInteger() : value.number == last + 1;
    last = value.number;
    if (!Double.isNaN(value.number)) {
      numbers++;
      integers += value.isInteger() ? 1 : 0;
      least = Math.min(least, value.number);
      greatest = Math.max(greatest, value.number);
      double delta = value.number - mean; // Welford, 1962
      mean += delta / numbers;
      squares += delta * (value.number - mean);
    }
  }

  /**
   * Notes a value that is a list.
   *
   * @param size how many elements it has
   * @param numeric whether all of them are numbers
   */
  void addArray(int size, boolean numeric) {
    boolean fits = numeric && size > 0 && (arrays == 0 || size == vectorSize);
    vectorSize = fits ? size : 0;
    arrays++;
  }

  String name() {
    return name;
  }

  /** How many numbers each value is a list of; 0: they are something else, or not equally many. */
  int vectorSize() {
    return values == 0 ? vectorSize : 0;
  }

  /** Values that are lists. */
  long arrays() {
    return arrays;
  }

  /** Values that are there. */
  long values() {
    return values;
  }

  long numbers() {
    return numbers;
  }

  double least() {
    return least;
  }

  double greatest() {
    return greatest;
  }

  double mean() {
    return mean;
  }

  /** Standard deviation of the numbers. */
  double deviation() {
    return numbers == 0 ? 0 : Math.sqrt(squares / numbers);
  }

  /** Whether all numbers are whole. */
  boolean isWhole() {
    return integers == numbers;
  }

  /** Whether each value is the one before and 1. */
  boolean countsUp() {
    return countsUp && values > 1;
  }

  /** Whether the values are numbers, but for markers and a few odd ones. */
  boolean isNumeric() {
    long odd = values - numbers - marked();
    return numbers > 0 && odd <= ODD_SHARE * values;
  }

  boolean areFlags() {
    return flags == values;
  }

  boolean areTimes() {
    return times == values;
  }

  /** Whether there are more different texts than were kept. */
  boolean isMany() {
    return unseen > 0;
  }

  /** Different texts, as far as they were kept. */
  int different() {
    return texts.size();
  }

  /** The different texts in their order, and how often each was there. */
  SortedMap<String, Long> counts() {
    SortedMap<String, Long> counts = new TreeMap<>();
    texts.forEach((text, value) -> counts.put(text, value.count));
    return counts;
  }

  /** Texts that are no numbers and look like none: the column has numbers where they are taken for missing values. */
  List<String> markers() {
    List<String> found = new ArrayList<>();
    texts.forEach(
        (text, value) -> {
          if (Double.isNaN(value.number) && MARKERS.contains(text.strip())) {
            found.add(text.strip());
          }
        });
    return found.stream().distinct().sorted().toList();
  }

  /** How often one of {@link #markers} was there. */
  long marked() {
    return texts.entrySet().stream()
        .filter(e -> Double.isNaN(e.getValue().number) && MARKERS.contains(e.getKey().strip()))
        .mapToLong(e -> e.getValue().count)
        .sum();
  }

  /** A text that is no number and no marker, for a message; empty where there is none. */
  String odd() {
    return texts.entrySet().stream()
        .filter(e -> Double.isNaN(e.getValue().number) && !MARKERS.contains(e.getKey().strip()))
        .map(Map.Entry::getKey)
        .sorted()
        .findFirst()
        .orElse("");
  }

  /** The different numbers, as far as their texts were kept. */
  List<Double> differentNumbers() {
    return texts.values().stream()
        .map(value -> value.number)
        .filter(number -> !Double.isNaN(number))
        .distinct()
        .sorted()
        .toList();
  }
}
