package io.penstock.app;

import io.penstock.config.Config;
import io.penstock.config.SourceConfig;
import io.penstock.ingest.codec.SchemaResolver;
import io.penstock.ingest.codec.SourceException;
import io.penstock.ingest.file.FileSource;
import io.penstock.ingest.generator.GeneratorSource;
import io.penstock.ingest.netty.TcpSource;
import io.penstock.pipeline.BlockSchema;
import io.penstock.pipeline.FeaturePlan;
import io.penstock.pipeline.Source;
import io.penstock.pipeline.SourceContext;
import java.util.List;

/** From the source as configured to the one that runs: the one place that knows all kinds. */
final class Sources {
  private Sources() {}

  /** Its name in files and meters. */
  static String name(SourceConfig source) {
    return switch (source) {
      case SourceConfig.Tcp _ -> "tcp";
      case SourceConfig.File _ -> "file";
      case SourceConfig.Generator _ -> "generator";
    };
  }

  /**
   * What its rows hold.
   *
   * @throws SourceException where that cannot be known or does not fit
   */
  static BlockSchema schema(Config config) {
    return SchemaResolver.resolve(
        config.schema(),
        columnNames(config),
        column -> FeaturePlan.nullable(config.features(), column.name(), column.kind()));
  }

  private static List<String> columnNames(Config config) {
    return switch (config.source()) {
      case SourceConfig.Generator _ -> List.of();
      case SourceConfig.File file ->
          file.format().csv().header() ? FileSource.header(file) : file.format().csv().columns();
      case SourceConfig.Tcp tcp -> tcp.format().csv().columns();
    };
  }

  /**
   * Opens it. A listener listens from here on, and accepts when it is subscribed to.
   *
   * @throws SourceException where that is not possible
   */
  static Source open(SourceConfig source, BlockSchema schema, SourceContext context) {
    return switch (source) {
      case SourceConfig.Generator generator -> new GeneratorSource(generator, context);
      case SourceConfig.File file -> new FileSource(file, schema, context);
      case SourceConfig.Tcp tcp -> TcpSource.bind(endingWithItsFeed(tcp), schema, context);
    };
  }

  /** With a sender built in, the run ends when that has sent all. */
  private static SourceConfig.Tcp endingWithItsFeed(SourceConfig.Tcp tcp) {
    return tcp.feed() == null || tcp.endAfterConnections() > 0
        ? tcp
        : new SourceConfig.Tcp(
            tcp.port(),
            tcp.bind(),
            tcp.insecure(),
            tcp.format(),
            tcp.maxLineBytes(),
            tcp.maxConnections(),
            tcp.idleTimeout(),
            1,
            tcp.feed());
  }
}
