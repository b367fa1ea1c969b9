package io.penstock.config;

import java.time.Duration;
import java.util.List;

/**
 * All settings of a run, as a YAML file declares them.
 *
 * @param name the run's name, for reports and meters
 */
public record Config(
    String name,
    SourceConfig source,
    SchemaConfig schema,
    List<FeatureConfig> features,
    BatchConfig batch,
    ModelConfig model,
    LossConfig loss,
    OptimizerConfig optimizer,
    String device,
    PipelineConfig pipeline,
    EvaluationConfig evaluation,
    ErrorsConfig errors,
    HttpConfig http,
    long seed) {

  /**
   * How minibatches are cut.
   *
   * @param size rows of a full minibatch
   * @param maxDelay how long rows may wait for a full minibatch; zero: for ever ({@code none}), so that minibatches are cut by
   *     count alone
   */
  public record BatchConfig(int size, Duration maxDelay) {}

  /**
   * Means of the way from source to ring.
   *
   * @param parallelism threads that work on operators; results do not depend on it
   * @param memory bound on the memory of all blocks, in bytes
   * @param slots minibatches in the ring, a power of two
   */
  public record PipelineConfig(int parallelism, long memory, int slots) {}

  /**
   * How the run is judged while it trains.
   *
   * @param window rows over which windowed metrics fade: a row weighs (1 - 1/window) to the power of its age
   */
  public record EvaluationConfig(int window) {}

  /**
   * What happens to rows that cannot be used.
   *
   * @param deadLetters file for rejected rows; empty: they are only counted
   * @param maxRate share of rejected rows above which the run ends
   */
  public record ErrorsConfig(String deadLetters, double maxRate) {}

  /**
   * Metrics and health over HTTP.
   *
   * @param port 0: any free one; -1: no HTTP
   */
  public record HttpConfig(int port, String bind) {}
}
