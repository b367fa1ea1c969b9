package io.penstock.app.sample;

import io.penstock.config.Nearest;
import io.penstock.config.SchemaConfig.LabelConfig;
import io.penstock.config.SchemaConfig.LabelType;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * Decides what the field is that is to be predicted: a class where its values are texts, two, or few whole numbers that count from
 * 0 or 1; otherwise a number.
 */
public final class LabelInference {
  /** Integers up to here may be classes. */
  private static final int MOST_INTEGER_CLASSES = 100;

  /** Rows that each integer must have on the mean to be a class. */
  private static final int ROWS_A_CLASS = 5;

  private static final int NAMES_SHOWN = 30;

  private static final int CLASSES_SHOWN = 6;

  private LabelInference() {}

  /**
   * What a field is that is to be predicted.
   *
   * @param wanted what it shall be; null: as its values look
   * @throws SampleException where there is no such field, or it cannot be that
   */
  public static InferredLabel of(Sample sample, String field, @Nullable LabelType wanted) {
    return of(column(sample, field), wanted);
  }

  private static InferredLabel of(ColumnProfile column, @Nullable LabelType wanted) {
    if (column.values() == 0 || column.arrays() > 0) {
      throw new SampleException(
          "--label: %s is %s; name what is to be predicted"
              .formatted(column.name(), column.arrays() > 0 ? "a list" : "always empty"));
    }
    if (column.different() == 1) {
      throw new SampleException(
          "--label: %s is always %s in these rows; there is nothing to tell apart"
              .formatted(column.name(), Words.quoted(column.counts().firstKey())));
    }
    boolean number = column.isNumeric();
    if (wanted == LabelType.NUMBER && !number) {
      throw new SampleException(
          "--label-type: %s is no number, but has values such as %s"
              .formatted(column.name(), Words.quoted(column.odd())));
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
        "%s to %s".formatted(Words.plain(column.least()), Words.plain(column.greatest())),
        column.mean(),
        column.deviation(),
        column.markers());
  }

  private static InferredLabel namedLabel(ColumnProfile column) {
    if (column.isMany()
        || column.different() > SchemaInference.MOST_CATEGORIES
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
            .map(e -> Words.quoted(e.getKey()) + " " + Words.share(e.getValue(), column.values()))
            .collect(Collectors.joining(", "));
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
}
