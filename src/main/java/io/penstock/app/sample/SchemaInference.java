package io.penstock.app.sample;

import io.penstock.app.sample.InferredSchema.Field;
import io.penstock.app.sample.InferredSchema.LeftOut;
import io.penstock.config.Nearest;
import io.penstock.config.SchemaConfig.FieldType;
import io.penstock.config.SchemaConfig.LabelConfig;
import io.penstock.config.SchemaConfig.LabelType;
import java.math.BigDecimal;
import java.math.MathContext;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * Decides what each column of a sample is. Numbers are numbers, 0 and 1 flags; other texts are categories, unless nearly every
 * row has one of its own. Columns that say nothing or only number the rows are left out.
 */
public final class SchemaInference {
  /** Categories whose values are listed. */
  private static final int FEW_VALUES = 8;

  /** Categories that are made features of one by one. */
  private static final int MOST_CATEGORIES = 1000;

  /** Of the values of a number, so many may be none: their rows will be rejected. */
  private static final double ODD_SHARE = 0.005;

  /** Integers up to here may be classes. */
  private static final int MOST_INTEGER_CLASSES = 100;

  /** Rows that each integer must have on the mean to be a class. */
  private static final int ROWS_A_CLASS = 5;

  private static final MathContext SHOWN_DIGITS = new MathContext(4);
  private static final int NAMES_SHOWN = 30;
  private static final int CLASSES_SHOWN = 6;

  private static final String OTHER_MEANING =
      "its name means something else in a configuration; rename the column";

  private final Sample sample;
  private final List<Field> fields = new ArrayList<>();
  private final List<LeftOut> leftOut = new ArrayList<>();
  private final Set<String> missing = new TreeSet<>();
  private String eventTime = "";

  private SchemaInference(Sample sample) {
    this.sample = sample;
  }

  /**
   * The columns of a sample.
   *
   * @param parts fields that have another part than to be learnt from
   */
  public static InferredSchema fields(Sample sample, Collection<String> parts) {
    SchemaInference inference = new SchemaInference(sample);
    sample.columns().stream()
        .filter(column -> !parts.contains(column.name()))
        .forEach(inference::look);
    return new InferredSchema(
        inference.eventTime, inference.fields, inference.leftOut, List.copyOf(inference.missing));
  }

  /**
   * What a field is that is to be predicted.
   *
   * @param wanted what it shall be; null: as its values look
   * @throws SampleException where there is no such field, or it cannot be that
   */
  public static InferredLabel label(Sample sample, String field, @Nullable LabelType wanted) {
    return label(column(sample, field), wanted);
  }

  private static ColumnProfile column(Sample sample, String name) {
    List<String> names = sample.columns().stream().map(ColumnProfile::name).toList();
    return sample.columns().stream()
        .filter(column -> column.name().equals(name))
        .findFirst()
        .orElseThrow(
            () ->
                new SampleException(
                    "--label: %s has no column '%s'%s Columns%s: %s"
                        .formatted(
                            sample.path(),
                            name,
                            punctuated(Nearest.hint(name, names)),
                            headerless(sample) ? ", which no header names" : "",
                            shown(names))));
  }

  private static String punctuated(String hint) {
    return hint.isEmpty() ? "." : hint;
  }

  private static boolean headerless(Sample sample) {
    return sample.format() instanceof Sample.Format.Csv csv && !csv.header();
  }

  private static String shown(List<String> names) {
    return names.size() <= NAMES_SHOWN
        ? String.join(", ", names)
        : String.join(", ", names.subList(0, NAMES_SHOWN - 1)) + " … " + names.getLast();
  }

  // Fields

  private void look(ColumnProfile column) {
    String why = uselessness(column);
    if (why.isEmpty() && column.vectorSize() > 0) {
      why = vector(column);
    } else if (why.isEmpty() && (isNumber(column) || column.areFlags())) {
      why = number(column);
    } else if (why.isEmpty() && column.areTimes()) {
      time(column);
    } else if (why.isEmpty()) {
      why = category(column);
    }
    if (!why.isEmpty()) {
      leftOut.add(new LeftOut(column.name(), why));
    }
  }

