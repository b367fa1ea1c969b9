package io.penstock.app.checkpoint;

import org.jspecify.annotations.Nullable;

/** A checkpoint that cannot be read or written; the message says which, why, and what to do where that is known. */
public final class CheckpointException extends RuntimeException {
  private static final long serialVersionUID = 1;

  CheckpointException(String message) {
    super(message);
  }

  CheckpointException(String message, @Nullable Throwable cause) {
    super(message, cause);
  }
}
