package io.penstock.app;

import io.penstock.pipeline.PartitionCursor;
import io.penstock.pipeline.Rejections;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

/** Rejected rows, kept for tests to look at. */
final class Rejected implements Rejections {
  private final List<String> rows = new ArrayList<>();

  @Override
  public synchronized void reject(
      PartitionCursor cursor,
      long row,
      Reason reason,
      String detail,
      byte[] raw,
      int from,
      int to) {
    int length = Math.min(to - from, 100);
    rows.add(
        "%d:%d %s %s | %s"
            .formatted(
                cursor.partition(),
                row,
                reason,
                detail,
                new String(raw, from, length, StandardCharsets.UTF_8)));
  }

  @Override
  public synchronized long count() {
    return rows.size();
  }

  /** "partition:row REASON detail | raw", in the order of rejection. */
  synchronized List<String> rows() {
    return List.copyOf(rows);
  }
}
