package io.penstock.app;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import io.penstock.config.Config;
import io.penstock.config.FormatConfig;
import io.penstock.config.SourceConfig;
import io.penstock.ingest.codec.ClassNumbering;
import io.penstock.ingest.codec.JsonLines;
import io.penstock.ingest.codec.RowDecoder;
import io.penstock.ingest.codec.RowDecoder.Progress;
import io.penstock.pipeline.Assembler;
import io.penstock.pipeline.Block;
import io.penstock.pipeline.BlockLayout;
import io.penstock.pipeline.BlockPool;
import io.penstock.pipeline.BlockSchema;
import io.penstock.pipeline.BlockSchema.Label;
import io.penstock.pipeline.FeaturePlan;
import io.penstock.pipeline.OperatorStage;
import io.penstock.pipeline.PartitionCursor;
import io.penstock.pipeline.SlotRing;
import io.penstock.pipeline.SourceContext;
import io.penstock.pipeline.StageMeter;
import io.penstock.pipeline.StreamItem;
import io.penstock.trainer.Trainer;
import io.penstock.trainer.device.Device;
import io.penstock.trainer.device.DeviceSession;
import io.penstock.trainer.model.InitialParameters;
import io.penstock.trainer.model.TrainingState;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import org.agrona.concurrent.EpochNanoClock;
import org.agrona.concurrent.NanoClock;
import reactor.core.publisher.Sinks;
import reactor.core.scheduler.Scheduler;
import reactor.core.scheduler.Schedulers;

/**
 * A run of no consequence, on parts of its own and invented rows, for as long as nobody sends any: so that the JIT compiler has
 * seen the way from text to weights before the first real row takes it.
 */
final class Rehearsal {
  private static final int ROWS = 1000;
  private static final int PASSES = 8;
  private static final int READ_BYTES = 64 << 10;
  private static final int SLOTS = 4;
  private static final int BLOCKS = 4;

  private final Config config;
  private final FormatConfig format;
  private final RunPlan plan;
  private final Device device;
  private final EpochNanoClock clock;
  private final NanoClock nanoClock;

  /**
   * Prepares; nothing is allocated yet.
   *
   * @param plan of the run itself; the operators' state is the rehearsal's own
   * @param tcp where the rows would come from
   */
  Rehearsal(
      Config config,
      RunPlan plan,
      SourceConfig.Tcp tcp,
      Device device,
      EpochNanoClock clock,
      NanoClock nanoClock) {
    this.config = config;
    this.plan = plan;
    this.device = device;
    this.clock = clock;
    this.nanoClock = nanoClock;
    format =
        switch (tcp.format()) {
          case FormatConfig.Csv csv ->
              new FormatConfig.Csv(false, csv.delimiter(), names(plan.schema()), csv.missing());
          case FormatConfig.Json json -> json;
        };
  }

  /**
   * Runs, time and again from the beginning, until there was enough, which is asked every 64 KiB. On the device thread.
   *
   * @return rows trained on
   */
  long until(BooleanSupplier enough) {
    BlockLayout layout = BlockLayout.of(plan.schema());
    ByteBuf read = ByteBufAllocator.DEFAULT.directBuffer(READ_BYTES);
    long rows = 0;
    try (BlockPool pool = new BlockPool(layout, BLOCKS * layout.byteSize());
        SlotRing ring = new SlotRing(SLOTS, plan.layout(), device.slotMemory());
        DeviceSession session =
            device.open(plan.program(), InitialParameters.of(plan.model(), 0))) {
      for (int firstClass = 0; !enough.getAsBoolean(); firstClass = 1 - firstClass) {
        byte[] text = rows(firstClass).getBytes(StandardCharsets.UTF_8);
        session.write(new TrainingState(plan.program().metrics()));
        rows += new Take(pool, ring, session).play(text, read, enough);
      }
      return rows;
    } finally {
      read.release();
    }
  }

  /** One run from its beginning to its end. */
  private final class Take {
    private final BlockPool pool;
    private final SlotRing ring;
    private final Trainer trainer;
    private final Assembler assembler;
    private final RowDecoder decoder;
    private final Sinks.Many<StreamItem> stream = Sinks.many().unicast().onBackpressureBuffer();

