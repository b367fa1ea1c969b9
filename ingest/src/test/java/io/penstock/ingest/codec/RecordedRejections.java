package io.penstock.ingest.codec;

import io.penstock.pipeline.PartitionCursor;
import io.penstock.pipeline.Rejections;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

/** Rejections kept for a test to look at. */
public final class RecordedRejections implements Rejections {

  /** One rejected row. */
  public record Rejected(long row, Reason reason, String detail, String raw) {}

  private final List<Rejected> rows = new ArrayList<>();

  @Override
  public synchronized void reject(
      PartitionCursor cursor,
      long row,
      Reason reason,
      String detail,
      byte[] raw,
      int from,
      int to) {
    String text = new String(raw, from, to - from, StandardCharsets.ISO_8859_1);
    rows.add(new Rejected(row, reason, detail, text));
  }

  @Override
  public synchronized long count() {
    return rows.size();
  }

  public synchronized List<Rejected> rows() {
    return List.copyOf(rows);
  }
}
