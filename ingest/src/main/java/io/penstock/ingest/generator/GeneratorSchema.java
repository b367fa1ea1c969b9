package io.penstock.ingest.generator;

import io.penstock.config.SourceConfig.GeneratorStream;
import io.penstock.pipeline.BlockSchema;
import java.util.List;

/** The schema that a synthetic stream implies. */
public final class GeneratorSchema {
  private GeneratorSchema() {}

  /** All features as numbers, in the order of the header; the label a class of two, 0 or 1. */
  public static BlockSchema of(GeneratorStream stream) {
    List<String> fields = SyntheticStream.fields(stream);
    int features = fields.size() - 1;
    List<BlockSchema.Column> columns =
        fields.subList(0, features).stream()
            .map(name -> new BlockSchema.Column(name, BlockSchema.Kind.NUMBER, false))
            .toList();
    return new BlockSchema(
        columns, new BlockSchema.Label(fields.get(features), 2, List.of()), "", "");
  }
}
