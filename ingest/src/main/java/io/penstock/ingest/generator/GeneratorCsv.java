package io.penstock.ingest.generator;

import io.netty.buffer.ByteBuf;
import io.penstock.config.GeneratorSchemas;
import io.penstock.config.SchemaConfig;
import io.penstock.config.SourceConfig.Generator;
import java.nio.charset.StandardCharsets;

/** The rows of a synthetic stream as CSV lines, in decimals that parse back to the floats of its blocks. Not thread-safe. */
public final class GeneratorCsv {
  /** Sign and digits of an int, the decimal point, the delimiter. */
  private static final int MOST_VALUE_BYTES = 13;

  private final SyntheticStream stream;
  private final long records;
  private final byte[] header;
  private final int[] decimals;
  private final int[] values;
  private final byte[] line;
  private long nextRow;

  public GeneratorCsv(Generator generator) {
    stream = SyntheticStream.of(generator);
    records = generator.records();
    header = header(GeneratorSchemas.of(generator.stream())).getBytes(StandardCharsets.US_ASCII);
    decimals = stream.decimals();
    values = new int[decimals.length];
    line = new byte[decimals.length * MOST_VALUE_BYTES];
  }

  private static String header(SchemaConfig schema) {
    return String.join(",", schema.fields().keySet()) + "," + schema.label().field() + "\n";
  }

  /** Appends the line with the names of the fields. */
  public void writeHeader(ByteBuf out) {
    out.writeBytes(header);
  }

  /**
   * Appends the next rows: as many as fit into what {@code out} can take without growing, at most {@code maxRows}.
   *
   * @return how many; 0 at the end of the stream, or where no row may fit
   */
  public long writeRows(ByteBuf out, long maxRows) {
    long rows = 0;
    while (rows < maxRows && !ended() && out.writableBytes() >= line.length) {
      stream.row(nextRow++, values);
      int from = render();
      out.writeBytes(line, from, line.length - from);
      rows++;
    }
    return rows;
  }

  /** Passes over rows; to the end of the stream at most. Answers how many. */
  public long skip(long rows) {
    long skipped = records == 0 ? rows : Math.min(rows, records - nextRow);
    nextRow += skipped;
    return skipped;
  }

  /** Whether every row has been written; never where {@code records} is 0. */
  public boolean ended() {
    return records > 0 && nextRow >= records;
  }

  /** Writes the row from its end, so that digits come as divisions give them; answers where it begins. */
  private int render() {
    int at = line.length;
    for (int field = values.length - 1; field >= 0; field--) {
      line[--at] = (byte) (field == values.length - 1 ? '\n' : ',');
      at = renderValue(at, values[field], decimals[field]);
    }
    return at;
  }

  private int renderValue(int at, int value, int decimals) {
    int rest = Math.abs(value);
    for (int i = 0; i < decimals; i++) {
      line[--at] = (byte) ('0' + rest % 10);
      rest /= 10;
    }
    if (decimals > 0) {
      line[--at] = '.';
    }
    do {
      line[--at] = (byte) ('0' + rest % 10);
      rest /= 10;
    } while (rest != 0);
    if (value < 0) {
      line[--at] = '-';
    }
    return at;
  }
}
