package io.penstock.app;

import io.penstock.app.GpuReport.End;
import io.penstock.app.GpuReport.Place;
import io.penstock.app.GpuReport.Section;
import java.io.File;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.SerializationFeature;
import tools.jackson.databind.json.JsonMapper;

/**
 * {@code penstock bench gpu}: contract, golden runs and measurements on a GPU, each section in a process of its own, so that one
 * that fails, hangs or loses the GPU hides no other.
 */
final class GpuBenchmark {
  /** System property: the folder of the archive, which has the tests. */
  static final String KIT = "penstock.kit";

  static final String RIVAL = "rival_torch_steps.py";

  private static final Pattern FEED =
      Pattern.compile(":: (STARTED|SUCCESSFUL|FAILED|ABORTED|SKIPPED)");
  private static final Pattern DRIVER = Pattern.compile("\\d{3}\\.\\d+(\\.\\d+)?");
  private static final int MOST_WORDS = 400;

  private final GpuRequest request;
  private final Terminal terminal;
  private final @Nullable Path kit;
  private final Path logs;

  GpuBenchmark(GpuRequest request, Terminal terminal) {
    this.request = request;
    this.terminal = terminal;
    String folder = System.getProperty(KIT);
    kit = folder == null ? null : Path.of(folder);
    logs = request.report().resolveSibling("gpu-report-logs");
  }

  /** Runs all sections and writes the report; returns the exit code. */
  int run() throws InterruptedException {
    long end = terminal.nanoTime().getAsLong() + request.limit().toNanos();
    List<Section> sections = new ArrayList<>();
    try {
      Files.createDirectories(logs);
      for (GpuSection section : GpuSection.values()) {
        if (request.sections().contains(section)) {
          Section ended = run(section, end);
          sections.add(ended);
          terminal
              .err()
              .println(
                  "%-10s %-8s %5.1f s  %s"
                      .formatted(
                          section.label(), ended.end().text(), ended.seconds(), ended.why()));
        }
      }
      return write(new GpuReport(place(), sections));
    } catch (IOException e) {
      throw new RunException("bench gpu: " + Causes.of(e), e);
    }
  }

  private Section run(GpuSection section, long end) throws IOException, InterruptedException {
    boolean soak = section == GpuSection.SOAK;
    Duration left = Duration.ofNanos(end - terminal.nanoTime().getAsLong());
    Duration limit = soak ? section.limit().plus(request.soak()) : least(section.limit(), left);
    if (section.isTests() && kit == null) {
      return new Section(
          section, End.NOT_RUN, 0, "only the archive of ./mvnw -Pgpu-kit has the tests", List.of());
    }
    if (!limit.isPositive()) {
      return new Section(section, End.NOT_RUN, 0, "no time was left", List.of());
    }
    terminal.err().println("%-10s %s …".formatted(section.label(), section.what()));
    Path lines = Files.createTempFile("penstock-gpu", ".jsonl");
    File log = logs.resolve(section.label() + ".log").toFile();
    long begin = terminal.nanoTime().getAsLong();
    Process process =
        new ProcessBuilder(section.isTests() ? tests(section) : measurements(section, lines))
            .redirectErrorStream(true)
            .redirectOutput(log)
            .start();
    try {
      boolean ended = process.waitFor(limit.toMillis(), TimeUnit.MILLISECONDS);
      double seconds = (terminal.nanoTime().getAsLong() - begin) / 1e9;
      List<JsonNode> measured = section.isTests() ? List.of() : read(lines);
      String said = Files.readString(log.toPath(), StandardCharsets.UTF_8);
      return section.isTests()
          ? tested(section, ended ? process.exitValue() : -1, seconds, said)
          : measured(section, ended ? process.exitValue() : -1, seconds, said, measured);
    } finally {
      process.descendants().forEach(ProcessHandle::destroyForcibly);
      process.destroyForcibly().waitFor();
      Files.delete(lines);
    }
  }

  private static Duration least(Duration a, Duration b) {
    return a.compareTo(b) < 0 ? a : b;
  }

  /** @param exit -1: it was cut off */
  private static Section tested(GpuSection section, int exit, double seconds, String said) {
    int passed = 0;
    int failed = 0;
    int other = 0;
    Matcher feed = FEED.matcher(said);
    while (feed.find()) {
      switch (feed.group(1)) {
        case "SUCCESSFUL" -> passed++;
        case "FAILED" -> failed++;
        case "STARTED" -> {}
        default -> other++;
      }
    }
    String counts =
        "%d passed, %d failed, %d skipped".formatted(passed, failed, other)
            + (exit == -1 ? " until the time was up" : "");
    End end =
        failed > 0 || exit > 0 || (exit == 0 && (passed == 0 || other > 0))
            ? End.FAILED
            : exit == -1 ? End.CUT_OFF : End.DONE;
    return new Section(section, end, seconds, counts, List.of());
  }

