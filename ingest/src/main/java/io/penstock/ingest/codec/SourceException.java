package io.penstock.ingest.codec;

/** A source or one partition of it cannot be read at all. The message names what, the rule, and what to do. */
public final class SourceException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  public SourceException(String message) {
    super(message);
  }

  public SourceException(String message, Throwable cause) {
    super(message, cause);
  }
}
