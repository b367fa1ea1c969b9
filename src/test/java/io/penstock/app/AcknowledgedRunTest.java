package io.penstock.app;

import static org.assertj.core.api.Assertions.assertThat;

import io.penstock.app.RunSnapshot.LedgerEntry;
import io.penstock.config.Config;
import io.penstock.pipeline.State;
import java.util.List;
import java.util.SplittableRandom;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/**
 * Runs whose producers are acknowledged: however often the run is lost and resumed from a cut, and whatever its producers send
 * again, every row is trained on once.
 */
@Timeout(300)
class AcknowledgedRunTest {
  private static final int ROWS = 6_000;
  private static final int CRASHES = 40;

  private static final String YAML =
      "source: { tcp: { port: 0, acknowledge: { endAfterProducers: %d } } }\n"
          + TestCsv.LEARNING
          + """
          batch: { size: 48, maxDelay: none }
          pipeline: { slots: 4 }
          errors: { maxRate: 1 }
          http: none
          """;

  /** Every hundredth row is bad: it takes its number with it all the same. */
  private static final List<String> LINES =
      IntStream.range(0, ROWS).mapToObj(i -> i % 100 == 50 ? "bad" : Rows.ALL.get(i)).toList();

  private static final class Rows {
    private static final List<String> ALL = TestCsv.rows(1, ROWS).lines().skip(1).toList();
  }

  @Test
  void shouldTrainTheSameWeightsHoweverOftenTheRunIsLostAndWhateverIsSentAgain() throws Exception {
    RunSnapshot whole = uninterrupted();
    assertThat(whole.rows().trained()).isEqualTo(ROWS - ROWS / 100);
    SplittableRandom random = new SplittableRandom(1);
    int resumed = 0;
    int crash = 0;
    while (crash < CRASHES) {
      State saved = null;
      StringBuilder story = new StringBuilder();
      // One producer's life: crashes until a cut has all, or luck has it.
      for (int life = 0; life < 4 && crash < CRASHES; life++, crash++) {
        State cut = lostRun(saved, random, story);
        resumed += saved == null ? 0 : 1;
        saved = cut == null ? saved : cut;
      }
      RunSnapshot end = lastRun(saved, random, story);
      assertThat(end.outcome().weightsSha256())
          .as("%s", story)
          .isEqualTo(whole.outcome().weightsSha256());
      assertThat(trained(end)).as("%s", story).isEqualTo(trained(whole));
      assertThat(end.cumulative()).as("%s", story).isEqualTo(whole.cumulative());
    }
    assertThat(resumed).isGreaterThan(CRASHES / 3);
  }

  /** Sends a part, cuts somewhere, and loses all that was done since. */
  private static @Nullable State lostRun(
      @Nullable State saved, SplittableRandom random, StringBuilder story) throws Exception {
    try (TrainingRun run = run(1, saved, () -> {});
        TestProducer producer = new TestProducer(Runs.port(run), "p")) {
      run.start();
      int next = Math.toIntExact(producer.introduce(TestCsv.HEADER));
      int from = resendFrom(next, random);
      int cutAt = from + random.nextInt(ROWS - from + 1);
      int lostAt = cutAt + random.nextInt(ROWS - cutAt + 1);
      story.append("[next %d from %d cut %d lost %d] ".formatted(next, from, cutAt, lostAt));
      producer.send("rows " + from + "\n" + lines(from, cutAt));
      if (random.nextBoolean() && cutAt > next) {
        producer.awaitReceived(cutAt);
      }
      var cut = run.cut();
      producer.send(lines(cutAt, lostAt));
      return random.nextInt(5) == 0 ? null : cut.join();
    }
  }

  private static RunSnapshot lastRun(
      @Nullable State saved, SplittableRandom random, StringBuilder story) throws Exception {
    try (TestCheckpoints checkpoints = new TestCheckpoints(3);
        TrainingRun run = run(1, saved, checkpoints);
        TestProducer producer = new TestProducer(Runs.port(run), "p")) {
      checkpoints.of(run);
      run.start();
      int next = Math.toIntExact(producer.introduce(TestCsv.HEADER));
      int from = resendFrom(next, random);
      story.append("[next %d from %d]".formatted(next, from));
      producer.send("rows " + from + "\n" + lines(from, ROWS) + "\n");
      assertThat(producer.line("ended")).isEqualTo("ended " + ROWS);
      assertThat(producer.durable()).isEqualTo(ROWS);
      return Runs.end(run);
    }
  }

