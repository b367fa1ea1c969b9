package io.penstock.app;

import static org.assertj.core.api.Assertions.assertThat;

import io.penstock.app.MortalDisk.Death;
import io.penstock.app.MortalDisk.Moment;
import io.penstock.app.checkpoint.CheckpointDirectory;
import io.penstock.app.checkpoint.CheckpointException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Deque;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.SplittableRandom;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.LongSupplier;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * Trains a workload in processes that die, until one comes to its end, and again from the beginning until so many have died; each
 * end must be that of a process that did not die, and what the source says.
 *
 * <p>A process dies by a signal at a random moment of the time that the whole takes, its start-up included, or of that of its
 * training, or of what comes behind its first checkpoint, or by itself in the use of its disk ({@link MortalDisk}). Now and then the newest checkpoint is damaged before the next process begins.
 * Where a feed sends the rows, that dies as well, and neither waits for the other.
 */
final class Crashes {
  private static final int ROUNDS_WITHOUT_DEATH = 20;
  private static final int KEPT = 3;
  private static final int LOOK_MILLIS = 5;

  private static final Pattern GOING_ON = Pattern.compile("going on after ([0-9,]+) row");

  private final Workload workload;
  private final String device;
  private final Path folder;
  private final long seed;
  private final SplittableRandom random;
  private final SplittableRandom feedRandom;
  private final AtomicInteger feedDeaths = new AtomicInteger();
  private final Deque<End> chosen = new ArrayDeque<>();

  /** From then to the end, of the process that was not interrupted. */
  private final Map<Since, Long> nanos = new EnumMap<>(Since.class);

  private List<String> mortalFlags = List.of();

  private final Map<String, Integer> hits = new TreeMap<>();
  private final int[] deathsByTenth = new int[10];
  private @Nullable Ending whole;
  private boolean goesBack;
  private int deaths;
  private int starts;
  private int rounds;
  private int damages;
  private boolean damaged;
  private final long began = System.nanoTime();

  /** How a process is to end. */
  private sealed interface End {
    /** By itself, with all rows trained. */
    record Whole() implements End {}

    /** By a signal. */
    record Signal(String name, Since since, long afterNanos) implements End {}

    /** In the use of its disk. */
    record OfDisk(Death death) implements End {}
  }

  /** From when on a process lives as long as it shall. */
  private enum Since {
    START,
    TRAINING,
    /** One of its own: then this death loses less than those before have kept. */
    FIRST_CHECKPOINT
  }

  Crashes(Workload workload, String device, Path folder) throws IOException {
    this.workload = workload;
    this.device = device;
    this.folder = Files.createDirectories(folder);
    seed = Long.getLong("penstock.chaos.seed", System.nanoTime());
    random = new SplittableRandom(seed);
    feedRandom = random.split();
  }

  /**
   * All processes but the first, which is not interrupted, do without the optimizing compiler: a short run takes a third less of the
   * processor so, and its numbers must be the same.
   */
  Crashes briefly() {
    mortalFlags = List.of("-XX:TieredStopAtLevel=1");
    return this;
  }

  /** The stream has rows in it that the run must go back for. */
  Crashes goingBack() {
    goesBack = true;
    return this;
  }

  /** The first processes die in these moments, before others do at random. */
  Crashes dyingFirstIn(Death... first) {
    for (Death death : first) {
      chosen.add(new End.OfDisk(death));
    }
    return this;
  }

  /** Trains until so many processes have died, as many of the feed where there is one, and the last has come to its end. */
  void die(int times) throws IOException, InterruptedException {
    System.out.printf(
        "%s on %s: seed %d (-Dpenstock.chaos.seed=%d)%n", workload.name(), device, seed, seed);
    uninterrupted();
    int idle = 0;
    while (deaths < times || (workload.feed() != null && feedDeaths.get() < times)) {
      int before = deaths + feedDeaths.get();
      round(times);
      idle = deaths + feedDeaths.get() == before ? idle + 1 : 0;
      assertThat(idle).as("rounds without a death").isLessThan(ROUNDS_WITHOUT_DEATH);
    }
    tell();
  }

  private void tell() {
    System.out.printf(
        "%s on %s: %d deaths, %d of the feed, %d processes, %d runs to the end, %d checkpoints damaged, %.1f s (whole: %.1f s)%n  %s%n  by tenths of the stream that was safe: %s%n",
        workload.name(),
        device,
        deaths,
        feedDeaths.get(),
        starts,
        rounds,
        damages,
        (System.nanoTime() - began) / 1e9,
        nanos(Since.START) / 1e9,
        hits,
        Arrays.toString(deathsByTenth));
  }

