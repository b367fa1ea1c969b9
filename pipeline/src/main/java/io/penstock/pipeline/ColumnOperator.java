package io.penstock.pipeline;

import java.lang.foreign.MemorySegment;
import org.jspecify.annotations.Nullable;

/**
 * An operator's share of one column. It learns from the values and rewrites them in place, in one pass.
 *
 * <p>Its state advances at fixed counts of the rows it has seen ({@code updateEvery}), never where a block happens to end, so
 * how rows were cut into blocks changes nothing. A row is rewritten by the state at the last such count before it; rows up to
 * the first count, and all rows where {@code updateEvery} is 1, by the state that includes the row itself.
 *
 * <p>Operators do not know of other columns than their own, so that columns can be shared out among threads, and the result
 * does not depend on how.
 */
interface ColumnOperator extends Stateful {

  /**
   * Passes {@code rows} values that begin at byte {@code offset}: floats, or longs of a category.
   */
  void process(MemorySegment memory, long offset, int rows);

  /** How the values that it leaves become features, where it is the last that may work on them; null: they are values still. */
  default @Nullable Encoding encoding() {
    return null;
  }

  /** Rewrites such values by the state as it stands, and learns nothing: for rows that are to be predicted. */
  void apply(MemorySegment memory, long offset, int rows);

  /** As {@link #apply}, for rows that follow each other: what looks back at rows before goes on to do so; nothing is learnt. */
  default void follow(MemorySegment memory, long offset, int rows) {
    apply(memory, offset, rows);
  }
}