    Take(BlockPool pool, SlotRing ring, DeviceSession session) {
      this.pool = pool;
      this.ring = ring;
      FeaturePlan features = new FeaturePlan(plan.schema(), config.features());
      Scheduler here = Schedulers.immediate();
      trainer = new Trainer(ring, session, new StageMeter("device"), nanoClock, clock);
      assembler =
          new Assembler(
              features,
              ring,
              here.createWorker(),
              Duration.ZERO,
              Long.MAX_VALUE,
              clock,
              new StageMeter("assembler"));
      OperatorStage operators =
          new OperatorStage(features, 1, here, nanoClock, new StageMeter("operators"));
      SourceContext context =
          new SourceContext(
              0, 0, pool, DeadLetters.countedOnly(), clock, new StageMeter("ingest"), Map.of());
      decoder =
          RowDecoder.of(
              format,
              plan.schema(),
              new ClassNumbering(),
              new PartitionCursor(0, 0, 0, 0),
              context,
              Integer.MAX_VALUE);
      stream.asFlux().transform(operators::apply).subscribe(assembler);
    }

    long play(byte[] text, ByteBuf read, BooleanSupplier enough) {
      for (int pass = 0; pass < PASSES; pass++) {
        for (int at = 0; at < text.length && !enough.getAsBoolean(); at += READ_BYTES) {
          read.clear().writeBytes(text, at, Math.min(READ_BYTES, text.length - at));
          decode(read);
        }
      }
      decoder.release();
      stream.tryEmitComplete().orThrow();
      train();
      trainer.onClose();
      return trainer.status().rowsTrained();
    }

    private void decode(ByteBuf read) {
      while (decoder.decode(read, clock.nanoTime()) == Progress.BLOCK_FULL) {
        send();
      }
      send();
    }

    private void send() {
      Block block = decoder.takeBlock();
      if (block != null) {
        stream.tryEmitNext(block).orThrow();
        train();
      }
    }

    /** Until all is used up: the assembler goes on within, where slots are freed. */
    private void train() {
      do {
        trainer.doWork();
      } while (ring.fill() > 0 || pool.held() > 0);
    }
  }

  private static List<String> names(BlockSchema schema) {
    List<String> names = new ArrayList<>();
    schema.columns().forEach(column -> names.add(column.name()));
    names.add(schema.label().field());
    if (schema.weighted()) {
      names.add(schema.weightField());
    }
    if (schema.timed()) {
      names.add(schema.timeField());
    }
    return names;
  }

  /**
   * Rows in the format.
   *
   * @param firstClass number of the first class, 0 or 1, where classes are numbers
   */
  private String rows(int firstClass) {
    BlockSchema schema = plan.schema();
    SplittableRandom random = new SplittableRandom(1);
    StringBuilder text = new StringBuilder();
    Consumer<List<String>> line =
        switch (format) {
          case FormatConfig.Csv csv ->
              values -> text.append(String.join(csv.delimiter(), values)).append('\n');
          case FormatConfig.Json _ -> {
            JsonLines lines = new JsonLines(names(schema));
            yield values -> lines.append(values, text);
          }
        };
    for (int row = 0; row < ROWS; row++) {
      line.accept(values(schema, firstClass, row, random));
    }
    return text.toString();
  }

  private List<String> values(
      BlockSchema schema, int firstClass, int row, SplittableRandom random) {
    List<String> values = new ArrayList<>();
    for (BlockSchema.Column column : schema.columns()) {
      values.add(value(column.kind(), random));
    }
    values.add(label(schema.label(), firstClass, random));
    if (schema.weighted()) {
      values.add("1");
    }
    if (schema.timed()) {
      values.add(String.valueOf(1_700_000_000 + row));
    }
    return values;
  }

  /** Numbers of one to four digits, some with a sign or a fraction. */
  private String value(BlockSchema.Kind kind, SplittableRandom random) {
    return switch (kind) {
      case FLAG -> String.valueOf(random.nextInt(2));
      case CATEGORY -> quoted("category" + random.nextInt(10));
      case NUMBER ->
          switch (random.nextInt(5)) {
            case 0 -> String.valueOf(random.nextInt(10));
            case 1 -> String.valueOf(random.nextInt(1000));
            case 2 -> "-" + random.nextInt(100);
            case 3 -> String.valueOf(random.nextInt(10_000));
            default -> random.nextInt(100) + ".5";
          };
    };
  }

  private String label(Label label, int firstClass, SplittableRandom random) {
    if (!label.isClass()) {
      return String.valueOf(random.nextInt(100));
    }
    int number = random.nextInt(label.classes());
    return label.classNames().isEmpty()
        ? String.valueOf(firstClass + number)
        : quoted(label.classNames().get(number));
  }

  private String quoted(String text) {
    return format instanceof FormatConfig.Json
        ? JsonLines.string(text)
        : '"' + text.replace("\"", "\"\"") + '"';
  }
}
