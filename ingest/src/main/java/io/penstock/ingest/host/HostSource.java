package io.penstock.ingest.host;

import io.penstock.config.SourceConfig;
import io.penstock.pipeline.PartitionCursor;
import io.penstock.pipeline.Source;
import io.penstock.pipeline.SourceContext;
import io.penstock.pipeline.StreamItem;
import java.util.function.Supplier;
import reactor.core.publisher.Flux;
import reactor.core.scheduler.Scheduler;
import reactor.core.scheduler.Schedulers;

/**
 * Live metrics of this machine, a source of one partition. What has been measured cannot be had again: rows since the last checkpoint
 * are lost with the process, and their numbers are given anew.
 */
public final class HostSource implements Source {
  private final SourceConfig.Host config;
  private final SourceContext context;
  private final Supplier<Supplier<Sample>> sensors;
  private final Supplier<Scheduler> threads;

  /** A source that reads no sensor before it is subscribed to; its pool's blocks have the columns that the host implies. */
  public HostSource(SourceConfig.Host config, SourceContext context) {
    this(config, context, () -> new OshiSampler(context.clock()), HostSource::thread);
  }

  /**
   * @param sensors as of {@link HostFlux}
   * @param threads as of {@link HostFlux}
   */
  HostSource(
      SourceConfig.Host config,
      SourceContext context,
      Supplier<Supplier<Sample>> sensors,
      Supplier<Scheduler> threads) {
    this.config = config;
    this.context = context;
    this.sensors = sensors;
    this.threads = threads;
  }

  private static Scheduler thread() {
    return Schedulers.newSingle(
        task -> {
          Thread thread = new Thread(task, "penstock-host");
          thread.setDaemon(true);
          return thread;
        });
  }

  @Override
  public String name() {
    return "host";
  }

  @Override
  public boolean replays() {
    return false;
  }

  @Override
  public Flux<Partition> partitions() {
    PartitionCursor cursor = context.cursor(0);
    Flux<StreamItem> items =
        new HostFlux(config.every().toNanos(), config.records(), sensors, threads, cursor, context);
    return Flux.just(new Partition(cursor, items));
  }
}
