package io.penstock.app;

import io.penstock.app.RunSnapshot.LedgerEntry;
import io.penstock.app.checkpoint.Checkpoint;
import io.penstock.app.checkpoint.CheckpointDirectory;
import io.penstock.app.checkpoint.CheckpointException;
import io.penstock.config.Config;
import io.penstock.config.ConfigException;
import io.penstock.ingest.codec.SourceException;
import io.penstock.pipeline.Assembler;
import io.penstock.pipeline.Merge;
import io.penstock.pipeline.OperatorStage;
import io.penstock.pipeline.PartitionCursor;
import io.penstock.pipeline.RowTally;
import io.penstock.pipeline.State;
import io.penstock.trainer.DelayedEvaluation;
import io.penstock.trainer.Trainer;
import io.penstock.trainer.device.SessionState;
import io.penstock.trainer.model.Evaluation;
import io.penstock.trainer.model.ParameterLayout;
import io.penstock.trainer.model.TrainingState;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;
import java.util.stream.IntStream;

/**
 * What a checkpoint holds, without a device and without a run.
 *
 * @param bytes of the file
 * @param config as it was saved
 * @param plan what follows from that
 * @param training counters and metrics
 */
record Inspection(
    Path file,
    long bytes,
    Checkpoint checkpoint,
    Config config,
    RunPlan plan,
    TrainingState training) {

  /**
   * Reads a checkpoint.
   *
   * @param path a file, or a folder: then its newest whole one
   * @param command that is told of what is wrong
   * @throws StartException where there is none that can be read
   */
  static Inspection of(Path path, String command) {
    if (!Files.exists(path)) {
      throw new StartException("%s: %s: there is no such file or folder".formatted(command, path));
    }
    try {
      Checkpoint checkpoint = CheckpointDirectory.read(path);
      Path file =
          Files.isDirectory(path) ? CheckpointDirectory.file(path, checkpoint.number()) : path;
      Config config = Config.parse(checkpoint.configuration());
      RunPlan plan = RunPlan.of(config, checkpoint.columns());
      TrainingState training = SessionState.training(checkpoint.state(), plan.program().metrics());
      return new Inspection(file, Files.size(file), checkpoint, config, plan, training);
    } catch (CheckpointException e) {
      throw new StartException(command + ": " + e.getMessage(), e);
    } catch (IOException e) {
      throw new StartException("%s: %s: %s".formatted(command, path, Causes.of(e)), e);
    } catch (ConfigException
        | SourceException
        | IllegalArgumentException
        | IllegalStateException e) {
      throw new StartException(
          "%s: %s: is whole, but not what this version of Penstock reads: %s"
              .formatted(command, path, Causes.of(e)),
          e);
    }
  }

  State state() {
    return checkpoint.state();
  }

  /** Rows by what became of them. */
  List<LedgerEntry> ledger() {
    return List.of(
        entry("trained", Trainer.TRAINED),
        entry("skipped", Trainer.SKIPPED),
        entry("rejected", Merge.REJECTED),
        entry("leftOut", Merge.LEFT_OUT),
        entry("lost", Trainer.LOST));
  }

  private LedgerEntry entry(String what, String name) {
    RowTally tally = new RowTally();
    tally.restore(state(), name);
    return new LedgerEntry(what, tally.rows(), tally.hash());
  }

  /** Rows of the unfinished minibatch: saved as they are, not trained on. */
  long waitingRows() {
    return state().longs(Assembler.SCOPE + ".counts")[2];
  }

  /** The sources, as one says it. */
  String sources() {
    return String.join(", ", Sources.names(config));
  }

  /** The source that a partition is of. */
  String source(PartitionCursor cursor) {
    return Sources.names(config).get(cursor.source());
  }

  /** Where each partition is read on. */
  List<PartitionCursor> positions() {
    return IntStream.range(0, Sources.names(config).size())
        .mapToObj(source -> Merge.cursors(state(), source))
        .flatMap(List::stream)
        .toList();
  }

  Evaluation evaluation() {
    return config.evaluation().labelDelay() == 0
        ? training.evaluation()
        : DelayedEvaluation.evaluation(state(), plan.program().metrics());
  }

  /** As a run's report has it for these weights. */
  String weightsSha256() {
    ParameterLayout layout = plan.program().parameters();
    return SessionState.sha256(layout, SessionState.parameters(state(), layout));
  }

  /** The parameters, in the order of the layers. */
  List<Tensor> parameters() {
    return plan.program().parameters().tensors().stream()
        .map(
            tensor ->
                Tensor.of(
                    tensor.name(),
                    tensor.shape(),
                    state().floats(SessionState.PARAMETERS + tensor.name())))
        .toList();
  }

  /** Bytes of the fitted operators' state, by column. */
  Map<String, Long> operatorBytes() {
    Map<String, Long> sizes = new LinkedHashMap<>();
    for (var column : plan.schema().allColumns()) {
      Pattern names =
          Pattern.compile(
              Pattern.quote(OperatorStage.SCOPE + "." + column.name()) + "\\.\\d+\\..*");
      long bytes =
          state().arrays().entrySet().stream()
              .filter(array -> names.matcher(array.getKey()).matches())
              .mapToLong(array -> bytes(array.getValue()))
              .sum();
      if (bytes > 0) {
        sizes.put(column.name(), bytes);
      }
    }
    return sizes;
  }

  /** Bytes of all arrays, by the part of the run that they belong to. */
  Map<String, Long> partBytes() {
    Map<String, Long> sizes = new LinkedHashMap<>();
    state()
        .arrays()
        .forEach(
            (name, array) -> sizes.merge(name.replaceFirst("\\..*", ""), bytes(array), Long::sum));
    return sizes;
  }

  private static long bytes(Object array) {
    return switch (array) {
      case State.Matrix matrix -> matrix.values().byteSize();
      case float[] floats -> (long) floats.length * Float.BYTES;
      case double[] doubles -> (long) doubles.length * Double.BYTES;
      case long[] longs -> (long) longs.length * Long.BYTES;
      case byte[] bytes -> bytes.length;
      default -> throw new IllegalStateException("saved state: an array of " + array.getClass());
    };
  }

  /**
   * A tensor in a few numbers; least, most and norm are of its finite values.
   *
   * @param norm root of the sum of squares
   * @param notFinite how many values are NaN or infinite
   */
  record Tensor(
      String name,
      List<Integer> shape,
      long bytes,
      double min,
      double max,
      double norm,
      long notFinite) {

    static Tensor of(String name, List<Integer> shape, float[] values) {
      double min = Double.POSITIVE_INFINITY;
      double max = Double.NEGATIVE_INFINITY;
      double squares = 0;
      long notFinite = 0;
      for (float value : values) {
        if (Float.isFinite(value)) {
          min = Math.min(min, value);
          max = Math.max(max, value);
          squares += (double) value * value;
        } else {
          notFinite++;
        }
      }
      return new Tensor(
          name, shape, (long) values.length * Float.BYTES, min, max, Math.sqrt(squares), notFinite);
    }

    /** Such as {@code 9 × 16}. */
    String shapeText() {
      List<String> sizes = new ArrayList<>();
      shape.forEach(size -> sizes.add(Texts.count(size)));
      return String.join(" × ", sizes);
    }
  }
}
