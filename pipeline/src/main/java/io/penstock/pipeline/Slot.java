package io.penstock.pipeline;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import org.jspecify.annotations.Nullable;

/**
 * One place of the ring: a minibatch in memory that the device copies from, or a barrier. Owned by the assembler from claim
 * to publish, by the device thread from there until it advances its sequence. FREE, FILLING, PUBLISHED, COPYING, TRAINING,
 * FREE: the state is where the sequences stand, not a field.
 */
public final class Slot {
  private static final ValueLayout.OfInt INT =
      ValueLayout.JAVA_INT.withOrder(ByteOrder.LITTLE_ENDIAN);
  private static final ValueLayout.OfLong LONG =
      ValueLayout.JAVA_LONG.withOrder(ByteOrder.LITTLE_ENDIAN);
  private static final ValueLayout.OfDouble DOUBLE =
      ValueLayout.JAVA_DOUBLE.withOrder(ByteOrder.LITTLE_ENDIAN);

  private final SlotLayout layout;
  private final MemorySegment memory;
  private @Nullable Barrier barrier;

  public Slot(SlotLayout layout, MemorySegment memory) {
    this.layout = layout;
    this.memory = memory;
  }

  public SlotLayout layout() {
    return layout;
  }

  /** {@link SlotLayout#byteSize()} bytes. */
  public MemorySegment memory() {
    return memory;
  }

  /** The barrier that takes this place in the ring; then there is no minibatch here. */
  public @Nullable Barrier barrier() {
    return barrier;
  }

  void barrier(@Nullable Barrier barrier) {
    this.barrier = barrier;
  }

  /** Real rows of the minibatch. */
  public int validRows() {
    return memory.get(INT, SlotLayout.VALID_ROWS_OFFSET);
  }

  /** Number of the minibatch since the run began. */
  public long sequence() {
    return memory.get(LONG, SlotLayout.SEQUENCE_OFFSET);
  }

  /** Sum of the row weights. */
  public double weightSum() {
    return memory.get(DOUBLE, SlotLayout.WEIGHT_SUM_OFFSET);
  }

  /** {@link PartitionCursor#key} of a row's partition. */
  public long partition(int row) {
    return Values.getLong(memory, layout.partitionOffset(), row);
  }

  /** Number of a row within its partition. */
  public long rowNumber(int row) {
    return Values.getLong(memory, layout.rowOffset(), row);
  }

  /** A feature of a row, as the operators have made it. */
  public float feature(int feature, int row) {
    return Values.getFloat(memory, layout.featureOffset(feature), row);
  }

  public float label(int row) {
    return Values.getFloat(memory, layout.labelOffset(), row);
  }

  public float weight(int row) {
    return Values.getFloat(memory, layout.weightOffset(), row);
  }

  void header(int validRows, long sequence, double weightSum) {
    memory.set(INT, SlotLayout.VALID_ROWS_OFFSET, validRows);
    memory.set(LONG, SlotLayout.SEQUENCE_OFFSET, sequence);
    memory.set(DOUBLE, SlotLayout.WEIGHT_SUM_OFFSET, weightSum);
  }
}
