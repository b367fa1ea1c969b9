package io.penstock.ingest.netty;

/** A feed could not begin or broke off. The message names what, where, and what to do. */
public final class FeedException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  public FeedException(String message) {
    super(message);
  }

  public FeedException(String message, Throwable cause) {
    super(message, cause);
  }
}
