package io.penstock.app;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.penstock.config.Config;
import io.penstock.config.SourceConfig;
import io.penstock.ingest.codec.ClassNumbering;
import io.penstock.ingest.codec.CsvDecoder;
import io.penstock.ingest.codec.CsvDecoder.Progress;
import io.penstock.ingest.netty.Feed;
import io.penstock.pipeline.Assembler;
import io.penstock.pipeline.Block;
import io.penstock.pipeline.BlockLayout;
import io.penstock.pipeline.BlockPool;
import io.penstock.pipeline.BlockSchema;
import io.penstock.pipeline.FeaturePlan;
import io.penstock.pipeline.OperatorStage;
import io.penstock.pipeline.PartitionCursor;
import io.penstock.pipeline.SlotLayout;
import io.penstock.pipeline.SlotRing;
import io.penstock.pipeline.SourceContext;
import io.penstock.pipeline.StageMeter;
import io.penstock.pipeline.StreamItem;
import io.penstock.trainer.cpu.CpuDevice;
import io.penstock.trainer.device.Device;
import io.penstock.trainer.device.DeviceSession;
import io.penstock.trainer.device.StepResult;
import io.penstock.trainer.model.InitialParameters;
import io.penstock.trainer.model.Lowering;
import io.penstock.trainer.model.ModelSpec;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.SplittableRandom;
import java.util.function.LongSupplier;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.agrona.concurrent.EpochNanoClock;
import org.agrona.concurrent.OffsetEpochNanoClock;
import org.reactivestreams.Subscription;
import reactor.core.publisher.Flux;
import reactor.core.scheduler.Schedulers;

/**
 * {@code penstock bench stages}: rows a second of each stage alone, one thread, on rows that are in memory already, and of the
 * whole over TCP on loopback with its sender: 54 integers and a class of 7 a row, about 131 bytes. Medians, in rounds that
 * alternate between the stages.
 */
final class StageBenchmark {
  private static final int ROWS = 200_000;
  private static final int BATCH = 256;
  private static final int READ_BYTES = 64 << 10;
  private static final int ROUNDS = 9;

  private final Config config;
  private final BlockSchema schema;
  private final Device device = new CpuDevice();
  private final EpochNanoClock clock = new OffsetEpochNanoClock();
  private final byte[] csv = rows();

  private StageBenchmark(String model) {
    config =
        Config.parse(
            """
            source: { tcp: { port: 0, endAfterConnections: 1, format: { csv: { header: false } } } }
            schema:
              label: { field: class, type: class, classes: 7 }
              fields: { %s }
            features: [ standardize: { fields: number } ]
            batch: { size: %d, maxDelay: none }
            model: %s
            optimizer: { adam: { learningRate: 0.001 } }
            http: none
            """
                .formatted(
                    IntStream.range(0, 54)
                        .mapToObj(i -> "x" + i + ": number")
                        .collect(Collectors.joining(", ")),
                    BATCH,
                    model));
    schema = RunPlan.of(config, List.of()).schema();
  }

  /** Prints a line for each stage and each of two models. */
  static void run(double seconds, PrintStream out) {
    for (String model : List.of("softmax", "mlp: { hidden: [64], activation: relu }")) {
      String yaml = model.contains(":") ? "{ " + model + " }" : model;
      new StageBenchmark(yaml).measure(model.startsWith("mlp") ? "54-64-7" : "54-7", seconds, out);
    }
  }

