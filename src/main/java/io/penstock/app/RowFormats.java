package io.penstock.app;

import io.penstock.config.Config;
import io.penstock.config.FormatConfig;
import io.penstock.config.FormatConfig.Csv;
import io.penstock.config.FormatConfig.Json;
import io.penstock.config.FormatConfig.UnknownFields;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.regex.Pattern;

/**
 * How rows are read that come from none of a run's sources: those of requests, and of files that are predicted or evaluated.
 *
 * @param csv of comma-separated values: as the source has them; of several sources, or of one that has none, with a header
 * @param json of the first source that reads JSON; empty where none does
 * @param unnamed of files whose names do not say what they hold: as the first source that reads bytes
 */
record RowFormats(Csv csv, Optional<Json> json, FormatConfig unnamed) {
  private static final Pattern JSON = Pattern.compile(".*\\.(json|jsonl|ndjson)(\\.gz|\\.zst)?");
  private static final Pattern CSV = Pattern.compile(".*\\.csv(\\.gz|\\.zst)?");

  static RowFormats of(Config config) {
    List<FormatConfig> formats =
        config.allSources().values().stream()
            .flatMap(source -> Sources.format(source).stream())
            .toList();
    List<Csv> ofSources = of(Csv.class, formats);
    Csv csv =
        config.allSources().size() == 1 && !ofSources.isEmpty()
            ? ofSources.getFirst()
            : withHeader(ofSources);
    boolean json = !formats.isEmpty() && formats.getFirst() instanceof Json;
    return new RowFormats(
        csv, of(Json.class, formats).stream().findFirst(), json ? formats.getFirst() : csv);
  }

  private static <T extends FormatConfig> List<T> of(Class<T> kind, List<FormatConfig> formats) {
    return formats.stream().filter(kind::isInstance).map(kind::cast).toList();
  }

  /** Each source may order its columns in its own way; delimiter and texts for missing values are those that all have. */
  private static Csv withHeader(List<Csv> formats) {
    List<Csv> named =
        formats.stream()
            .map(csv -> new Csv(true, csv.delimiter(), List.of(), csv.missing()))
            .distinct()
            .toList();
    return named.size() == 1 ? named.getFirst() : Csv.WITH_HEADER;
  }

  /** Of a file, by its name. */
  FormatConfig ofFile(Path file) {
    String name = file.getFileName().toString().toLowerCase(Locale.ROOT);
    if (JSON.matcher(name).matches()) {
      return json.orElseGet(() -> new Json(UnknownFields.IGNORE));
    }
    return CSV.matcher(name).matches() ? csv : unnamed;
  }
}
