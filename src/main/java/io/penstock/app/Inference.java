package io.penstock.app;

import io.penstock.app.sample.InferredSchema;
import io.penstock.app.sample.InferredSchema.LeftOut;
import io.penstock.app.sample.Sample;
import io.penstock.app.sample.SampleException;
import io.penstock.app.sample.SchemaInference;
import io.penstock.config.Config;
import io.penstock.config.FeatureConfig;
import io.penstock.config.FieldConfig;
import io.penstock.config.FormatConfig;
import io.penstock.config.SchemaConfig;
import io.penstock.config.SchemaConfig.FieldType;
import io.penstock.config.SchemaConfig.InferConfig;
import io.penstock.config.SourceConfig;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.stream.Collectors;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * {@code schema.infer}: from a configuration whose schema is to be found out to one that says it. A run infers when it begins; one
 * that goes on takes over what was inferred then.
 *
 * @param config with a schema that is whole
 * @param found in words
 */
record Inference(Config config, String found) {
  private static final Logger LOG = LoggerFactory.getLogger(Inference.class);

  /**
   * Looks at the first rows; nothing where the schema is whole.
   *
   * @throws StartException where they cannot be read, or do not say what is to be learnt
   */
  static Optional<Inference> of(Config config) {
    InferConfig infer = config.schema().infer();
    if (infer == null) {
      return Optional.empty();
    }
    SourceConfig.File file =
        (SourceConfig.File) Objects.requireNonNull(config.source()); // no other is valid
    try {
      Sample sample =
          Sample.read(
              Path.of(file.path()), format(file.format()), file.format().columns(), infer.rows());
      SchemaConfig schema = config.schema();
      sample.requireColumn("schema.label.field", schema.label().field());
      sample.requireColumn("schema.weight", schema.weight());
      sample.requireColumn("schema.eventTime", schema.eventTime());
      InferredSchema inferred =
          SchemaInference.fields(
              sample, List.of(schema.label().field(), schema.weight(), schema.eventTime()));
      requireNoMarkers(inferred);
      if (schema.fields().isEmpty()) {
        inferred.requireFields();
      }
      SchemaConfig whole = schema.inferred(inferred.configured());
      return Optional.of(
          new Inference(
              config.withColumns(whole, inferred.completed(config.features(), whole.fields())),
              words(inferred, whole, sample)));
    } catch (SampleException | IllegalArgumentException e) {
      throw new StartException("schema.infer: " + e.getMessage(), e);
    }
  }

  /**
   * The configuration with a schema that is whole; what was found out is told.
   *
   * @throws StartException as {@link #of} does
   */
  static Config complete(Config config) {
    return of(config)
        .map(
            inference -> {
              LOG.warn("schema.infer: {}", inference.found);
              return inference.config;
            })
        .orElse(config);
  }

  /** The configuration with what a saved run had inferred, so that it is a change only where the user changed something. */
  static Config asSaved(Config config, Config saved) {
    SchemaConfig schema = config.schema();
    if (schema.infer() == null) {
      return config;
    }
    Map<String, FieldConfig> fields = new LinkedHashMap<>(saved.schema().fields());
    fields.putAll(schema.fields());
    List<FeatureConfig> steps =
        isCompletedOf(saved.features(), config.features()) ? saved.features() : config.features();
    try {
      return config.withColumns(
          new SchemaConfig(schema.label(), schema.weight(), schema.eventTime(), fields), steps);
    } catch (IllegalArgumentException e) {
      throw new StartException(
          "schema.infer: what the saved run had inferred does not fit this configuration: %s; put it back, or begin anew (--fresh)"
              .formatted(e.getMessage()),
          e);
    }
  }

  /** Whether steps are what {@link InferredSchema#completed} may have made of the configured ones. */
  private static boolean isCompletedOf(List<FeatureConfig> steps, List<FeatureConfig> configured) {
    for (int added = 0; added <= 1; added++) {
      int end = added + configured.size();
      if (end <= steps.size()
          && steps.subList(0, added).stream().allMatch(FeatureConfig.Impute.class::isInstance)
          && steps.subList(added, end).equals(configured)
          && steps.subList(end, steps.size()).stream()
              .allMatch(FeatureConfig.OneHot.class::isInstance)) {
        return true;
      }
    }
    return false;
  }

  private static Sample.Format format(FormatConfig format) {
    return switch (format) {
      case FormatConfig.Csv csv ->
          new Sample.Format.Csv(csv.delimiter().charAt(0), csv.header(), csv.missing());
      case FormatConfig.Json _ -> new Sample.Format.Json(true);
    };
  }

  private static void requireNoMarkers(InferredSchema inferred) {
    if (!inferred.missing().isEmpty()) {
      throw new StartException(
          "schema.infer: numbers are missing where it says %s; say so: source.file.format.csv.missing: %s"
              .formatted(
                  String.join(", ", inferred.missing()),
                  inferred.missing().stream()
                      .map(text -> '"' + text + '"')
                      .collect(Collectors.joining(", ", "[", "]"))));
    }
  }

  private static String words(InferredSchema inferred, SchemaConfig whole, Sample sample) {
    Map<FieldType, Long> types =
        whole.fields().values().stream()
            .collect(Collectors.groupingBy(field -> field.type(), Collectors.counting()));
    String out =
        inferred.leftOut().stream()
            .filter(left -> !whole.fields().containsKey(left.name()))
            .map(Inference::words)
            .collect(Collectors.joining(", "));
    return "%s looked at: %s, %s, categories: %d%s"
        .formatted(
            Texts.count(sample.rows(), "row"),
            Texts.count(types.getOrDefault(FieldType.NUMBER, 0L), "number"),
            Texts.count(types.getOrDefault(FieldType.FLAG, 0L), "flag"),
            types.getOrDefault(FieldType.CATEGORY, 0L),
            out.isEmpty() ? "" : "; left out: " + out);
  }

  private static String words(LeftOut left) {
    return left.name() + " (" + left.why() + ")";
  }
}
