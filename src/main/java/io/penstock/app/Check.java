package io.penstock.app;

import io.penstock.app.checkpoint.CheckpointDirectory;
import io.penstock.config.Config;
import io.penstock.config.FormatConfig;
import io.penstock.config.SourceConfig;
import io.penstock.config.TokenConfig;
import io.penstock.ingest.codec.SourceException;
import io.penstock.ingest.file.FileSource;
import java.io.IOException;
import java.io.PrintStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.UnknownHostException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** {@code penstock check}: what would go wrong here, what is promised, and whether a run can be repeated to the bit. */
final class Check {
  private static final String PROBLEM = "PROBLEM";
  private static final String EXACTLY_ONCE =
      "every row is trained on exactly once, also when the process is killed and started again";

  private final Config config;
  private final List<Engine.DeviceReport> devices;
  private final List<String> lines = new ArrayList<>();
  private int problems;

  Check(Config config, List<Engine.DeviceReport> devices) {
    this.config = config;
    this.devices = List.copyOf(devices);
  }

  /** Prints what was found; returns the exit code. */
  int print(PrintStream out) {
    jvm();
    config.allSources().forEach((name, source) -> source(config.sourceKey(name), source));
    schema();
    device();
    deadLetters();
    checkpoint();
    rollback();
    http();
    promise();
    reproducible();
    lines.forEach(out::println);
    out.println(
        problems == 0
            ? "The run can start."
            : "The run cannot start: " + Texts.count(problems, "problem") + ".");
    return problems == 0 ? ExitCode.OK : ExitCode.USAGE;
  }

  private void jvm() {
    List<String> missing = JvmFlags.missing();
    if (missing.isEmpty()) {
      good(
          "jvm",
          "Java %d, %d processors"
              .formatted(Runtime.version().feature(), Runtime.getRuntime().availableProcessors()));
    } else {
      problem("jvm", "started without " + String.join(" ", missing) + "; start it by ./penstock");
    }
    if (!JvmFlags.fastNetty()) {
      note("jvm", "started without " + JvmFlags.UNSAFE + ": sockets are read more slowly");
    }
  }

  private void source(String key, SourceConfig source) {
    switch (source) {
      case SourceConfig.Tcp tcp -> {
        port(key + ".tcp", tcp.bind(), tcp.port());
        token(key + ".tcp.token", tcp.token());
      }
      case SourceConfig.File file -> file(key + ".file", Path.of(file.path()));
      case SourceConfig.Generator generator -> good(key, "generator, " + rows(generator.records()));
      case SourceConfig.Host host ->
          good(
              key,
              "this machine, every %d ms, %s"
                  .formatted(host.every().toMillis(), rows(host.records())));
    }
  }

  private void file(String key, Path file) {
    if (!Files.exists(file)) {
      problem(
          key,
          "no such file: %s (paths are taken from %s)"
              .formatted(file, Path.of("").toAbsolutePath()));
    } else if (!Files.isRegularFile(file) || !Files.isReadable(file)) {
      problem(key, "cannot be read: " + file);
    } else {
      good(key, file.toString());
    }
  }

  private void schema() {
    try {
      Optional<Inference> inferred = Inference.of(config);
      inferred.ifPresent(inference -> good("schema.infer", inference.found()));
      Config whole = inferred.map(Inference::config).orElse(config);
      config.allSources().forEach((name, source) -> columns(config.sourceKey(name), source, whole));
    } catch (StartException e) {
      lines.add("%-8s %s".formatted(PROBLEM, e.getMessage()));
      problems++;
    }
  }

  /** Whether a file has the columns that the schema names. */
  private void columns(String key, SourceConfig source, Config whole) {
    if (source instanceof SourceConfig.File file
        && file.format() instanceof FormatConfig.Csv
        && Files.isReadable(Path.of(file.path()))) {
      try {
        RunPlan plan = RunPlan.of(whole, FileSource.columnNames(file));
        good(key + ".file", Texts.count(plan.features().features(), "feature"));
      } catch (SourceException e) {
        problem(key + ".file", String.valueOf(e.getMessage()));
      }
    }
  }