  /** Why a column is not learnt from whatever its values mean; empty: nothing speaks against it. */
  private static String uselessness(ColumnProfile column) {
    if (column.name().isEmpty()) {
      return "has no name";
    }
    if (column.name().indexOf('*') >= 0) {
      return OTHER_MEANING;
    }
    if (column.arrays() > 0 && column.vectorSize() == 0) {
      return "a list, but not of equally many numbers in every row";
    }
    if (column.vectorSize() > 0) {
      return "";
    }
    if (column.values() == 0) {
      return "always empty";
    }
    if (column.different() == 1) {
      return "always " + quoted(column.counts().firstKey());
    }
    return column.countsUp() ? "numbers the rows" : "";
  }

  /** Why it is left out; empty: it is not. */
  private String vector(ColumnProfile column) {
    if (column.arrays() < sample.rows()) {
      return "a list that is not there in every row";
    }
    fields.add(
        new Field(column.name(), FieldType.VECTOR, false, column.vectorSize(), 0, List.of(), ""));
    return "";
  }

  private static boolean isNumber(ColumnProfile column) {
    long odd = column.values() - column.numbers() - column.marked();
    return column.numbers() > 0 && odd <= ODD_SHARE * column.values();
  }

  /** Why it is left out; empty: it is not. */
  private String number(ColumnProfile column) {
    FieldType type = column.areFlags() ? FieldType.FLAG : FieldType.NUMBER;
    if (meansOther(column, type)) {
      return OTHER_MEANING;
    }
    List<String> markers = column.markers();
    missing.addAll(markers);
    boolean gaps = sample.missing(column) > 0 || !markers.isEmpty();
    fields.add(
        new Field(
            column.name(),
            type,
            gaps,
            0,
            column.different(),
            List.of(),
            type == FieldType.FLAG ? gapsNote(column) : numberNote(column)));
    return "";
  }

  /** Whether steps would take the name for another type than its own. */
  private static boolean meansOther(ColumnProfile column, FieldType type) {
    return Arrays.stream(FieldType.values())
        .anyMatch(other -> other != type && word(other).equals(column.name()));
  }

  private static String word(FieldType type) {
    return type.name().toLowerCase(Locale.ROOT);
  }

  private String numberNote(ColumnProfile column) {
    String range = plain(column.least()) + " to " + plain(column.greatest());
    boolean codes = column.isWhole() && column.different() <= 12 && column.different() > 2;
    long odd = column.values() - column.numbers() - column.marked();
    return range
        + (codes ? ", " + column.different() + " different: category, if they are codes" : "")
        + (odd > 0
            ? ", but %,d such as %s: their rows will be rejected"
                .formatted(odd, quoted(column.odd()))
            : "")
        + prefixed(gapsNote(column));
  }

  private String gapsNote(ColumnProfile column) {
    long gaps = sample.missing(column) + (isNumber(column) ? column.marked() : 0);
    return gaps == 0 ? "" : "missing in %s of the rows".formatted(share(gaps, sample.rows()));
  }

  private void time(ColumnProfile column) {
    boolean first = eventTime.isEmpty() && sample.missing(column) == 0;
    if (first) {
      eventTime = column.name();
    } else {
      leftOut.add(new LeftOut(column.name(), "a time"));
    }
  }

  /** Why it is left out; empty: it is not. */
  private String category(ColumnProfile column) {
    if (meansOther(column, FieldType.CATEGORY)) {
      return OTHER_MEANING;
    }
    if (2L * column.different() > column.values()) {
      return "nearly every row has another text";
    }
    if (column.isMany() || column.different() > MOST_CATEGORIES) {
      return "more than %,d different texts".formatted(MOST_CATEGORIES);
    }
    List<String> values = List.of();
    if (column.different() <= FEW_VALUES && sample.whole()) {
      values = List.copyOf(column.counts().keySet());
    }
    fields.add(
        new Field(
            column.name(),
            FieldType.CATEGORY,
            sample.missing(column) > 0,
            0,
            column.different(),
            values,
            "%,d different".formatted(column.different()) + prefixed(gapsNote(column))));
    return "";
  }

