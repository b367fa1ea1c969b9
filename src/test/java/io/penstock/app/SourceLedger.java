package io.penstock.app;

import static org.assertj.core.api.Assertions.assertThat;

import java.math.BigInteger;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.function.Predicate;
import tools.jackson.databind.JsonNode;

/**
 * What a ledger must say, told from the source itself. It shares no code with what it is held against: rows are counted and told
 * apart here, and hashed by what {@link io.penstock.pipeline.RowTally} promises in words.
 */
final class SourceLedger {
  private static final BigInteger MODULUS = BigInteger.ONE.shiftLeft(128);

  private final Sum accepted = new Sum();
  private final Sum rejected = new Sum();

  /** How many rows, and the sum of their hashes. */
  private static final class Sum {
    private long rows;
    private BigInteger low = BigInteger.ZERO;
    private BigInteger high = BigInteger.ZERO;

    /** Row of source 0, partition 0: its key is 0. */
    void add(long row) {
      rows++;
      low = low.add(unsigned(mix(mix(0x9e3779b97f4a7c15L) + row * 0xd1342543de82ef95L)));
      high =
          high.add(
              unsigned(
                  mix(
                      mix(0xaf251af3b0f025b5L)
                          ^ (row * 0xda942042e4dd58b5L + 0x9e3779b97f4a7c15L))));
    }

    BigInteger hash() {
      return high.shiftLeft(64).add(low).mod(MODULUS);
    }

    /** SplitMix64's finalizer: Stafford's variant 13. */
    private static long mix(long z) {
      long y = (z ^ (z >>> 30)) * 0xbf58476d1ce4e5b9L;
      long x = (y ^ (y >>> 27)) * 0x94d049bb133111ebL;
      return x ^ (x >>> 31);
    }

    private static BigInteger unsigned(long value) {
      BigInteger low63 = BigInteger.valueOf(value & Long.MAX_VALUE);
      return value < 0 ? low63.setBit(63) : low63;
    }
  }

  /** A row of a CSV file. */
  record CsvRow(long offset, List<String> values) {}

  private SourceLedger() {}

  /** Of a stream whose rows are all good. */
  static SourceLedger ofRows(long rows) {
    SourceLedger ledger = new SourceLedger();
    for (long row = 0; row < rows; row++) {
      ledger.accepted.add(row);
    }
    return ledger;
  }

  /** Of these rows. */
  static SourceLedger ofRows(Collection<Long> rows) {
    SourceLedger ledger = new SourceLedger();
    rows.forEach(ledger.accepted::add);
    return ledger;
  }

  /** Of the rows of a file. */
  static SourceLedger of(List<CsvRow> rows, Predicate<List<String>> good) {
    SourceLedger ledger = new SourceLedger();
    for (int row = 0; row < rows.size(); row++) {
      (good.test(rows.get(row).values()) ? ledger.accepted : ledger.rejected).add(row);
    }
    return ledger;
  }

  long acceptedRows() {
    return accepted.rows;
  }

  long rejectedRows() {
    return rejected.rows;
  }

  /** Fails unless every row of the source is in the report's ledger, once. */
  void requireIn(JsonNode report) {
    JsonNode ledger = report.get("ledger");
    List<String> fates = List.of("trained", "skipped", "leftOut");
    assertThat(fates.stream().mapToLong(fate -> rows(ledger, fate)).sum())
        .as("rows trained, skipped and left out, of those that the source holds")
        .isEqualTo(accepted.rows);
    assertThat(
            fates.stream()
                .map(fate -> hash(ledger, fate))
                .reduce(BigInteger.ZERO, BigInteger::add)
                .mod(MODULUS))
        .as("hash of the rows trained, skipped and left out")
        .isEqualTo(accepted.hash());
    assertThat(rows(ledger, "rejected")).as("rows rejected").isEqualTo(rejected.rows);
    assertThat(hash(ledger, "rejected")).as("hash of the rows rejected").isEqualTo(rejected.hash());
    assertThat(report.get("records").asLong()).isEqualTo(rows(ledger, "trained"));
  }

  /** Fails unless its rows have that one fate in the report's ledger. */
  void requireAll(String fate, JsonNode report) {
    JsonNode ledger = report.get("ledger");
    assertThat(rows(ledger, fate)).as(fate).isEqualTo(accepted.rows);
    assertThat(hash(ledger, fate)).as(fate).isEqualTo(accepted.hash());
  }

  private static long rows(JsonNode ledger, String what) {
    return ledger.get(what).get("rows").asLong();
  }

  private static BigInteger hash(JsonNode ledger, String what) {
    return new BigInteger(ledger.get(what).get("hash").asString(), 16);
  }

  /** The rows of a CSV file with a header, quoted values that may span lines, and blank lines that are no rows. */
  static List<CsvRow> csvRows(byte[] text) {
    List<CsvRow> rows = new ArrayList<>();
    boolean quoted = false;
    boolean header = true;
    int begin = 0;
    for (int at = 0; at <= text.length; at++) {
      boolean end = at == text.length;
      quoted ^= !end && text[at] == '"';
      if (end || (text[at] == '\n' && !quoted)) {
        if (at > begin && !header) {
          rows.add(
              new CsvRow(
                  begin, values(new String(text, begin, at - begin, StandardCharsets.UTF_8))));
        }
        header &= at == begin;
        begin = at + 1;
      }
    }
    return rows;
  }

  /** The rows of the same text where each line is one, whatever its quotes; blank lines are none here either. */
  static List<CsvRow> lines(byte[] text) {
    List<CsvRow> rows = new ArrayList<>();
    int begin = 0;
    for (String line : new String(text, StandardCharsets.UTF_8).split("\n", -1)) {
      if (!line.isEmpty() && begin > 0) {
        rows.add(new CsvRow(begin, values(line)));
      }
      begin += line.getBytes(StandardCharsets.UTF_8).length + 1;
    }
    return rows;
  }

  private static List<String> values(String row) {
    List<String> values = new ArrayList<>();
    StringBuilder value = new StringBuilder();
    boolean quoted = false;
    for (int at = 0; at < row.length(); at++) {
      char c = row.charAt(at);
      if (c == '"') {
        quoted = !quoted;
      } else if (c == ',' && !quoted) {
        values.add(value.toString());
        value.setLength(0);
      } else {
        value.append(c);
      }
    }
    values.add(value.toString());
    return values;
  }
}
