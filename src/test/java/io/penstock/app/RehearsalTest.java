package io.penstock.app;

import static org.assertj.core.api.Assertions.assertThat;

import io.penstock.config.Config;
import io.penstock.config.SourceConfig;
import io.penstock.trainer.cpu.CpuDevice;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.atomic.AtomicInteger;
import org.agrona.concurrent.EpochNanoClock;
import org.agrona.concurrent.OffsetEpochNanoClock;
import org.junit.jupiter.api.Test;

class RehearsalTest {
  private final EpochNanoClock clock = new OffsetEpochNanoClock();

  private Rehearsal rehearsal(String delimiter, String schema, String batch) {
    Config config =
        Config.parse(
            """
            source: { tcp: { port: 0, format: { csv: { delimiter: '%s' } } } }
            schema: %s
            features: [ oneHot: { fields: category, capacity: 4 } ]
            batch: { size: %s }
            model: { mlp: { hidden: [3] } }
            http: none
            """
                .formatted(delimiter, schema, batch));
    SourceConfig.Tcp tcp = (SourceConfig.Tcp) Objects.requireNonNull(config.source());
    RunPlan plan = RunPlan.of(config, List.of());
    return new Rehearsal(config, plan, tcp, new CpuDevice(), clock, clock::nanoTime);
  }

  private static long rowsOfReads(Rehearsal rehearsal, int reads) {
    AtomicInteger asked = new AtomicInteger();
    return rehearsal.until(() -> asked.incrementAndGet() > reads);
  }

  @Test
  void shouldTrainOnRowsOfEveryKindOfField() {
    String schema =
        "{ label: { field: y, classes: ['a;b', 'say \"c\"'] }, weight: w, eventTime: t,"
            + " fields: { n: number, f: flag, c: category } }";
    assertThat(rowsOfReads(rehearsal(";", schema, "32"), 3)).isGreaterThan(999);
  }

  @Test
  void shouldBeginAgainWithClassesNumberedFromOne() {
    String schema = "{ label: { field: y, classes: 3 }, fields: { n: number, c: category } }";
    assertThat(rowsOfReads(rehearsal(",", schema, "32"), 20)).isGreaterThan(9_999);
  }

  @Test
  void shouldTrainOnShortMinibatchesWhereRowsDoNotFillOne() {
    String schema = "{ label: { field: y, type: number }, fields: { n: number, c: category } }";
    assertThat(rowsOfReads(rehearsal(",", schema, "65536"), 2)).isPositive();
  }

  @Test
  void shouldDoNothingWhereThereIsEnoughAtOnce() {
    String schema = "{ label: { field: y, type: number }, fields: { n: number, c: category } }";
    assertThat(rowsOfReads(rehearsal(",", schema, "32"), 0)).isZero();
  }
}
