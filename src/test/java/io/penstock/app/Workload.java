package io.penstock.app;

import io.penstock.app.SourceLedger.CsvRow;
import java.io.IOException;
import java.io.InputStream;
import java.net.BindException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.SplittableRandom;
import java.util.zip.GZIPInputStream;
import org.jspecify.annotations.Nullable;

/**
 * A stream to be trained on by a process that dies.
 *
 * @param yaml the configuration but for device and checkpoints
 * @param everyRows rows from one checkpoint to the next, at least
 * @param ledger what the source holds
 * @param rows of the file, where it is one
 * @param feed who sends the rows, where the run does not fetch them itself
 */
record Workload(
    String name,
    String yaml,
    int everyRows,
    SourceLedger ledger,
    List<CsvRow> rows,
    @Nullable Feed feed) {
  private static final String POISONED = "poisoned ";

  /** Of {@link CsvText}. */
  private static final String LEARNING =
      """
      schema:
        label: { field: y, type: class, classes: [low, high] }
        weight: w
        fields: { x0: number, x1: number, x2: number, flag: flag, city: category }
      features:
        - impute: { fields: x1 }
        - clip: { fields: x2, min: -2, max: 2 }
        - standardize: { fields: [x0, x1, x2], updateEvery: 48 }
        - oneHot: { fields: city, capacity: 4 }
      batch: { size: 61, maxDelay: none }
      model: { mlp: { hidden: [24] } }
      optimizer: { adam: { learningRate: 0.01 } }
      pipeline: { memory: 1MB }
      """;

  /**
   * What a {@code penstock feed} in a process of its own sends.
   *
   * @param port of this machine; the same for every process that listens there
   */
  record Feed(Path file, int port) {}

  /** The whole configuration. */
  String yaml(String device, Path checkpoints, int keep) {
    return yaml
        + """
        errors: { maxRate: 100%%, lossSpike: %s }
        http: none
        device: %s
        checkpoint: { directory: '%s', every: none, everyRows: %d, keep: %d }
        """
            .formatted(
                name.startsWith(POISONED) ? "6" : "none", device, checkpoints, everyRows, keep);
  }

  /** Real data; the test is skipped where they are absent. */
  static Workload elec2(Path folder) throws IOException {
    Path file = folder.resolve("electricity.csv");
    try (InputStream in =
        new GZIPInputStream(Files.newInputStream(Runs.shared("elec2/electricity.csv.gz")))) {
      Files.copy(in, file);
    }
    List<CsvRow> rows = SourceLedger.csvRows(Files.readAllBytes(file));
    return new Workload(
        "elec2",
        """
        source: { file: { path: '%s', format: { csv: { header: true } } } }
        schema:
          label: { field: class, type: class, classes: [DOWN, UP] }
          fields: { "*": number }
        features: [ standardize: { fields: number } ]
        batch: { size: 16, maxDelay: none }
        model: { mlp: { hidden: [16] } }
        optimizer: { adam: { learningRate: 0.003 } }
        """
            .formatted(file),
        1000,
        SourceLedger.of(rows, values -> values.size() == 9),
        rows,
        null);
  }

  /** Rows without a file. */
  static Workload generator(int records) {
    return new Workload(
        "generator",
        """
        source: { generator: { stream: agrawal, records: %d, seed: 3, noise: 5%%,
                               drift: { at: %d, kind: abrupt } } }
        features: [ standardize: { fields: number } ]
        batch: { size: 509, maxDelay: none }
        model: logistic
        optimizer: { adam: { learningRate: 0.003 } }
        pipeline: { parallelism: 2 }
        """
            .formatted(records, records / 2),
        records / 100,
        SourceLedger.ofRows(records),
        List.of(),
        null);
  }

  /** Rows of our own: with weights, categories, values that are missing, and many kinds of rows that cannot be used. */
  static Workload csv(Path folder, int rows) throws IOException {
    return csv(folder, rows, 0);
  }

  /**
   * The same.
   *
   * @param poison rows in mid-stream that are well formed and all wrong: the run goes back, and does without them
   */
  static Workload csv(Path folder, int rows, int poison) throws IOException {
    Path file = folder.resolve("rows.csv");
    Files.writeString(file, new CsvText(rows, poison).text());
    List<CsvRow> read = SourceLedger.csvRows(Files.readAllBytes(file));
    return new Workload(
        poison == 0 ? "csv" : POISONED + "csv",
        "source: { file: { path: '%s', format: { csv: { header: true } } } }%n".formatted(file)
            + LEARNING,
        2000,
        SourceLedger.of(read, CsvText::isGood),
        read,
        null);
  }

  /**
   * The text of {@link #csv} by acknowledged lines, each of which is a row: rows that span two are rejected, both of them. What is
   * sent and not durable may be less than a third of it, so the feed waits for checkpoints again and again.
   */
  static Workload tcp(Path folder, int rows, int poison) throws IOException {
    Path file = folder.resolve("rows.csv");
    Files.writeString(file, new CsvText(rows, poison).text());
    List<CsvRow> read = SourceLedger.lines(Files.readAllBytes(file));
    int port = freePort();
    return new Workload(
        poison == 0 ? "tcp" : POISONED + "tcp",
        "source: { tcp: { port: %d, acknowledge: { endAfterProducers: 1, window: %d } } }%n"
                .formatted(port, rows / 3)
            + LEARNING,
        rows / 15,
        SourceLedger.of(read, CsvText::isGood),
        read,
        new Feed(file, port));
  }

  /**
   * Below those that Linux gives to whoever connects: from one of these a feed that connects again and again would in the end reach
   * itself.
   */
  private static int freePort() throws IOException {
    SplittableRandom random = new SplittableRandom();
    for (int attempt = 0; attempt < 100; attempt++) {
      try (ServerSocket socket =
          new ServerSocket(random.nextInt(20_000, 30_000), 1, InetAddress.getLoopbackAddress())) {
        return socket.getLocalPort();
      } catch (BindException e) {
        // Another one, then.
      }
    }
    throw new IOException("no port of 100 is free");
  }

  /** Whether a row of {@link #csv} can be used. */
  static boolean isGood(List<String> values) {
    return CsvText.isGood(values);
  }

  /** The text of {@link #csv}. */
  private static final class CsvText {
    private static final String[] BAD = {
      "a,b\n",
      "1,2,3,0,city1,1,low,more\n",
      "one,2,3,0,city1,1,low\n",
      "1,2,3,0,city1,1,medium\n",
      ",2,3,0,city1,1,low\n",
      "1,2,NaN,0,city1,1,high\n",
      "1,2,3,maybe,city1,1,high\n",
    };

    private final SplittableRandom random = new SplittableRandom(11);
    private final StringBuilder text = new StringBuilder("x0,x1,x2,flag,city,w,y\n");
    private final int rows;
    private final int poison;

    CsvText(int rows, int poison) {
      this.rows = rows;
      this.poison = poison;
    }

    String text() {
      bad(3);
      for (int row = 0; row < rows; row++) {
        int behind = row - 3 * rows / 4;
        good(behind >= 0 && behind < poison);
        if (random.nextInt(50) == 0) {
          bad(random.nextInt(1, 4));
        }
        if (row == rows / 2) {
          bad(5000);
        }
      }
      bad(3);
      return text.toString();
    }

    private void bad(int count) {
      for (int i = 0; i < count; i++) {
        text.append(BAD[random.nextInt(BAD.length)]);
      }
    }

    private void good(boolean wrong) {
      double x0 = random.nextGaussian();
      double x2 = random.nextGaussian();
      int city = random.nextInt(6);
      boolean high = x0 + x2 > (city < 3 ? 0.5 : -0.5);
      text.append((float) (wrong ? 1000 * x0 : x0)).append(',');
      if (random.nextInt(5) > 0) {
        text.append((float) random.nextGaussian(3, 100));
      }
      text.append(',')
          .append((float) x2)
          .append(',')
          .append(random.nextInt(2))
          .append(city == 5 ? ",\"Köln,\nam Rhein\"," : ",city" + city + ",")
          .append(random.nextInt(1, 4))
          .append(high != wrong ? ",high\n" : ",low\n");
      if (random.nextInt(100) == 0) {
        text.append('\n');
      }
    }

    static boolean isGood(List<String> values) {
      return values.size() == 7
          && isNumber(values.get(0))
          && (values.get(1).isEmpty() || isNumber(values.get(1)))
          && isNumber(values.get(2))
          && values.get(3).matches("[01]")
          && !values.get(4).isEmpty()
          && isNumber(values.get(5))
          && values.get(6).matches("low|high");
    }

    private static boolean isNumber(String value) {
      return value.toLowerCase(Locale.ROOT).matches("-?\\d+(\\.\\d+)?(e-?\\d+)?");
    }
  }

  /** Bytes of the configuration, beside the run that they are for. */
  Path write(Path folder, String device, int keep) throws IOException {
    Path config = folder.resolve("run.yaml");
    Files.write(
        config, yaml(device, folder.resolve("checkpoints"), keep).getBytes(StandardCharsets.UTF_8));
    return config;
  }
}
