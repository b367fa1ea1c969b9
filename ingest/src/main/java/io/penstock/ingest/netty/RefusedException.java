package io.penstock.ingest.netty;

/** A producer does not keep to the protocol, or cannot be taken. It is told why, and its connection closed. */
final class RefusedException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  private final String line;

  /**
   * @param code a word for programs, as docs/tcp-protocol.md lists them
   * @param message for people
   */
  RefusedException(String code, String message) {
    this("error %s %s".formatted(code, message.replaceAll("[\r\n]+", " ")));
  }

  private RefusedException(String line) {
    super(line);
    this.line = line;
  }

  /** For a producer that another of its name has come after. */
  static RefusedException fenced(long epoch) {
    return new RefusedException("fenced " + epoch);
  }

  /** What {@code error} is to a producer. */
  static RefusedException of(Throwable error, String code) {
    return error instanceof RefusedException refused
        ? refused
        : new RefusedException(code, String.valueOf(error.getMessage()));
  }

  /** What the producer is told. */
  String line() {
    return line;
  }
}
