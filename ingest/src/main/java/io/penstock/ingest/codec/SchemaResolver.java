package io.penstock.ingest.codec;

import io.penstock.config.SchemaConfig;
import io.penstock.pipeline.BlockSchema;
import java.util.List;
import java.util.function.Predicate;

/** From the schema as configured, patterns and all, to the columns that blocks have. */
@SuppressWarnings("DoNotCallSuggester")
public final class SchemaResolver {
  private SchemaResolver() {}

  /** Whether {@link #resolve} needs to know the names of the columns. */
  public static boolean hasPatterns(SchemaConfig schema) {
    throw new UnsupportedOperationException();
  }

  /**
   * The columns of blocks: the schema's fields in its order, each pattern replaced by the names it matches in the order of
   * {@code columnNames}.
   *
   * @param columnNames of the header or the configuration; empty where there are none, then patterns are an error
   * @param nullable whether a column (given as not nullable) may be empty, because an operator imputes it
   * @throws SourceException where a name or a pattern matches no column
   */
  public static BlockSchema resolve(
      SchemaConfig schema, List<String> columnNames, Predicate<BlockSchema.Column> nullable) {
    throw new UnsupportedOperationException();
  }
}
