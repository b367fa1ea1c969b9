package io.penstock.app;

import io.penstock.app.checkpoint.Disk;
import io.penstock.config.Config;
import io.penstock.config.ConfigException;
import io.penstock.config.ConfigReader;
import io.penstock.config.Precision;
import io.penstock.ingest.netty.Feed;
import io.penstock.ingest.netty.FeedException;
import io.penstock.ingest.netty.FeedResult;
import io.penstock.ingest.netty.ProducerFeed;
import io.penstock.trainer.StepBenchmark;
import java.io.PrintStream;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import reactor.core.publisher.Mono;

/** Puts the modules together. */
final class Wiring implements Engine {
  private static final Duration CONNECT_WITHIN = Duration.ofSeconds(5);

  @Override
  public Config config(Path file, List<String> sets) {
    try {
      return ConfigReader.read(file, sets);
    } catch (ConfigException e) {
      throw new StartException(String.valueOf(e.getMessage()), e);
    }
  }

  @Override
  public Run run(Config config, RunOptions options) {
    return TrainingRun.of(
        config, options, Devices.open(config.device(), config.precision(), System.err), Disk.REAL);
  }

  @Override
  public FeedResult feed(FeedRequest request) {
    if (request.acknowledged() != null) {
      return feed(request, request.acknowledged());
    }
    Feed feed =
        Feed.to(request.host(), request.port())
            .atRate(request.rowsPerSecond())
            .connectingWithin(CONNECT_WITHIN);
    try {
      return switch (request.input()) {
        case FeedRequest.Input.Lines lines ->
            sent(feed.file(lines.path(), Feed.hasHeader(lines.path())));
        case FeedRequest.Input.Letters letters -> replay(letters.replay(), feed);
        case FeedRequest.Input.Stream stream -> sent(feed.generator(stream.generator(), true));
      };
    } catch (FeedException e) {
      throw new RunException(String.valueOf(e.getMessage()), e);
    }
  }

  private static FeedResult feed(FeedRequest request, FeedRequest.Acknowledged acknowledged) {
    ProducerFeed feed =
        new ProducerFeed(
            request.host(),
            request.port(),
            acknowledged.producer(),
            request.rowsPerSecond(),
            acknowledged.reconnectWithin(),
            acknowledged.untilDurable());
    try {
      return switch (request.input()) {
        case FeedRequest.Input.Lines lines -> feed.file(lines.path());
        case FeedRequest.Input.Letters _ ->
            throw new StartException(
                "--producer: dead letters are sent again without acknowledgements; leave it out");
        case FeedRequest.Input.Stream stream -> feed.generator(stream.generator());
      };
    } catch (FeedException e) {
      throw new RunException(String.valueOf(e.getMessage()), e);
    }
  }

  private static FeedResult sent(Mono<FeedResult> sending) {
    return sending.blockOptional().orElseThrow();
  }

  /** A header is said once a connection, so there is one for each. */
  private static FeedResult replay(DeadLetterReplay letters, Feed feed) {
    long bytes = 0;
    double seconds = 0;
    for (String header : letters.rowsByHeader().keySet()) {
      FeedResult sent = sent(feed.lines(() -> letters.lines(header), !header.isEmpty()));
      bytes += sent.bytes();
      seconds += sent.seconds();
    }
    return new FeedResult(letters.rows(), bytes, seconds);
  }

  @Override
  public List<DeviceReport> devices() {
    return Devices.reports();
  }

  @Override
  public void benchSteps(String device, int threads, PrintStream out) {
    try {
      StepBenchmark.run(Devices.open(device, Precision.FLOAT32, System.err), threads, out);
    } catch (IllegalArgumentException e) {
      throw new StartException(String.valueOf(e.getMessage()), e);
    }
  }

  @Override
  public void benchStages(double seconds, PrintStream out) {
    StageBenchmark.run(seconds, out);
  }

  @Override
  public int benchGpu(GpuRequest request, Terminal terminal) throws InterruptedException {
    return new GpuBenchmark(request, terminal).run();
  }
}
