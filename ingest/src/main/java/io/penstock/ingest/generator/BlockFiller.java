package io.penstock.ingest.generator;

import io.penstock.pipeline.Block;
import io.penstock.pipeline.BlockLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;

/** Writes consecutive rows of a stream into blocks. */
final class BlockFiller {
  private static final ValueLayout.OfFloat FLOAT =
      ValueLayout.JAVA_FLOAT.withOrder(ByteOrder.LITTLE_ENDIAN);
  private static final ValueLayout.OfLong LONG =
      ValueLayout.JAVA_LONG.withOrder(ByteOrder.LITTLE_ENDIAN);

  private final SyntheticStream stream;
  private final int[] values;
  private final float[] units;
  private final long[] offsets;
  private final long rowOffset;

  BlockFiller(SyntheticStream stream, BlockLayout layout) {
    this.stream = stream;
    int[] decimals = stream.decimals();
    int label = decimals.length - 1;
    values = new int[decimals.length];
    units = new float[decimals.length];
    offsets = new long[decimals.length];
    for (int field = 0; field < decimals.length; field++) {
      units[field] = (float) Math.pow(10, decimals[field]);
      offsets[field] = field == label ? layout.labelOffset() : layout.columnOffset(field);
    }
    rowOffset = layout.rowOffset();
  }

  /** Fields of a row, the label included. */
  int fields() {
    return offsets.length;
  }

  /** Writes rows {@code from} to {@code from + rows - 1} as the block's first. */
  void fill(Block block, long from, int rows) {
    MemorySegment memory = block.memory();
    int fields = offsets.length;
    for (int r = 0; r < rows; r++) {
      stream.row(from + r, values);
      for (int field = 0; field < fields; field++) {
        memory.set(FLOAT, offsets[field] + (long) r * Float.BYTES, values[field] / units[field]);
      }
      memory.set(LONG, rowOffset + (long) r * Long.BYTES, from + r);
    }
  }
}
