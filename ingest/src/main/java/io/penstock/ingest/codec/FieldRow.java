package io.penstock.ingest.codec;

import io.penstock.pipeline.Block;
import io.penstock.pipeline.BlockSchema;
import io.penstock.pipeline.Rejections.Reason;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * A row to be predicted, given field by field in any order, as text: by the rules of a CSV row. A field that is not given is
 * missing. Used again and again; not thread-safe.
 */
public final class FieldRow {
  private static final byte[] EMPTY = new byte[0];

  private final RowWriter writer;
  private final Map<String, Integer> fields = new HashMap<>();
  private final boolean[] given;
  private int row;
  private @Nullable String refusal;

  /**
   * A row of {@code block}.
   *
   * @param missing texts that mean an empty value
   */
  public FieldRow(Block block, List<String> missing) {
    List<String> names =
        block.layout().schema().columns().stream().map(BlockSchema.Column::name).toList();
    ColumnMap map = ColumnMap.ofFeatures(block.layout().schema(), names, "the row");
    writer = new RowWriter(map, block.layout(), new ClassNumbering(), missing);
    writer.use(block);
    for (String name : names) {
      fields.put(name, fields.size());
    }
    given = new boolean[names.size()];
  }

  /** The index of a field that is learnt from; -1 for any other. */
  public int field(String name) {
    return fields.getOrDefault(name, -1);
  }

  /** Begins the row at this index of the block. */
  public void begin(int index) {
    row = index;
    refusal = null;
    Arrays.fill(given, false);
  }

  /** Gives a field's value; the first that is not allowed is what the row is refused for. */
  public void put(int field, byte[] utf8, int from, int to) {
    given[field] = true;
    Reason reason = writer.write(field, row, utf8, from, to, false);
    if (reason != null && refusal == null) {
      refusal = writer.explain(reason, field, utf8, from, to);
    }
  }

  /** Refuses the row, unless it is already. */
  public void refuse(String why) {
    refusal = refusal == null ? why : refusal;
  }

  /** Ends the row; answers why it cannot be used, or null. */
  public @Nullable String end() {
    for (int field = 0; field < given.length; field++) {
      if (!given[field]) {
        put(field, EMPTY, 0, 0);
      }
    }
    var _ = writer.complete(row, row);
    return refusal;
  }
}
