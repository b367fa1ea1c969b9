package io.penstock.ingest.generator;

import io.penstock.config.GeneratorSchemas;
import io.penstock.config.SourceConfig.Generator;
import io.penstock.config.SourceConfig.GeneratorStream;
import io.penstock.ingest.codec.SchemaResolver;
import io.penstock.pipeline.BlockSchema;
import io.penstock.pipeline.PartitionCursor;
import io.penstock.pipeline.Source;
import io.penstock.pipeline.SourceContext;
import io.penstock.pipeline.StreamItem;
import java.util.List;
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
   * @throws IllegalArgumentException where the context's blocks have other columns than {@link GeneratorSchemas} says
   */
  public GeneratorSource(Generator generator, SourceContext context) {
    this.generator = generator;
    this.context = context;
    BlockSchema implied = schema(generator.stream());
    BlockSchema given = context.pool().layout().schema();
    if (!fits(given, implied)) {
      throw new IllegalArgumentException(
          "generator: the schema of %s is implied: leave it out, or let it read %s, not %s"
              .formatted(GeneratorStream.word(generator.stream()), implied, given));
    }
  }

  /** The columns of the stream's blocks. */
  public static BlockSchema schema(GeneratorStream stream) {
    return SchemaResolver.resolve(GeneratorSchemas.of(stream), List.of(), column -> false);
  }

  /** Whether blocks have the columns of the stream; that an operator could impute one makes no difference. */
  private static boolean fits(BlockSchema given, BlockSchema implied) {
    int columns = implied.columns().size();
    boolean fits =
        given.columns().size() == columns
            && given.label().equals(implied.label())
            && !given.weighted()
            && !given.timed();
    for (int i = 0; fits && i < columns; i++) {
      fits =
          given.columns().get(i).name().equals(implied.columns().get(i).name())
              && given.columns().get(i).kind() == implied.columns().get(i).kind();
    }
    return fits;
  }

  @Override
  public String name() {
    return "generator";
  }

  @Override
  public boolean replays() {
    return true;
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