  private void measure(String model, double seconds, PrintStream out) {
    ByteBuf bytes = Unpooled.directBuffer(csv.length).writeBytes(csv);
    try (BlockPool pool = new BlockPool(BlockLayout.of(schema), 256L << 20)) {
      List<Stage> stages =
          List.of(
              new Stage("decode", () -> decode(bytes, pool)),
              new Stage("operators", () -> operators(bytes, pool)),
              new Stage("assembler", () -> assembler(bytes, pool)),
              new Stage("step", this::steps),
              new Stage("whole", this::whole));
      double[][] rates = new double[stages.size()][ROUNDS];
      // Each for itself: the compiler takes its time, and a fast stage has few calls.
      for (Stage stage : stages) {
        long until = System.nanoTime() + (long) (seconds * 1e9);
        long spent = 0;
        while (System.nanoTime() < until || spent == 0) {
          spent += stage.nanos().getAsLong();
        }
      }
      for (int round = 0; round < ROUNDS; round++) {
        for (int i = 0; i < stages.size(); i++) {
          rates[i][round] = ROWS * 1e9 / stages.get(i).nanos().getAsLong();
        }
      }
      for (int i = 0; i < stages.size(); i++) {
        Arrays.sort(rates[i]);
        out.printf(
            Locale.ROOT,
            "{\"bench\": \"stages\", \"model\": \"%s\", \"batch\": %d, \"stage\": \"%s\", \"rowsPerSecond\": %.0f}%n",
            model,
            BATCH,
            stages.get(i).name(),
            rates[i][ROUNDS / 2]);
      }
    } finally {
      bytes.release();
    }
  }

  /** One pass of all rows through a stage, in nanoseconds. */
  private record Stage(String name, LongSupplier nanos) {}

  private static byte[] rows() {
    SplittableRandom random = new SplittableRandom(7);
    int[] widths = {3858, 360, 66, 1397, 601, 7117, 254, 254, 254, 7173};
    StringBuilder text = new StringBuilder();
    for (int row = 0; row < ROWS; row++) {
      for (int width : widths) {
        text.append(random.nextInt(width)).append(',');
      }
      int area = random.nextInt(4);
      int soil = random.nextInt(40);
      for (int i = 0; i < 44; i++) {
        text.append(i == area || i == 4 + soil ? '1' : '0').append(',');
      }
      text.append(1 + random.nextInt(7)).append('\n');
    }
    return text.toString().getBytes(StandardCharsets.US_ASCII);
  }

  private long decode(ByteBuf bytes, BlockPool pool) {
    long began = System.nanoTime();
    for (Block block : blocks(bytes, pool)) {
      block.release();
    }
    return System.nanoTime() - began;
  }

  private List<Block> blocks(ByteBuf bytes, BlockPool pool) {
    PartitionCursor cursor = new PartitionCursor(0, 0, 0, 0);
    SourceContext context =
        new SourceContext(
            0, 0, pool, DeadLetters.countedOnly(), clock, new StageMeter("ingest"), Map.of());
    SourceConfig.Tcp tcp = (SourceConfig.Tcp) Objects.requireNonNull(config.source());
    CsvDecoder decoder =
        new CsvDecoder(
            tcp.format().csv(), schema, new ClassNumbering(), cursor, context, tcp.maxLineBytes());
    List<Block> blocks = new ArrayList<>();
    for (int at = 0; at < bytes.readableBytes(); at += READ_BYTES) {
      ByteBuf read = bytes.slice(at, Math.min(READ_BYTES, bytes.readableBytes() - at));
      while (decoder.decode(read, 0) == Progress.BLOCK_FULL) {
        take(decoder, blocks);
      }
    }
    decoder.finish();
    while (decoder.decode(Unpooled.EMPTY_BUFFER, 0) == Progress.BLOCK_FULL) {
      take(decoder, blocks);
    }
    take(decoder, blocks);
    return blocks;
  }

  private static void take(CsvDecoder decoder, List<Block> blocks) {
    Block block = decoder.takeBlock();
    if (block != null) {
      blocks.add(block);
    }
  }

  private long operators(ByteBuf bytes, BlockPool pool) {
    List<Block> blocks = blocks(bytes, pool);
    OperatorStage stage =
        new OperatorStage(
            new FeaturePlan(schema, config.features()),
            1,
            Schedulers.immediate(),
            clock::nanoTime,
            new StageMeter("operators"));
    long began = System.nanoTime();
    stage
        .apply(Flux.fromIterable(blocks).cast(StreamItem.class))
        .subscribe(item -> ((Block) item).release());
    return System.nanoTime() - began;
  }

