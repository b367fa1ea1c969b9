package io.penstock.pipeline;

/**
 * Where a partition stands. The source makes one for each partition; from then on it belongs to the merge, which moves it
 * forward as blocks pass, so that a barrier finds the vector of positions without a look-up.
 */
public final class PartitionCursor {
  private final int source;
  private final int partition;
  private long nextRow;
  private long nextOffset;
  private String header = "";

  public PartitionCursor(int source, int partition, long nextRow, long nextOffset) {
    this.source = source;
    this.partition = partition;
    this.nextRow = nextRow;
    this.nextOffset = nextOffset;
  }

  /** Index of the source in the configuration. */
  public int source() {
    return source;
  }

  /** Partition within the source: the connection's number, a file's index. */
  public int partition() {
    return partition;
  }

  /** Source and partition in one number, as slots keep it for each row. */
  public long key() {
    return key(source, partition);
  }

  /** Source and partition in one number: source in the upper half. */
  public static long key(int source, int partition) {
    return ((long) source << 32) | (partition & 0xffffffffL);
  }

  /** The source in a {@link #key}. */
  public static int source(long key) {
    return (int) (key >> 32);
  }

  /** The partition in a {@link #key}. */
  public static int partition(long key) {
    return (int) key;
  }

  /** Number of the first row that has not passed yet, rejected rows counted in. */
  public long nextRow() {
    return nextRow;
  }

  /** Where reading resumes, in the source's own unit (bytes of a file, index of a generator). */
  public long nextOffset() {
    return nextOffset;
  }

  /** The line with the names of the columns that the partition began with; empty where there is none. The decoder's own. */
  public String header() {
    return header;
  }

  /** Notes the header, for whoever is to understand the partition's rows without it. On the decoder's thread. */
  public void header(String line) {
    header = line;
  }

  void advanceTo(long row, long offset) {
    nextRow = row;
    nextOffset = offset;
  }
}