  private static Section measured(
      GpuSection section, int exit, double seconds, String said, List<JsonNode> lines) {
    String errors =
        lines.stream()
            .filter(line -> line.has("error") && !GpuTargets.text(line, "what").equals("rival"))
            .map(line -> GpuTargets.text(line, "error"))
            .findFirst()
            .orElse("");
    if (exit == -1) {
      return new Section(
          section,
          End.CUT_OFF,
          seconds,
          "the time was up after %d figures".formatted(lines.size()),
          lines);
    }
    if (exit != 0) {
      return new Section(section, End.FAILED, seconds, lastWords(said), lines);
    }
    return new Section(section, errors.isEmpty() ? End.DONE : End.FAILED, seconds, errors, lines);
  }

  /** Why a process ended: the line of its exception, or its last one. */
  private static String lastWords(String said) {
    String words = "";
    for (String line : said.lines().toList()) {
      if (line.startsWith("Exception in") || line.startsWith("Caused by")) {
        words = line;
      } else if (words.isEmpty() && !line.isBlank() && !line.startsWith("WARNING")) {
        words = line;
      }
    }
    return words.length() <= MOST_WORDS ? words : words.substring(0, MOST_WORDS) + "…";
  }

  /** Lines that are whole; one may have been cut off. */
  private static List<JsonNode> read(Path file) throws IOException {
    List<JsonNode> lines = new ArrayList<>();
    String text = Files.readString(file);
    for (String line : text.substring(0, text.lastIndexOf('\n') + 1).lines().toList()) {
      lines.add(JsonMapper.shared().readTree(line));
    }
    return lines;
  }

  private List<String> measurements(GpuSection section, Path lines) {
    List<String> command = java(System.getProperty("java.class.path"));
    if (section == GpuSection.SOAK) {
      // A heap that is there from the beginning does not grow.
      command.addAll(1, List.of("-Xms512m", "-Xmx512m", "-XX:+AlwaysPreTouch"));
    }
    Path rival = (kit == null ? Path.of("src/bench") : kit).resolve(RIVAL);
    command.addAll(
        List.of(
            GpuMeasurements.class.getName(),
            section.label(),
            lines.toString(),
            request.python(),
            Files.isRegularFile(rival) ? rival.toString() : "",
            Long.toString(request.soak().toSeconds())));
    return command;
  }

  private List<String> tests(GpuSection section) {
    Path folder = java.util.Objects.requireNonNull(kit);
    List<String> command =
        java(
            System.getProperty("java.class.path")
                + File.pathSeparator
                + folder.resolve("tests")
                + "/*");
    command.add("-Dpenstock.golden=" + folder.resolve("golden"));
    command.addAll(
        List.of(
            "org.junit.platform.console.ConsoleLauncher",
            "execute",
            "--disable-banner",
            "--disable-ansi-colors",
            "--details=testfeed"));
    String tests = "--select-class=io.penstock.trainer.cuda.";
    if (section == GpuSection.GOLDEN) {
      command.add(tests + "GpuGoldenRunTest");
      command.add(tests + "GpuGeneralGoldenRunTest");
    } else {
      command.add(tests + "GpuDeviceContractTest");
      command.add(tests + "GpuGeneralDeviceContractTest");
      command.add(tests + "GpuKernelContractTest");
    }
    return command;
  }

  /** This JVM's own flags, but for those of its own files. */
  private static List<String> java(String classPath) {
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    for (String flag : ManagementFactory.getRuntimeMXBean().getInputArguments()) {
      if (flag.startsWith("-D") || flag.startsWith("--") || flag.startsWith("-XX:+Use")) {
        command.add(flag);
      }
    }
    command.add("-cp");
    command.add(classPath);
    return command;
  }

  private int write(GpuReport report) throws IOException {
    JsonMapper mapper = JsonMapper.builder().enable(SerializationFeature.INDENT_OUTPUT).build();
    Files.writeString(request.report(), mapper.writeValueAsString(report.json()) + "\n");
    Path table =
        request
            .report()
            .resolveSibling(
                request.report().getFileName().toString().replaceFirst("\\.json$", "") + ".md");
    Files.writeString(table, report.table());
    terminal.out().println(report.table());
    terminal
        .err()
        .println(
            "bench gpu: %s; %s, %s, logs in %s"
                .formatted(report.verdict().name(), request.report(), table, logs));
    return report.verdict().exitCode();
  }

  private Place place() throws IOException {
    Path commit = kit == null ? null : kit.resolve("COMMIT");
    return new Place(
        commit != null && Files.exists(commit) ? Files.readString(commit).strip() : Version.TEXT,
        driver(Path.of("/proc/driver/nvidia/version")),
        Instant.now().truncatedTo(ChronoUnit.SECONDS).toString(),
        "%s, %d processors, %s %s"
            .formatted(
                processor(),
                Runtime.getRuntime().availableProcessors(),
                System.getProperty("os.name"),
                System.getProperty("os.version")));
  }

  private static String driver(Path file) throws IOException {
    if (!Files.isReadable(file)) {
      return "none of NVIDIA's in /proc/driver/nvidia";
    }
    Matcher version = DRIVER.matcher(Files.readString(file));
    return version.find() ? version.group() : "unknown";
  }

  private static String processor() throws IOException {
    Path file = Path.of("/proc/cpuinfo");
    return Files.isReadable(file)
        ? Files.readAllLines(file).stream()
            .filter(line -> line.startsWith("model name"))
            .map(line -> line.substring(line.indexOf(':') + 1).strip())
            .findFirst()
            .orElse("unknown processor")
        : "unknown processor";
  }
}