  private void device() {
    String wanted = config.device();
    if (wanted.equals("auto")) {
      devices.stream()
          .filter(Engine.DeviceReport::usable)
          .findFirst()
          .ifPresentOrElse(
              first -> good("device", "auto takes " + first.name() + ": " + first.what()),
              () -> problem("device", "none is usable; see penstock devices"));
      devices.stream()
          .takeWhile(device -> !device.usable())
          .forEach(better -> note("device", better.name() + " cannot be used: " + better.what()));
      return;
    }
    String name = wanted.split(":", 2)[0];
    Engine.@Nullable DeviceReport found =
        devices.stream().filter(d -> d.name().equals(name)).findFirst().orElse(null);
    if (found == null) {
      problem("device", "'" + wanted + "' is not known; see penstock devices");
    } else if (!found.usable()) {
      problem("device", wanted + " is not usable: " + found.what());
    } else {
      good("device", wanted + ": " + found.what());
    }
  }

  private void deadLetters() {
    String name = config.errors().deadLetters();
    if (name.isEmpty()) {
      note("errors.deadLetters", "not set: rejected rows are counted but not kept");
      return;
    }
    Path file = Path.of(name).toAbsolutePath();
    Path there = nearest(file);
    boolean whole = file.equals(there);
    if (there == null
        || !Files.isWritable(there)
        || (whole ? Files.isDirectory(there) : !Files.isDirectory(there))) {
      problem("errors.deadLetters", "cannot be written: " + name);
    } else {
      good("errors.deadLetters", name);
    }
  }

  private void rollback() {
    if (config.errors().lossSpike() == 0 || config.errors().rollbackAfter() == 0) {
      return;
    }
    if (config.checkpoint() == null) {
      note(
          "errors.rollbackAfter",
          "cannot be: there is nothing to go back to without checkpoint.directory");
    } else if (!config.allSources().values().stream().allMatch(Sources::replays)) {
      note(
          "errors.rollbackAfter",
          "what was trained on since the checkpoint is lost then: these rows cannot be had again"
              + (config.allSources().values().stream().anyMatch(SourceConfig.Tcp.class::isInstance)
                  ? " (tcp.acknowledge)"
                  : ""));
    }
  }

  /** The file itself, or the nearest folder above it that exists. */
  private static @Nullable Path nearest(Path file) {
    Path there = file;
    while (there != null && !Files.exists(there)) {
      there = there.getParent();
    }
    return there;
  }

  private void checkpoint() {
    Config.CheckpointConfig settings = config.checkpoint();
    if (settings == null) {
      note("checkpoint", "not set: what is learnt ends with the process");
      return;
    }
    Path folder = Path.of(settings.directory()).toAbsolutePath();
    Path there = nearest(folder);
    if (there == null || !Files.isWritable(there) || !Files.isDirectory(there)) {
      problem("checkpoint.directory", "cannot be written: " + settings.directory());
      return;
    }
    int files = folder.equals(there) ? CheckpointDirectory.files(folder).size() : 0;
    good(
        "checkpoint.directory",
        settings.directory()
            + (files == 0
                ? ", empty: the run begins anew"
                : ", %s: the run goes on from the newest that is whole"
                    .formatted(Texts.count(files, "checkpoint"))));
  }

  private void http() {
    if (config.http().port() < 0) {
      note("http", "off: no meters, no health");
    } else if (config.allSources().values().stream().anyMatch(this::hasHttpPort)) {
      problem("http.port", "%d is the source's port, too".formatted(config.http().port()));
    } else {
      port("http", config.http().bind(), config.http().port());
      token("http.token", config.http().token());
    }
  }

