package io.penstock.app.sample;

import io.penstock.app.sample.InferredSchema.Field;
import io.penstock.app.sample.InferredSchema.LeftOut;
import io.penstock.config.SchemaConfig.FieldType;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.TreeSet;

/**
 * Decides what each column of a sample is. Numbers are numbers, 0 and 1 flags; other texts are categories, unless nearly every
 * row has one of its own. Columns that say nothing or only number the rows are left out.
 */
public final class SchemaInference {
  /** Categories whose values are listed. */
  private static final int FEW_VALUES = 8;

  /** Categories that are made features of one by one. */
  static final int MOST_CATEGORIES = 1000;

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

  private void look(ColumnProfile column) {
    String why = uselessness(column);
    if (why.isEmpty() && column.vectorSize() > 0) {
      why = vector(column);
    } else if (why.isEmpty() && (column.isNumeric() || column.areFlags())) {
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
      return "always " + Words.quoted(column.counts().firstKey());
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
    String range = Words.plain(column.least()) + " to " + Words.plain(column.greatest());
    boolean codes = column.isWhole() && column.different() <= 12 && column.different() > 2;
    long odd = column.values() - column.numbers() - column.marked();
    return range
        + (codes ? ", " + column.different() + " different: category, if they are codes" : "")
        + (odd > 0
            ? ", but %,d such as %s: their rows will be rejected"
                .formatted(odd, Words.quoted(column.odd()))
            : "")
        + prefixed(gapsNote(column));
  }

  private String gapsNote(ColumnProfile column) {
    long gaps = sample.missing(column) + (column.isNumeric() ? column.marked() : 0);
    return gaps == 0 ? "" : "missing in %s of the rows".formatted(Words.share(gaps, sample.rows()));
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
}
