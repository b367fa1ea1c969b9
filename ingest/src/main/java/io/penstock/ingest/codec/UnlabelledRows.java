package io.penstock.ingest.codec;

import java.io.IOException;

/** Rows that are to be predicted, one after the other; what is wrong with one says nothing about the others. */
public interface UnlabelledRows {
  /** What {@link #next} found. */
  enum Next {
    /** A row, written into the block. */
    ROW,
    /** One that cannot be used, for the reason that {@link #refusal} gives. */
    REFUSED,
    /** No more. */
    END
  }

  /**
   * Decodes the next row.
   *
   * @param row of the block where it goes
   * @throws SourceException where nothing of what follows can be read
   */
  Next next(int row) throws IOException;

  /** Field, rule and value of the last row that was refused. */
  String refusal();
}