  private void token(String key, @Nullable TokenConfig token) {
    if (token == null) {
      return;
    }
    try {
      var _ = token.read();
      good(key, token.toString());
    } catch (IllegalArgumentException e) {
      problem(key, String.valueOf(e.getMessage()));
    }
  }

  private boolean hasHttpPort(SourceConfig source) {
    return source instanceof SourceConfig.Tcp tcp
        && tcp.port() != 0
        && tcp.port() == config.http().port();
  }

  private void port(String key, String bind, int port) {
    try (ServerSocket socket = new ServerSocket()) {
      socket.setReuseAddress(true);
      socket.bind(new InetSocketAddress(InetAddress.getByName(bind), port));
      good(key, port == 0 ? bind + ", any free port" : bind + ":" + port + " is free");
    } catch (UnknownHostException e) {
      problem(key + ".bind", "'" + bind + "' is no address of this machine");
    } catch (IOException e) {
      problem(key + ".port", "cannot listen on %s:%d (%s)".formatted(bind, port, Causes.of(e)));
    }
  }

  private void promise() {
    config
        .allSources()
        .forEach(
            (name, source) ->
                note(
                    config.source() == null ? "promise of sources." + name : "promise",
                    promise(source)));
  }

  private String promise(SourceConfig source) {
    return switch (source) {
      case SourceConfig.Tcp tcp when tcp.acknowledge() != null && config.checkpoint() != null ->
          EXACTLY_ONCE + ", if senders send again what was not durable";
      case SourceConfig.Tcp tcp when tcp.acknowledge() != null ->
          "every row received is trained on once, though it is sent again; without checkpoints none is durable, and weights are lost with the process";
      case SourceConfig.Tcp _, SourceConfig.Host _ when config.checkpoint() != null ->
          "every row accepted is trained on once while the process lives; with the process, rows since the last checkpoint are lost";
      case SourceConfig.File _ when config.checkpoint() != null -> EXACTLY_ONCE;
      case SourceConfig.Generator _ when config.checkpoint() != null -> EXACTLY_ONCE;
      case SourceConfig.Tcp _, SourceConfig.Host _ ->
          "every row accepted is trained on once while the process lives; with the process, weights and rows in flight are lost";
      case SourceConfig.File _ ->
          "every row is trained on once while the process lives; the file can be read again";
      case SourceConfig.Generator _ ->
          "every row is trained on once while the process lives; the same seed makes the same rows again";
    };
  }

  private void reproducible() {
    List<String> reasons = new ArrayList<>();
    if (!config.batch().maxDelay().isZero()) {
      reasons.add(
          "batch.maxDelay is %d ms, so the clock cuts minibatches (none: cut by count alone)"
              .formatted(config.batch().maxDelay().toMillis()));
    }
    if (config.source() == null) {
      reasons.add("there are several sources, whose rows are merged as they come and in shares");
    } else if (config.source() instanceof SourceConfig.Tcp tcp
        && tcp.maxConnections() > 1
        && tcp.endAfterConnections() != 1
        && tcp.feed() == null) {
      reasons.add(
          "source.tcp.maxConnections is %d, and rows of connections open at once are merged as they come (with one sender at a time, this is no reason)"
              .formatted(tcp.maxConnections()));
    }
    if (config.allSources().values().stream().anyMatch(SourceConfig.Host.class::isInstance)) {
      reasons.add("what a host measures will never be the same again");
    }
    if (reasons.isEmpty()) {
      good("reproducible", "yes: the same rows and seed give the same weights to the bit");
    } else {
      note("reproducible", "no: " + String.join("; ", reasons));
    }
  }

  private static String rows(long records) {
    return records == 0 ? "without end" : Texts.count(records, "row");
  }

  private void good(String what, String text) {
    line("ok", what, text);
  }

  private void note(String what, String text) {
    line("note", what, text);
  }

  private void problem(String what, String text) {
    problems++;
    line(PROBLEM, what, text);
  }

  private void line(String level, String what, String text) {
    lines.add("%-8s %s: %s".formatted(level, what, text));
  }
}