  /** Everything, nothing, or some of what is not needed. */
  private static int resendFrom(int next, SplittableRandom random) {
    return switch (random.nextInt(3)) {
      case 0 -> 0;
      case 1 -> next;
      default -> random.nextInt(next + 1);
    };
  }

  /** Which rows were trained on: what was rejected before a cut is not part of it. */
  private static LedgerEntry trained(RunSnapshot end) {
    return end.outcome().ledger().stream()
        .filter(entry -> entry.what().equals("trained"))
        .findFirst()
        .orElseThrow();
  }

  private static RunSnapshot uninterrupted() throws Exception {
    return lastRun(null, new SplittableRandom(0), new StringBuilder());
  }

  /** Rows of two producers come in any order, but each of them once. */
  @Test
  void shouldTrainOnEachRowOfTwoProducersOnce() throws Exception {
    LedgerEntry ledger = trained(twoProducers(null, 0, 0));
    SplittableRandom random = new SplittableRandom(3);
    for (int i = 0; i < 6; i++) {
      int first = random.nextInt(ROWS);
      int second = random.nextInt(ROWS);
      State cut;
      try (TrainingRun run = run(2, null, () -> {});
          TestProducer p = new TestProducer(Runs.port(run), "p");
          TestProducer q = new TestProducer(Runs.port(run), "q")) {
        run.start();
        p.introduce(TestCsv.HEADER);
        q.introduce(TestCsv.HEADER);
        p.send("rows 0\n" + lines(0, first));
        q.send("rows 0\n" + lines(0, second));
        cut = run.cut().join();
        p.send(lines(first, ROWS));
        q.send(lines(second, ROWS));
      }
      RunSnapshot end = twoProducers(cut, first / 2, second / 3);
      assertThat(trained(end)).as("%d %d", first, second).isEqualTo(ledger);
      assertThat(end.rows().trained()).isEqualTo(2 * (ROWS - ROWS / 100));
    }
  }

  private static RunSnapshot twoProducers(@Nullable State saved, int pFrom, int qFrom)
      throws Exception {
    try (TestCheckpoints checkpoints = new TestCheckpoints(1);
        TrainingRun run = run(2, saved, checkpoints);
        TestProducer p = new TestProducer(Runs.port(run), "p");
        TestProducer q = new TestProducer(Runs.port(run), "q")) {
      checkpoints.of(run);
      run.start();
      // In this order: the first to come is partition 0.
      int pNext = Math.toIntExact(p.introduce(TestCsv.HEADER));
      int qNext = Math.toIntExact(q.introduce(TestCsv.HEADER));
      int pFirst = Math.min(pFrom, pNext);
      int qFirst = Math.min(qFrom, qNext);
      p.send("rows " + pFirst + "\n" + lines(pFirst, ROWS) + "\n");
      q.send("rows " + qFirst + "\n" + lines(qFirst, ROWS) + "\n");
      assertThat(p.line("ended")).isEqualTo("ended " + ROWS);
      assertThat(q.line("ended")).isEqualTo("ended " + ROWS);
      return Runs.end(run);
    }
  }

  @Test
  void shouldLearnTheColumnsFromTheFirstProducer() throws Exception {
    String yaml =
        """
        source: { tcp: { port: 0, acknowledge: { endAfterProducers: 1 } } }
        schema:
          label: { field: y, type: class, classes: 2 }
          fields: { "w*": number }
        model: logistic
        http: none
        """;
    try (Run run = Runs.of(yaml, new Rejected(), 0)) {
      run.start();
      try (TestProducer stranger = new TestProducer(Runs.port(run), "s")) {
        stranger.send("y,w1,w2\n1,2,3\n");
        assertThat(stranger.line("error")).startsWith("error handshake ");
      }
      try (TestProducer misfit = new TestProducer(Runs.port(run), "m")) {
        misfit.send("penstock/1 producer=m\ny,z\n");
        assertThat(misfit.line("error")).startsWith("error header ").contains("w*");
      }
      try (TestProducer producer = new TestProducer(Runs.port(run), "p")) {
        assertThat(producer.introduce("y,w1,w2\n")).isZero();
        producer.send("rows 0\n0,1,2\n1,2,3\n\n");
        assertThat(producer.line("ended")).isEqualTo("ended 2");
      }
      assertThat(Runs.end(run).rows().trained()).isEqualTo(2);
    }
  }

  private static TrainingRun run(int producers, @Nullable State saved, Runnable checkpointWanted) {
    return TestCheckpoints.run(Config.parse(YAML.formatted(producers)), saved, checkpointWanted);
  }

  private static String lines(int from, int to) {
    return LINES.subList(from, to).stream().map(line -> line + "\n").collect(Collectors.joining());
  }
}
