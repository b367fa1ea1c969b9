package io.penstock.pipeline;

import io.penstock.pipeline.BlockSchema.Column;
import io.penstock.pipeline.BlockSchema.Kind;
import io.penstock.pipeline.BlockSchema.Label;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.stream.IntStream;

/** Rows for tests: the values of row r are a function of r, so that every place they reach can be checked. */
final class Rows implements AutoCloseable {
  final BlockPool pool;
  private final BlockSchema schema;

  Rows(int columns, int capacityRows, int blocks) {
    this(numbers(columns), capacityRows, blocks);
  }

  Rows(BlockSchema schema, int capacityRows, int blocks) {
    this.schema = schema;
    BlockLayout layout = new BlockLayout(schema, capacityRows);
    pool = new BlockPool(layout, layout.byteSize() * blocks);
  }

  static BlockSchema numbers(int columns) {
    return new BlockSchema(
        IntStream.range(0, columns).mapToObj(i -> new Column("x" + i, Kind.NUMBER, false)).toList(),
        new Label("y", 0, List.of()),
        "",
        "");
  }

  static float value(long row, int column) {
    return row * 31 + column;
  }

  static float label(long row) {
    return row % 7;
  }

  /** A block of rows {@code from} to {@code to} of the partition. */
  Block block(PartitionCursor cursor, long from, long to) {
    Block block = pool.tryAcquire(0, cursor);
    if (block == null) {
      throw new IllegalStateException("test pool is empty");
    }
    BlockLayout layout = block.layout();
    int rows = (int) (to - from);
    for (int r = 0; r < rows; r++) {
      for (int c = 0; c < schema.columns().size(); c++) {
        Values.setFloat(block.memory(), layout.columnOffset(c), r, value(from + r, c));
      }
      Values.setFloat(block.memory(), layout.labelOffset(), r, label(from + r));
      if (schema.weighted()) {
        Values.setFloat(block.memory(), layout.weightOffset(), r, 0.5f + from + r);
      }
      if (schema.timed()) {
        Values.setLong(block.memory(), layout.timeOffset(), r, 1000 + from + r);
      }
      Values.setLong(block.memory(), layout.rowOffset(), r, from + r);
    }
    block.seal(rows, to, 10 * to, 77);
    return block;
  }

  /** Rows {@code from} to {@code to} in blocks of random length. */
  List<StreamItem> blocks(PartitionCursor cursor, long from, long to, SplittableRandom random) {
    List<StreamItem> blocks = new ArrayList<>();
    int most = pool.layout().capacityRows();
    for (long at = from; at < to; ) {
      long next = Math.min(to, at + random.nextInt(1, most + 1));
      blocks.add(block(cursor, at, next));
      at = next;
    }
    return blocks;
  }

  @Override
  public void close() {
    pool.close();
  }
}
