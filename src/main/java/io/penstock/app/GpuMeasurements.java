package io.penstock.app;

import io.penstock.app.GpuGrid.Point;
import io.penstock.config.Config;
import io.penstock.trainer.StepBenchmark;
import io.penstock.trainer.cpu.CpuDevice;
import io.penstock.trainer.cuda.CudaBenchmark;
import io.penstock.trainer.cuda.GpuState;
import io.penstock.trainer.device.StepShape;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.node.JsonNodeFactory;
import tools.jackson.databind.node.ObjectNode;

/**
 * Measures one section, in a process of its own: {@code GpuMeasurements SECTION FILE PYTHON SCRIPT SOAK-SECONDS}. Each figure is a
 * line of JSON in FILE as soon as it is known, so that what was measured stands whatever comes after.
 */
final class GpuMeasurements {
  private static final int ROUNDS = 5;
  private static final long CPU_WARM_UP_NANOS = 1_000_000_000L;
  private static final double ROUND_MICROS = 60_000;
  private static final double EMULATED_ROUND_MICROS = 2_000;
  private static final double TORCH_SECONDS = 0.3;
  private static final int PLAIN_COPIES = 20;

  /** A soak's configuration: rows from memory, a small network, the GPU. */
  private static final String SOAK =
      """
      name: soak
      source: { generator: { stream: agrawal, records: 1_000_000_000_000, seed: 3 } }
      features: [ { standardize: { fields: number } } ]
      batch: { size: 256 }
      model: { mlp: { hidden: [64], activation: relu } }
      optimizer: { adam: { learningRate: 0.003 } }
      device: cuda
      seed: 42
      """;

  private final Path lines;
  private final boolean emulated;

  private GpuMeasurements(Path lines) {
    this.lines = lines;
    GpuState gpu = GpuState.of(0);
    emulated = gpu.emulated();
    ObjectNode node = node("device");
    node.put("kind", emulated ? "emulator" : "gpu");
    node.put("name", gpu.name());
    node.put("description", gpu.description());
    write(node);
  }

  /** Measures. */
  public static void main(String[] args) throws IOException, InterruptedException {
    GpuSection section = GpuSection.valueOf(args[0].toUpperCase(Locale.ROOT));
    GpuMeasurements all = new GpuMeasurements(Path.of(args[1]));
    switch (section) {
      case GRID -> all.grid(args[2], args[3]);
      case STREAMING -> all.streaming();
      case PRODUCTS -> all.products();
      case CPU -> all.cpu();
      case SOAK -> all.soak(Duration.ofSeconds(Long.parseLong(args[4])));
      case CONTRACT, GOLDEN -> throw new IllegalArgumentException(section + " is tests");
    }
    // Nothing of the JVM's own end, such as a pool's threads, is to hold up the next section.
    System.exit(0);
  }

  private double roundMicros() {
    return emulated ? EMULATED_ROUND_MICROS : ROUND_MICROS;
  }

  private void grid(String python, String script) {
    try (TorchRival rival = rival(python, script)) {
      for (Point point : GpuGrid.steps(emulated)) {
        grid(point, rival);
      }
    }
  }

  private @Nullable TorchRival rival(String python, String script) {
    ObjectNode node = node("rival");
    try {
      if (script.isEmpty()) {
        throw new IOException("this build has no " + GpuBenchmark.RIVAL);
      }
      if (emulated) {
        throw new IOException("an emulator is not compared with anything");
      }
      TorchRival rival = TorchRival.start(python, Path.of(script));
      node.put("peer", rival.peer());
      node.put("device", rival.device());
      return rival;
    } catch (IOException e) {
      node.put("error", Causes.of(e));
      return null;
    } finally {
      write(node);
    }
  }

  private void grid(Point point, @Nullable TorchRival rival) {
    ObjectNode node = node("step", point);
    try (CudaBenchmark ours = open(point)) {
      List<Double> streamed = new ArrayList<>();
      List<Double> resident = new ArrayList<>();
      List<Double> torch = new ArrayList<>();
      for (int round = 0; round < 3; round++) {
        streamed.add(ours.streamedMicros());
        resident.add(ours.residentMicros());
        if (rival != null) {
          torch.add(rival.stepMicros(point, TORCH_SECONDS));
        }
      }
      node.put("streamedMicros", CudaBenchmark.median(streamed));
      node.put("residentMicros", CudaBenchmark.median(resident));
      if (!torch.isEmpty()) {
        node.put("torchMicros", CudaBenchmark.median(torch));
      }
    } catch (IOException e) {
      node.put("torchError", Causes.of(e));
    } catch (RuntimeException e) {
      node.put("error", Causes.of(e));
    }
    write(node);
  }

  private CudaBenchmark open(Point point) {
    return CudaBenchmark.open(0, point.shape(), point.precision(), roundMicros());
  }