  private void uninterrupted() throws IOException, InterruptedException {
    Round round = new Round("whole");
    try (MortalFeed _ = round.feed(() -> TimeUnit.DAYS.toNanos(1))) {
      assertThat(round.attempt(new End.Whole())).as("ended: %s", round.said()).isTrue();
    }
    long ended = System.nanoTime();
    nanos.replaceAll((since, began) -> ended - began);
    whole = round.ending();
    workload.ledger().requireIn(whole.report());
    assertThat(whole.report().get("rollbacks").asInt() > 0).as("goes back").isEqualTo(goesBack);
  }

  private void round(int times) throws IOException, InterruptedException {
    Round round = new Round("round-" + ++rounds);
    boolean ended = false;
    try (MortalFeed _ = round.feed(() -> feedRandom.nextLong(nanos(Since.START)))) {
      while (!ended) {
        ended = round.attempt(deaths < times ? nextEnd() : new End.Whole());
        if (!ended && random.nextInt(8) == 0) {
          round.damageNewest();
        }
      }
    }
    Ending end = round.ending();
    assertThat(end.differences(Objects.requireNonNull(whole)))
        .as("what is not as without crashes: %s, %s, seed %d", workload.name(), device, seed)
        .isEmpty();
    workload.ledger().requireIn(end.report());
  }

  private End nextEnd() {
    End first = chosen.poll();
    if (first != null) {
      return first;
    }
    if (random.nextInt(3) == 0) {
      Moment[] moments = Moment.values();
      Moment moment = moments[random.nextInt(moments.length)];
      int time = moment == Moment.RESTORED ? 1 : random.nextInt(1, 5);
      return new End.OfDisk(new Death(moment, time));
    }
    String signal = random.nextInt(6) == 0 ? "SEGV" : "KILL";
    Since since =
        switch (random.nextInt(4)) {
          case 0 -> Since.START;
          case 1 -> Since.TRAINING;
          default -> Since.FIRST_CHECKPOINT;
        };
    return new End.Signal(signal, since, random.nextLong(nanos(since)));
  }

  private long nanos(Since since) {
    return Objects.requireNonNull(nanos.get(since));
  }

  /** One run from its beginning to its end, in as many processes as that takes. */
  private final class Round {
    private final Path own;
    private final Path config;
    private final Path report;
    private final Path checkpoints;
    private final Path said;
    private final Path fault;

    Round(String name) throws IOException {
      own = Files.createDirectories(folder.resolve(name));
      config = workload.write(own, device, KEPT);
      report = own.resolve("report.json");
      checkpoints = own.resolve("checkpoints");
      said = own.resolve("said.txt");
      fault = own.resolve("fault.log");
      damaged = false;
    }

    /** Who sends the rows, where they are sent. */
    @Nullable MortalFeed feed(LongSupplier lifetimesNanos) {
      Workload.Feed feed = workload.feed();
      return feed == null
          ? null
          : new MortalFeed(feed, own.resolve("feed-said.txt"), lifetimesNanos, feedDeaths);
    }

    Ending ending() throws IOException {
      return Ending.of(report, checkpoints);
    }

    String said() throws IOException {
      return Files.exists(said) ? Files.readString(said) : "";
    }

    /** Whether the process ended by itself. */
    boolean attempt(End end) throws IOException, InterruptedException {
      starts++;
      Files.deleteIfExists(said);
      FileTime began = Files.getLastModifiedTime(Files.createFile(said));
      Optional<Path> newest = newest();
      Process process = start(end);
      try {
        if (end instanceof End.Signal signal) {
          await(process, signal.since(), newest);
          if (!process.waitFor(signal.afterNanos(), TimeUnit.NANOSECONDS)) {
            send(signal.name(), process);
          }
        } else if (whole == null) {
          for (Since since : Since.values()) {
            await(process, since, newest);
            nanos.put(since, System.nanoTime());
          }
        }
        assertThat(process.waitFor(Runs.LONG.toSeconds(), TimeUnit.SECONDS))
            .as("the process ends: %s", said())
            .isTrue();
      } finally {
        process.destroyForcibly();
      }
      int exit = process.exitValue();
      boolean byItself = exit == ExitCode.OK;
      if (!byItself) {
        boolean fault = Files.deleteIfExists(this.fault);
        assertThat(diedOf(end, exit, fault)).as("exit %d after %s: %s", exit, end, said()).isTrue();
        count(end, began);
      }
      if (damaged && isTraining()) {
        assertThat(said())
            .contains("is not a whole safetensors file", "going on to the one before");
        damaged = false;
      }
      return byItself;
    }

