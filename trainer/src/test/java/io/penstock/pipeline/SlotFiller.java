package io.penstock.pipeline;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.MemorySegment;

/** Plays the assembler: fills slots, poisoning first what the device must not look at. */
public final class SlotFiller {
  private SlotFiller() {}

  /** A minibatch, never compared: {@code features[row][feature]}. */
  @SuppressWarnings("ArrayRecordComponent")
  public record Rows(float[][] features, float[] labels, float[] weights) {
    /** Rows that all weigh 1. */
    public static Rows of(float[][] features, float[] labels) {
      float[] ones = new float[labels.length];
      java.util.Arrays.fill(ones, 1f);
      return new Rows(features, labels, ones);
    }

    public int count() {
      return labels.length;
    }
  }

  /** A slot outside of any ring. */
  public static Slot slot(SlotLayout layout, SlotMemory memory) {
    return new Slot(layout, memory.allocate(layout.byteSize()));
  }

  /** Overwrites everything with NaN. */
  public static void poison(Slot slot) {
    MemorySegment memory = slot.memory();
    for (long at = 0; at < slot.layout().byteSize(); at += Float.BYTES) {
      memory.set(JAVA_FLOAT, at, Float.NaN);
    }
  }

  /** Fills a poisoned slot; what is padding stays poisoned. Row numbers count from {@code firstRow}, times are row numbers. */
  public static void fill(Slot slot, long sequence, Rows rows, long firstRow) {
    poison(slot);
    SlotLayout layout = slot.layout();
    MemorySegment memory = slot.memory();
    double sum = 0;
    for (int row = 0; row < rows.count(); row++) {
      for (int feature = 0; feature < layout.features(); feature++) {
        memory.set(
            JAVA_FLOAT, layout.featureOffset(feature) + 4L * row, rows.features()[row][feature]);
      }
      memory.set(JAVA_FLOAT, layout.labelOffset() + 4L * row, rows.labels()[row]);
      memory.set(JAVA_FLOAT, layout.weightOffset() + 4L * row, rows.weights()[row]);
      memory.set(JAVA_LONG, layout.partitionOffset() + 8L * row, PartitionCursor.key(0, 0));
      memory.set(JAVA_LONG, layout.rowOffset() + 8L * row, firstRow + row);
      memory.set(JAVA_LONG, layout.timeOffset() + 8L * row, firstRow + row);
      sum += rows.weights()[row];
    }
    slot.header(rows.count(), sequence, sum);
  }

  /** Publishes a minibatch; false where the ring is full. */
  public static boolean offer(SlotRing ring, long sequence, Rows rows, long firstRow) {
    Slot slot = ring.tryClaim();
    if (slot == null) {
      return false;
    }
    fill(slot, sequence, rows, firstRow);
    ring.publish();
    return true;
  }

  /** Publishes a barrier; false where the ring is full. */
  public static boolean offer(SlotRing ring, Barrier barrier) {
    Slot slot = ring.tryClaim();
    if (slot == null) {
      return false;
    }
    slot.barrier(barrier);
    ring.publish();
    return true;
  }
}
