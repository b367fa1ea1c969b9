package io.penstock.app;

import io.penstock.pipeline.PartitionCursor;
import io.penstock.pipeline.Rejections.Reason;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;

/** What a rejected row costs, counted only and written: a feed of nothing but garbage must not choke the decoder. */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.Throughput)
@OutputTimeUnit(TimeUnit.SECONDS)
@Fork(1)
@Warmup(iterations = 2, time = 1)
@Measurement(iterations = 3, time = 1)
public class DeadLettersBenchmark {
  private final byte[] row = "0.25,1.5,abc,,17,0.003,2".getBytes(StandardCharsets.UTF_8);
  private final PartitionCursor cursor = new PartitionCursor(0, 0, 0, 0);
  private final DeadLetters counted = DeadLetters.countedOnly();
  private Path file = Path.of("");
  private DeadLetters written = counted;

  /** Opens the file. */
  @Setup
  public void open() throws IOException {
    file = Files.createTempFile("dead", "");
    written = DeadLetters.to(file, List.of("tcp"));
  }

  /** Removes it. */
  @TearDown
  public void close() throws IOException {
    written.close();
    Files.delete(file);
  }

  /** The baseline. */
  @Benchmark
  public void count() {
    counted.reject(cursor, 1, Reason.NUMBER, "x: 'abc' is not a number", row, 0, row.length);
  }

  /** With its line in the file. */
  @Benchmark
  public void write() {
    written.reject(cursor, 1, Reason.NUMBER, "x: 'abc' is not a number", row, 0, row.length);
  }
}
