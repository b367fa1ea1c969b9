package io.penstock.app;

import io.penstock.config.SourceConfig;
import io.penstock.config.Token;
import java.nio.file.Path;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/**
 * What {@code penstock feed} is asked to send.
 *
 * @param rowsPerSecond 0: as fast as they are taken
 * @param token what the receiver asks for, or null for nothing
 * @param acknowledged how acknowledgements are used, or null for none
 */
record FeedRequest(
    Input input,
    String host,
    int port,
    double rowsPerSecond,
    @Nullable Token token,
    @Nullable Acknowledged acknowledged) {

  /** Without a token, and without acknowledgements. */
  FeedRequest(Input input, String host, int port, double rowsPerSecond) {
    this(input, host, port, rowsPerSecond, null, null);
  }

  /**
   * With acknowledgements.
   *
   * @param producer the name that the sender goes by
   * @param untilDurable whether a receiver that keeps no checkpoints is an error
   * @param reconnectWithin how long to go on trying to connect again
   */
  record Acknowledged(String producer, boolean untilDurable, Duration reconnectWithin) {}

  /** Where the rows come from. */
  sealed interface Input {

    /** A text file, sent line by line as it is. */
    record Lines(Path path) implements Input {}

    /** Rows that were rejected, with their headers; whoever asks for them to be sent closes them. */
    record Letters(DeadLetterReplay replay) implements Input {}

    /** A synthetic stream, sent as CSV. */
    record Stream(SourceConfig.Generator generator) implements Input {}
  }
}
