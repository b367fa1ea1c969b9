package io.penstock.ingest.generator;

import io.penstock.config.SourceConfig.Generator;
import io.penstock.pipeline.BlockSchema;
import io.penstock.pipeline.PartitionCursor;
import io.penstock.pipeline.Source;
import io.penstock.pipeline.SourceContext;
import io.penstock.pipeline.StreamItem;
import reactor.core.publisher.Flux;

/**
 * A synthetic stream as a source of one partition. Blocks are full but for the last; demand is honoured item by item. Exactly
 * once: it resumes at any row.
 */
public final class GeneratorSource implements Source {
  private final Generator generator;
  private final SourceContext context;

  /**
   * A source that has not begun.
   *
   * @throws IllegalArgumentException where a setting is out of its range, or the context's blocks have other columns than
   *     {@link GeneratorSchema} says
   */
  public GeneratorSource(Generator generator, SourceContext context) {
    this.generator = generator;
    this.context = context;
    BlockSchema implied = GeneratorSchema.of(generator.stream());
    if (!context.pool().layout().schema().equals(implied)) {
      throw new IllegalArgumentException(
          "generator: the schema of %s is implied, and must be left out or read %s"
              .formatted(generator.stream(), implied));
    }
    // Settings that are out of range are errors now, not when rows are first asked for.
    SyntheticStream.of(generator);
  }

  @Override
  public String name() {
    return "generator";
  }

  @Override
  public Flux<Partition> partitions() {
    PartitionCursor cursor = context.cursor(0);
    Flux<StreamItem> items =
        new GeneratorFlux(
            generator.records(), () -> SyntheticStream.of(generator), cursor, context);
    return Flux.just(new Partition(cursor, items));
  }
}