  private static String prefixed(String note) {
    return note.isEmpty() ? "" : ", " + note;
  }

  // Label

  private static InferredLabel label(ColumnProfile column, @Nullable LabelType wanted) {
    if (column.values() == 0 || column.arrays() > 0) {
      throw new SampleException(
          "--label: %s is %s; name what is to be predicted"
              .formatted(column.name(), column.arrays() > 0 ? "a list" : "always empty"));
    }
    if (column.different() == 1) {
      throw new SampleException(
          "--label: %s is always %s in these rows; there is nothing to tell apart"
              .formatted(column.name(), quoted(column.counts().firstKey())));
    }
    boolean number = isNumber(column);
    if (wanted == LabelType.NUMBER && !number) {
      throw new SampleException(
          "--label-type: %s is no number, but has values such as %s"
              .formatted(column.name(), quoted(column.odd())));
    }
    int integers = integerClasses(column);
    if (wanted == LabelType.NUMBER
        || (wanted == null && number && integers == 0 && !isPair(column))) {
      return numberLabel(column);
    }
    boolean fewRows = (long) integers * ROWS_A_CLASS > column.values();
    if (integers > 0 && !(wanted == null && integers > 2 && fewRows)) {
      return new InferredLabel(
          new LabelConfig(column.name(), LabelType.CLASS, integers, List.of()),
          shares(column),
          0,
          0,
          List.of());
    }
    return integers > 0 ? numberLabel(column) : namedLabel(column);
  }

  /** Two different numbers that are not 0 and 1, such as -1 and 1. */
  private static boolean isPair(ColumnProfile column) {
    return !column.isMany() && column.different() == 2;
  }

  /** How many classes whole numbers mean that count from 0 or from 1 without a gap; 0: they do not. */
  private static int integerClasses(ColumnProfile column) {
    boolean whole = column.numbers() == column.values() && column.isWhole() && !column.isMany();
    if (!whole || column.least() < 0 || column.least() > 1) {
      return 0;
    }
    int different = column.differentNumbers().size();
    boolean dense = column.greatest() - column.least() + 1 == different;
    return dense && different >= 2 && different <= MOST_INTEGER_CLASSES ? different : 0;
  }

  private static InferredLabel numberLabel(ColumnProfile column) {
    return new InferredLabel(
        new LabelConfig(column.name(), LabelType.NUMBER, 0, List.of()),
        "%s to %s".formatted(plain(column.least()), plain(column.greatest())),
        column.mean(),
        column.deviation(),
        column.markers());
  }

  private static InferredLabel namedLabel(ColumnProfile column) {
    if (column.isMany()
        || column.different() > MOST_CATEGORIES
        || 2L * column.different() > column.values() + 2) {
      throw new SampleException(
          "--label: %s has %s%,d different texts in %,d values; classes are few. Is it the right field?"
              .formatted(
                  column.name(),
                  column.isMany() ? "more than " : "",
                  column.different(),
                  column.values()));
    }
    List<String> names = List.copyOf(column.counts().keySet());
    return new InferredLabel(
        new LabelConfig(column.name(), LabelType.CLASS, names.size(), names),
        shares(column),
        0,
        0,
        List.of());
  }

  private static String shares(ColumnProfile column) {
    Map<String, Long> counts = column.counts();
    return counts.size() > CLASSES_SHOWN
        ? counts.size() + " classes"
        : counts.entrySet().stream()
            .map(e -> quoted(e.getKey()) + " " + share(e.getValue(), column.values()))
            .collect(Collectors.joining(", "));
  }

  // Words

  private static String share(long part, long whole) {
    double percent = 100.0 * part / whole;
    return percent < 1 ? "less than 1 %" : String.format(Locale.ROOT, "%.0f %%", percent);
  }

  private static String plain(double value) {
    return value == Math.rint(value) && Math.abs(value) < 1e15
        ? Long.toString((long) value)
        : new BigDecimal(value).round(SHOWN_DIGITS).stripTrailingZeros().toString();
  }

  private static String quoted(String text) {
    String shown = text.length() > 40 ? text.substring(0, 40) + "…" : text;
    return shown.replaceAll("\\p{Cntrl}", " ");
  }
}
