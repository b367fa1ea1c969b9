package io.penstock.app;

import io.penstock.config.SourceConfig;
import java.nio.file.Path;

/**
 * What {@code penstock feed} is asked to send.
 *
 * @param rowsPerSecond 0: as fast as they are taken
 */
record FeedRequest(Input input, String host, int port, double rowsPerSecond) {

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