  private long assembler(ByteBuf bytes, BlockPool pool) {
    List<Block> blocks = blocks(bytes, pool);
    FeaturePlan plan = new FeaturePlan(schema, config.features());
    try (SlotRing ring =
        new SlotRing(8, SlotLayout.of(BATCH, plan.features()), device.slotMemory())) {
      Assembler assembler =
          new Assembler(
              plan,
              ring,
              Schedulers.immediate().createWorker(),
              Duration.ZERO,
              Long.MAX_VALUE,
              clock,
              new StageMeter("assembler"));
      assembler.onSubscribe(new Unbounded());
      long began = System.nanoTime();
      for (Block block : blocks) {
        assembler.onNext(block);
        // The consumer takes nothing but the slots.
        while (ring.fill() > 0) {
          ring.release(ring.published());
        }
      }
      return System.nanoTime() - began;
    }
  }

  private long steps() {
    SlotLayout layout = SlotLayout.of(BATCH, 54);
    ModelSpec spec =
        ModelSpec.of(
            config.model(), config.loss(), config.optimizer(), config.schema().label(), 54);
    StepResult result = new StepResult();
    try (BlockPool pool = new BlockPool(BlockLayout.of(schema), 64L << 20);
        SlotRing ring = new SlotRing(8, layout, device.slotMemory());
        DeviceSession session =
            device.open(
                Lowering.lower(spec, layout, config.evaluation().window()),
                InitialParameters.of(spec, 1))) {
      fill(ring, pool);
      long began = System.nanoTime();
      for (int step = 0; step < ROWS / BATCH; step++) {
        session.trySubmit(ring.get(step % 8));
        session.poll(result);
      }
      return (System.nanoTime() - began) * ROWS / (ROWS / BATCH * BATCH);
    }
  }

  /** Eight standardised minibatches, published and never released. */
  private void fill(SlotRing ring, BlockPool pool) {
    FeaturePlan plan = new FeaturePlan(schema, config.features());
    OperatorStage stage =
        new OperatorStage(
            plan, 1, Schedulers.immediate(), clock::nanoTime, new StageMeter("operators"));
    Assembler assembler =
        new Assembler(
            plan,
            ring,
            Schedulers.immediate().createWorker(),
            Duration.ZERO,
            8L * BATCH,
            clock,
            new StageMeter("assembler"));
    ByteBuf some = Unpooled.wrappedBuffer(csv, 0, 8 * BATCH * 140);
    stage
        .apply(Flux.fromIterable(blocks(some, pool)).cast(StreamItem.class))
        .doOnDiscard(Block.class, Block::release)
        .subscribe(assembler);
    some.release();
  }

  private long whole() {
    try {
      Path file = Files.createTempFile("penstock-bench", ".csv");
      try (TrainingRun run =
          new TrainingRun(
              config,
              new RunOptions(0, RunOptions.Beginning.FRESH, DeadLetters.countedOnly()),
              device,
              null)) {
        Files.write(file, csv);
        run.start();
        String address = run.snapshot().source();
        int port = Integer.parseInt(address.substring(address.lastIndexOf(':') + 1));
        long began = System.nanoTime();
        Feed.to("127.0.0.1", port).file(file, false).block();
        run.awaitEnd(Duration.ofMinutes(1));
        return System.nanoTime() - began;
      } finally {
        Files.delete(file);
      }
    } catch (IOException | InterruptedException e) {
      throw new RunException("bench stages: " + Causes.of(e), e);
    }
  }

  /** Demand without bound or effect. */
  private static final class Unbounded implements Subscription {
    @Override
    public void request(long n) {}

    @Override
    public void cancel() {}
  }
}