    private void await(Process process, Since since, Optional<Path> newestBefore)
        throws IOException, InterruptedException {
      while (!hasCome(since, newestBefore)
          && !process.waitFor(LOOK_MILLIS, TimeUnit.MILLISECONDS)) {
        Thread.onSpinWait();
      }
    }

    private boolean hasCome(Since since, Optional<Path> newestBefore) throws IOException {
      return switch (since) {
        case START -> true;
        case TRAINING -> isTraining();
        case FIRST_CHECKPOINT -> !newest().equals(newestBefore);
      };
    }

    private Optional<Path> newest() {
      List<Path> files =
          Files.exists(checkpoints) ? CheckpointDirectory.files(checkpoints) : List.of();
      return files.isEmpty() ? Optional.empty() : Optional.of(files.getLast());
    }

    private boolean isTraining() throws IOException {
      return said().contains("training from");
    }

    private static void send(String signal, Process process)
        throws IOException, InterruptedException {
      new ProcessBuilder("kill", "-" + signal, Long.toString(process.pid())).start().waitFor();
    }

    private Process start(End end) throws IOException {
      List<String> flags = new ArrayList<>(whole == null ? List.of() : mortalFlags);
      flags.addAll(
          List.of(
              "-ea",
              "-Xmx512m",
              "-XX:+UseSerialGC",
              "-XX:-CreateCoredumpOnCrash",
              "-XX:ErrorFile=" + fault));
      return ChildJvm.builder(
              CrashingRun.class,
              flags,
              end instanceof End.OfDisk(Death death) ? death.toString() : CrashingRun.IMMORTAL,
              "train",
              config.toString(),
              "--report",
              report.toString())
          .redirectOutput(ProcessBuilder.Redirect.DISCARD)
          .redirectError(said.toFile())
          .start();
    }

    private void count(End end, FileTime began) throws IOException {
      deaths++;
      String what = said();
      Matcher goingOn = GOING_ON.matcher(what);
      long safe = goingOn.find() ? Long.parseLong(goingOn.group(1).replace(",", "")) : 0;
      deathsByTenth[(int) Math.min(9, safe * 10 / workload.ledger().acceptedRows())]++;
      hits.merge(
          switch (end) {
            case End.OfDisk disk -> "in " + disk.death().moment();
            case End.Signal signal -> signal.name() + " " + phase(what, began);
            case End.Whole _ -> throw new AssertionError("died unasked: " + what);
          },
          1,
          Integer::sum);
      if (deaths % 10 == 0) {
        tell();
      }
    }

    private String phase(String what, FileTime began) throws IOException {
      Path part = checkpoints.resolve(".checkpoint.part");
      boolean writing = Files.exists(part) && Files.getLastModifiedTime(part).compareTo(began) > 0;
      if (writing) {
        return "while a checkpoint was written";
      }
      return Files.exists(report) && Files.getLastModifiedTime(report).compareTo(began) > 0
          ? "after the report"
          : what.contains("training from") ? "while training" : "in start-up";
    }

    /** Where an older one is whole. */
    void damageNewest() throws IOException {
      List<Path> files =
          Files.exists(checkpoints) ? CheckpointDirectory.files(checkpoints) : List.of();
      if (files.size() < 2 || !files.reversed().stream().limit(2).allMatch(this::isWhole)) {
        return;
      }
      byte[] bytes = Files.readAllBytes(files.getLast());
      int at = random.nextInt(bytes.length);
      if (random.nextBoolean()) {
        bytes[at] ^= (byte) (1 << random.nextInt(8));
      } else {
        bytes = Arrays.copyOf(bytes, at);
      }
      Files.write(files.getLast(), bytes);
      damages++;
      damaged = true;
    }

    private boolean isWhole(Path file) {
      try {
        var _ = CheckpointDirectory.read(file);
        return true;
      } catch (CheckpointException e) {
        return false;
      }
    }
  }

  /**
   * Whether the process died as it was to.
   *
   * @param fault whether the JVM wrote its report of a fault; it does not when it comes in its first moments
   */
  private static boolean diedOf(End end, int exit, boolean fault) {
    return switch (end) {
      case End.Whole _ -> false;
      case End.OfDisk _ -> exit == MortalDisk.EXIT;
      case End.Signal signal when signal.name().equals("KILL") -> exit == 128 + 9;
      case End.Signal _ -> exit == 128 + 6 || exit == 128 + 11 || fault;
    };
  }
}
