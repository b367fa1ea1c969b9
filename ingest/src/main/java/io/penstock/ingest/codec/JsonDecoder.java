package io.penstock.ingest.codec;

import io.penstock.config.FormatConfig;
import io.penstock.pipeline.Block;
import io.penstock.pipeline.BlockSchema;
import io.penstock.pipeline.PartitionCursor;
import io.penstock.pipeline.Rejections.Reason;
import io.penstock.pipeline.SourceContext;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** A JSON object a line (NDJSON): {@link JsonRow} decodes each. */
final class JsonDecoder extends RowDecoder {
  private final RowWriter writer;
  private final JsonRow row;

  JsonDecoder(
      FormatConfig.Json json,
      BlockSchema schema,
      ClassNumbering numbering,
      PartitionCursor cursor,
      SourceContext context,
      int maxLineBytes,
      boolean ofLines) {
    super(cursor, context, maxLineBytes, ofLines);
    ColumnMap map = ColumnMap.of(schema, ColumnMap.defaultNames(schema), "schema");
    writer = new RowWriter(map, context.pool().layout(), numbering, List.of());
    row = JsonRow.ofPaths(map, writer, json.unknown());
  }

  @Override
  boolean hasColumns() {
    return true;
  }

  @Override
  void readHeader(byte[] text, int from, int to) {
    throw new AssertionError("rows of JSON name their fields themselves");
  }

  @Override
  RowWriter writer() {
    return writer;
  }

  @Override
  void use(Block block) {
    writer.use(block);
    row.use(block);
  }

  @Override
  int decodePlain(byte[] text, int from, int row) {
    return this.row.decode(text, from, row);
  }

  @Override
  @Nullable Reason decodeRow(byte[] text, int from, int to, int row) {
    text[to] = '\n'; // nothing looks at what is there again
    return this.row.decode(text, from, row) < 0 ? this.row.reason() : null;
  }

  @Override
  String detail() {
    return row.detail();
  }

  @Override
  int rowEnd() {
    if (window.position() >= window.linesEnd()) {
      return -1;
    }
    int seen = seenEnd();
    int end = window.newline(window.position(), seen);
    return end < seen ? end : -1;
  }
}
