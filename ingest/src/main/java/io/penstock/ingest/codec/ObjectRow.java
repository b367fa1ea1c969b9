package io.penstock.ingest.codec;

import io.penstock.config.FormatConfig;
import io.penstock.pipeline.Block;
import io.penstock.pipeline.BlockSchema;
import java.util.Arrays;
import java.util.List;
import java.util.function.BiFunction;
import org.jspecify.annotations.Nullable;

/**
 * A row to be predicted as a JSON object, read as the rows of the training are, but for label and weight, which need not be there. Used again and again; not thread-safe.
 */
public final class ObjectRow {
  private final RowWriter writer;
  private final JsonRow row;
  private byte[] text = new byte[1024];

  private ObjectRow(
      Block block,
      boolean timed,
      List<String> missing,
      BiFunction<ColumnMap, RowWriter, JsonRow> of) {
    BlockSchema schema = block.layout().schema();
    ColumnMap map = ColumnMap.ofFeatures(schema, ColumnMap.defaultNames(schema), "schema", timed);
    writer = new RowWriter(map, block.layout(), new ClassNumbering(), missing);
    row = of.apply(map, writer);
    writer.use(block);
    row.use(block);
  }

  /**
   * Rows of {@code block} whose fields lie at their paths, as in a training by rows of JSON.
   *
   * @param timed whether rows must have their event time; otherwise it need not be there, either
   */
  public static ObjectRow ofPaths(Block block, boolean timed, FormatConfig.Json json) {
    return new ObjectRow(
        block, timed, List.of(), (map, writer) -> JsonRow.ofPaths(map, writer, json.unknown()));
  }

  /**
   * Rows of {@code block} whose fields are members by their names, or lie at the paths that these read as; others are ignored.
   *
   * @param timed as for {@link #ofPaths}
   * @param missing texts that mean an empty value
   */
  public static ObjectRow ofNames(Block block, boolean timed, List<String> missing) {
    return new ObjectRow(block, timed, missing, JsonRow::ofNames);
  }

  /**
   * Decodes an object into the row at {@code index} of the block.
   *
   * @param json in UTF-8; newlines in it are taken as spaces
   * @return why it cannot be used (field, rule and value), or null
   */
  public @Nullable String decode(byte[] json, int from, int to, int index) {
    int length = to - from;
    int needed = length + 1 + PlainRow.LOOK_AHEAD_BYTES;
    if (text.length < needed) {
      text = Arrays.copyOf(text, Math.max(needed, 2 * text.length));
    }
    for (int i = 0; i < length; i++) {
      byte c = json[from + i];
      text[i] = c == '\n' ? (byte) ' ' : c;
    }
    text[length] = '\n';
    if (row.decode(text, 0, index) < 0) {
      return row.detail();
    }
    var _ = writer.complete(index, index);
    return null;
  }
}