  private void streaming() {
    List<Point> points = GpuGrid.streaming(emulated);
    long slotBytes = 0;
    for (Point point : points) {
      ObjectNode node = node("stream", point);
      try (CudaBenchmark ours = open(point)) {
        slotBytes = ours.slotBytes();
        streaming(ours, node);
      } catch (RuntimeException e) {
        node.put("error", Causes.of(e));
      }
      write(node);
    }
    ObjectNode node = node("plainCopy");
    node.put("bytes", slotBytes);
    node.put(
        "bytesPerSecond",
        CudaBenchmark.plainCopyBytesPerSecond(0, slotBytes, PLAIN_COPIES, ROUNDS));
    write(node);
  }

  private static void streaming(CudaBenchmark ours, ObjectNode node) {
    List<Double> resident = new ArrayList<>();
    List<Double> streamed = new ArrayList<>();
    List<Double> copy = new ArrayList<>();
    List<Double> hidden = new ArrayList<>();
    for (int round = 0; round < ROUNDS; round++) {
      resident.add(ours.trace(false).stepMicros());
      CudaBenchmark.Trace trace = ours.trace(true);
      streamed.add(trace.stepMicros());
      copy.add(trace.copyMicros());
      hidden.add(trace.hiddenShare());
    }
    node.put("residentMicros", CudaBenchmark.median(resident));
    node.put("streamedMicros", CudaBenchmark.median(streamed));
    node.put("copyMicros", CudaBenchmark.median(copy));
    node.put("hiddenShare", CudaBenchmark.median(hidden));
    node.put("slotBytes", ours.slotBytes());
  }

  private void products() {
    for (Point point : GpuGrid.products(emulated)) {
      ObjectNode node = node("products", point);
      try (CudaBenchmark ours = open(point)) {
        List<Double> products = new ArrayList<>();
        List<Double> resident = new ArrayList<>();
        for (int round = 0; round < 3; round++) {
          products.add(ours.productsMicros(point.precision()));
          resident.add(ours.residentMicros());
        }
        node.put("productsMicros", CudaBenchmark.median(products));
        node.put("stepMicros", CudaBenchmark.median(resident));
      } catch (RuntimeException e) {
        node.put("error", Causes.of(e));
      }
      write(node);
    }
  }

  private void cpu() {
    CpuDevice device = new CpuDevice();
    for (StepShape shape : GpuGrid.cpu(emulated)) {
      ObjectNode node = node("cpu");
      shape(node, shape);
      node.put(
          "stepMicros",
          StepBenchmark.stepNanos(device, shape, emulated ? 1 : CPU_WARM_UP_NANOS, ROUNDS) / 1e3);
      write(node);
    }
  }

  private void soak(Duration length) throws IOException, InterruptedException {
    Path file = Files.createTempFile("penstock-soak", ".yaml");
    Files.writeString(file, SOAK);
    Wiring wiring = new Wiring();
    Config config = wiring.config(file, List.of());
    Files.delete(file);
    try (DeadLetters rejections = DeadLetters.countedOnly();
        Run run = wiring.run(config, new RunOptions(0, RunOptions.Beginning.FRESH, rejections))) {
      run.start();
      long seconds = length.toSeconds();
      for (long second = 0; second < seconds && !run.awaitEnd(Duration.ofSeconds(1)); second++) {
        GpuState state = GpuState.of(0);
        ObjectNode node = node("memory");
        node.put("second", second + 1);
        node.put("gpuBytes", state.usedBytes());
        node.put("pinnedBytes", state.pinnedBytes());
        node.put("residentBytes", residentBytes());
        node.put("rows", run.snapshot().rows().trained());
        write(node);
      }
      run.stop();
      run.awaitEnd(Duration.ofSeconds(10));
      RunSnapshot end = run.snapshot();
      ObjectNode node = node("soak");
      node.put("rows", end.rows().trained());
      node.put("seconds", end.seconds());
      if (end.failure() != null) {
        node.put("error", end.failure());
      }
      write(node);
    }
  }

  /** Of this process, as Linux counts. */
  private static long residentBytes() throws IOException {
    for (String line : Files.readAllLines(Path.of("/proc/self/status"))) {
      if (line.startsWith("VmRSS:")) {
        return 1024 * Long.parseLong(line.replaceAll("\\D", ""));
      }
    }
    throw new IOException("/proc/self/status has no VmRSS");
  }

  private ObjectNode node(String what) {
    ObjectNode node = JsonNodeFactory.instance.objectNode();
    node.put("what", what);
    // Said in every line: no figure of an emulator is to be taken for a GPU's.
    if (emulated) {
      node.put("emulated", true);
    }
    return node;
  }

  private ObjectNode node(String what, Point point) {
    ObjectNode node = node(what);
    shape(node, point.shape());
    node.put("precision", point.precision().name().toLowerCase(Locale.ROOT));
    return node;
  }

  private static void shape(ObjectNode node, StepShape shape) {
    shape.dims().forEach(node.withArray("dims")::add);
    node.put("batch", shape.batch());
  }

  private void write(ObjectNode node) {
    try {
      Files.writeString(
          lines,
          node + "\n",
          StandardCharsets.UTF_8,
          StandardOpenOption.CREATE,
          StandardOpenOption.APPEND);
    } catch (IOException e) {
      throw new java.io.UncheckedIOException(e);
    }
  }
}
